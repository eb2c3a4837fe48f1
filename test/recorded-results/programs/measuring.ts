/** Measurements of a board: characterizations, calibrations, profiles, comparisons, and their records. */
import type { BoardProfile } from '../../../emulator/profiles/board-profile.js';
import { connect } from '../../../src/connect.js';
import { calibrate } from '../../../src/measure/calibrate.js';
import { calibrationRecordOf } from '../../../src/measure/calibration-record.js';
import { characterize } from '../../../src/measure/characterize.js';
import { compareBoards } from '../../../src/measure/compare.js';
import { summarize } from '../../../src/measure/estimates.js';
import { extract } from '../../../src/measure/extract.js';
import type { FinishedPart } from '../../../src/measure/lab-board.js';
import { quantitiesOf } from '../../../src/measure/quantities.js';
import { calibrationOf } from '../../../src/measure/read-calibration-record.js';
import { recordOf } from '../../../src/measure/record.js';
import { couplingErrorOfRows, worstCells } from '../../../src/measure/worst-cells.js';
import type { Lab, ProgramTable } from '../program.js';
import { effects, ofSize } from './boards.js';

const DATE = new Date('2026-03-01T12:00:00Z');
const REQUEST = { seed: 80, samples: 1000, crosspointsPerRow: 4 };

/** A characterization and everything that is computed from it. */
async function characterized(
  lab: Lab,
  board: Parameters<Lab['board']>,
  request: Partial<typeof REQUEST> = {},
) {
  const measured = await characterize(lab.board(...board), {
    ...REQUEST,
    ...request,
    onProgress: lab.listener('progress'),
  });
  const quantities = quantitiesOf(measured);
  return {
    measured,
    record: recordOf(measured, DATE),
    quantities: quantities.map(({ key, title, unit, nominal }) => [key, title, unit, nominal]),
    worst: worstCells(measured),
    rows: couplingErrorOfRows(measured),
    summaries: quantities.map(({ estimates, nominal }) => summarize(estimates, nominal)),
  };
}

export const MEASURING: ProgramTable = {
  'characterize-ideal': (lab) => characterized(lab, ['ideal-8', ofSize(4)]),
  'characterize-prototype': (lab) => characterized(lab, ['prototype-8', ofSize(6)], { crosspointsPerRow: 3 }),
  'characterize-harsh': (lab) => characterized(lab, ['harsh-64', ofSize(4)]),
  'characterize-spu': (lab) => characterized(lab, ['spu-8'], { crosspointsPerRow: 8 }),
  'characterize-crossbar': (lab) => characterized(lab, ['prototype-crossbar', ofSize(5, 3)]),
  'characterize-silent-cell': (lab) =>
    characterized(lab, [
      'ideal-8',
      ofSize(5),
      {
        tamper: (codes, cells) => {
          for (let at = 2; at < codes.length; at += cells) codes[at] = 7;
        },
      },
    ]),
  'characterize-bad-input': async (lab) => {
    const board = lab.board('ideal-8');
    return [
      await lab.refused(() => characterize(board, { ...REQUEST, samples: 999 })),
      await lab.refused(() => characterize(board, { ...REQUEST, seed: -1 })),
      await lab.refused(() => characterize(board, { ...REQUEST, crosspointsPerRow: 0.5 })),
    ];
  },
  'calibrate-prototype': async (lab) => {
    const result = await calibrate(lab.board('prototype-8', ofSize(4)), {
      ...{ seed: 81, samples: 1000 },
      onProgress: lab.listener('progress'),
    });
    const record = calibrationRecordOf(result, DATE, 30);
    return { result, record, read: calibrationOf(record, DATE) };
  },
  'calibrate-cells-alone': (lab) =>
    calibrate(lab.board('harsh-64', ofSize(4)), { seed: 82, samples: 1000, crosspoints: false }),
  'calibrate-crossbar': (lab) =>
    calibrate(lab.board('prototype-crossbar', ofSize(4, 3)), { seed: 83, samples: 1000 }),
  'calibrate-leaky': (lab) =>
    calibrate(
      lab.board('ideal-8', { ...ofSize(3), ...effects({ leakage: LEAKAGE, crosstalk: CROSSTALK }) }),
      {
        seed: 84,
        samples: 1000,
      },
    ),
  'calibrate-resumed': async (lab) => {
    const parts = new Map<string, FinishedPart>();
    const finished = {
      get: (name: string) => parts.get(name),
      add: (name: string, part: FinishedPart) => void parts.set(name, structuredClone(part)),
    };
    const controller = new AbortController();
    const request = { seed: 85, samples: 1000, finished };
    const stopped = await lab.refused(() =>
      calibrate(lab.board('prototype-8', ofSize(3)), {
        ...{ ...request, signal: controller.signal },
        onProgress: (fraction) => fraction > 0.5 && controller.abort(),
      }),
    );
    const names = [...parts.keys()];
    return { stopped, names, result: await calibrate(lab.board('prototype-8', ofSize(3)), request) };
  },
  'calibration-records': async (lab) => {
    const result = await calibrate(lab.board('prototype-8', ofSize(2)), { seed: 86, samples: 1000 });
    const record = calibrationRecordOf(result, DATE, 30);
    const day = 86_400_000;
    const at = (days: number): Date => new Date(DATE.getTime() + days * day);
    const read = (change: object, now: Date) =>
      lab.refused(() => calibrationOf({ ...record, ...change }, now));
    const short = { ...record.quantities, adcGain: { ...record.quantities.adcGain, values: [1] } };
    return [
      calibrationOf({ ...record, couplingErrors: null }, at(29.9)),
      calibrationOf(record, at(-0.9)),
      await read({}, at(30)),
      await read({}, at(-1.1)),
      await read({ expiresAt: at(0).toISOString() }, at(-0.5)),
      await read({ expiresAt: at(3652).toISOString() }, at(1)),
      await read({ quantities: short }, DATE),
      await read({ version: 2 }, DATE),
      await read({ couplingErrors: { ...record.couplingErrors, values: [0] } }, DATE),
      await lab.refused(() => calibrationRecordOf(result, DATE, 0)),
      await lab.refused(() => calibrationRecordOf(result, new Date(Number.NaN), 3)),
    ];
  },
  'broken-boards': async (lab) => {
    const broken: Partial<BoardProfile> = {
      ...ofSize(4),
      ...effects({
        deadCells: { sharePpm: 200_000, source: 'test' },
        stuckAdcChannels: { sharePpm: 200_000, source: 'test' },
        inputOffset: { spreadPpm: 300_000, source: 'test' },
      }),
      measured: {
        source: 'test',
        deadCells: { cells: [1] },
        stuckAdcChannels: { cells: [3], codes: [-700] },
      },
    };
    const { profile, measured } = await extract(lab.board('ideal-8', broken), { ...REQUEST, date: DATE });
    const calibrated = await calibrate(lab.board('ideal-8', broken), { seed: 87, samples: 1000 });
    return {
      profile,
      record: recordOf(measured, DATE),
      worst: worstCells(measured),
      calibrated: calibrationRecordOf(calibrated, DATE, 5),
    };
  },
  'compare-boards': async () => {
    const boards = await Promise.all([1, 2, 1].map((die) => connect(`emulator:spu-8?die=${die}`)));
    try {
      const [one, other, same] = boards;
      return [await compareBoards(one, other, { seed: 88 }), await compareBoards(one, same, { seed: 88 })];
    } finally {
      for (const board of boards) await board.close();
    }
  },
  'calibrate-bad-input': async (lab) => {
    const request = { seed: 81, samples: 1000 };
    return [
      await lab.refused(() => calibrate(lab.board('ideal-crossbar'), { ...request, crosspoints: true })),
      await lab.refused(() =>
        calibrate(lab.board('ideal-8', ofSize(300)), { ...request, crosspoints: true }),
      ),
      await lab.refused(() => calibrate(lab.board('ideal-8'), { ...request, samples: 1 })),
      await lab.refused(() => calibrationOf({ schema: 'another' }, DATE)),
    ];
  },
  'extract-prototype': (lab) => extract(lab.board('prototype-8', ofSize(3)), { ...REQUEST, date: DATE }),
  'extract-ideal': async (lab) =>
    (await extract(lab.board('ideal-8', ofSize(3)), { ...REQUEST, date: DATE })).profile,
  'extract-crossbar': async (lab) =>
    (await extract(lab.board('prototype-crossbar', ofSize(4, 3)), { ...REQUEST, date: DATE })).profile,
  'extract-harsh': async (lab) =>
    (await extract(lab.board('harsh-64', ofSize(3)), { ...REQUEST, date: DATE })).profile,
};

const LEAKAGE = { meanPpm: 3000, spreadPpm: 800, source: 'test' };
const CROSSTALK = { sharePpm: 8000, spreadPpm: 2000, source: 'test' };
