import { describe, expect, it } from 'vitest';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { type Attempt, ranged } from '../../src/board/ranged.js';
import { runSeedOf } from '../../src/board/run-seed.js';
import { type BoardSession, inSession } from '../../src/board/session.js';
import { connect } from '../../src/connect.js';
import type { BoardDevice, RunReport } from '../../src/driver/device-api.js';
import { ThermolinkError } from '../../src/errors.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';

const CELLS = 8;
const address = { seed: 7, step: 3, block: 5 };
const use = { address };
const ONE_READING = { burnInTicks: 10, sampleCount: 1, ticksPerSample: 0 };

/** A diagonal of G_fs/2, and a drive that is small or drives the cells beyond the rail. */
function program(couplings = diagonal(), drive = 100): ProgramImage {
  return {
    mode: PROGRAM_MODE.dense,
    cells: CELLS,
    rows: CELLS,
    couplingBits: 16,
    rowAttenuation: 0,
    couplings,
    drive: new Int16Array(CELLS).fill(drive),
    initialState: new Int16Array(CELLS),
    damping: 0,
    noiseAmplitude: 0,
    noiseShift: 8,
  };
}

function diagonal(): Int16Array {
  const codes = new Int16Array(CELLS * CELLS);
  for (let i = 0; i < CELLS; i++) codes[i * CELLS + i] = 2 ** 14;
  return codes;
}

const onBoard = <Result>(device: BoardDevice, run: (session: BoardSession) => Promise<Result>) =>
  inSession(device, use, () => undefined, run);

const report: RunReport = {
  runId: 1,
  outcome: 'overload',
  ticksDone: 4,
  samplesTaken: 0,
  samplesLost: 0,
  overloadedCells: [2],
  overloadedCellCount: 1,
  overloadedRows: [],
  overloadedRowCount: 0,
};

describe('the programs of a session', () => {
  it('send couplings only when their array object differs from the loaded one', async () => {
    const device = await connect('emulator:ideal-8');
    try {
      await onBoard(device, async (session) => {
        const sent: number[] = [];
        const couplings = diagonal();
        for (const image of [program(couplings), program(couplings, 200), program(diagonal(), 200)]) {
          const before = session.cost.uploadBytes;
          await session.program(image);
          sent.push(session.cost.uploadBytes - before);
        }
        const [loaded, rewritten, reloaded] = sent;
        expect(loaded - rewritten).toBeGreaterThanOrEqual(2 * CELLS * CELLS);
        // A rewrite sends drive and initial state, each with 2 bytes a cell, and the other fields of a few
        // commands.
        expect(rewritten).toBeLessThan(4 * CELLS + 64);
        expect(reloaded).toBe(loaded);
      });
    } finally {
      await device.close();
    }
  });

  it('are loaded completely after a load that failed, because the content of the board is unknown', async () => {
    const board = solverBoard('ideal-8');
    await onBoard(board, async (session) => {
      const couplings = diagonal();
      await session.program(program(couplings));
      const rewrite = board.rewriteProgram;
      board.rewriteProgram = async () => {
        throw new ThermolinkError('BUSY', 'The board is busy.', { hint: 'Wait.' });
      };
      await expect(session.program(program(couplings))).rejects.toMatchObject({ code: 'BUSY' });
      board.rewriteProgram = rewrite;
      await session.program(program(couplings));
      await session.program(program(couplings));
    });
    expect(board.programs.map(({ isRewrite }) => isRewrite)).toEqual([false, false, true]);
  });

  it('are loaded completely by the next session, which does not know the content of the board', async () => {
    const board = solverBoard('ideal-8');
    const couplings = diagonal();
    for (let count = 0; count < 2; count++)
      await onBoard(board, (session) => session.program(program(couplings)));
    expect(board.programs.map(({ isRewrite }) => isRewrite)).toEqual([false, false]);
  });
});

describe('the board runs of a session', () => {
  it('get their noise from address and attempt; a run that continues keeps the noise and the tick', async () => {
    const board = solverBoard('ideal-8');
    const other = { ...address, block: 6 };
    const cost = await onBoard(board, async (session) => {
      await session.program(program());
      await session.acquire(ONE_READING);
      await session.acquire({ ...ONE_READING, continues: true });
      await session.acquire(ONE_READING);
      session.readdress(other);
      await session.acquire(ONE_READING);
      return session.cost;
    });
    expect(board.runs.map(({ runSeed, firstTick, keepState }) => [runSeed, firstTick, keepState])).toEqual([
      [runSeedOf(address, 0), 0, false],
      [runSeedOf(address, 0), 10, true],
      [runSeedOf(address, 1), 0, false],
      [runSeedOf(other, 0), 0, false],
    ]);
    expect(cost.ticks).toBe(40);
    expect(cost.overloadRetries).toBe(0);
  });

  it('answer with an overload instead of an error', async () => {
    const board = solverBoard('ideal-8');
    await onBoard(board, async (session) => {
      await session.program(program(diagonal(), 32767));
      const readings = await session.acquire({ ...ONE_READING, burnInTicks: 1000 });
      expect(readings.overloaded).toBe(true);
      expect(readings.report.overloadedCellCount).toBeGreaterThan(0);
      expect(session.cost.overloadRetries).toBe(1);
    });
  });
});

describe('ranged', () => {
  const range = {
    firstScale: 3,
    attemptsMax: 4,
    giveUp: (lastScale: number, overload: RunReport | undefined) =>
      new ThermolinkError('OVERLOAD', 'No scale.', { hint: 'None.', data: { lastScale, overload } }),
  };

  /** The scales that were tried, and the answer or error at the end. */
  async function tried(outcomes: readonly Attempt<string>[]) {
    const scales: [number, number][] = [];
    const answer = await ranged(range, async (scale, scaleMin) => {
      scales.push([scale, scaleMin]);
      return outcomes[scales.length - 1];
    }).catch((error: unknown) => error);
    return { scales, answer };
  }

  it('answers with the first answer', async () => {
    expect(await tried([{ answer: 'yes' }])).toEqual({ scales: [[3, 0]], answer: 'yes' });
  });

  it('doubles the scale after an overload, and otherwise takes the requested scale', async () => {
    expect(
      await tried([{ overload: report }, { retryAt: 24 }, { overload: report }, { answer: 'yes' }]),
    ).toEqual({
      scales: [
        [3, 0],
        [6, 6],
        [24, 6],
        [48, 48],
      ],
      answer: 'yes',
    });
  });

  it('gives up after the allowed number of attempts, with the last scale and overload', async () => {
    const { scales, answer } = await tried(Array(4).fill({ overload: report }));
    expect(scales.map(([scale]) => scale)).toEqual([3, 6, 12, 24]);
    expect(answer).toMatchObject({ code: 'OVERLOAD', data: { lastScale: 24, overload: report } });
  });

  it('gives up without an overload if the attempts only ask for other scales', async () => {
    const { answer } = await tried(Array(4).fill({ retryAt: 1 }));
    expect(answer).toMatchObject({ code: 'OVERLOAD', data: { lastScale: 1, overload: undefined } });
  });
});

describe('uses of one device', () => {
  /** Uses that record their check, begin and end. Each lasts until its `proceed` is called. */
  function uses(board: SolverBoard) {
    const events: string[] = [];
    return {
      events,
      start: (name: string, signal?: AbortSignal) => {
        let proceed: () => void = () => undefined;
        const gate = new Promise<void>((resolve) => {
          proceed = resolve;
        });
        const ended = inSession(
          board,
          { address, signal },
          () => events.push(`check ${name}`),
          async () => {
            events.push(`begin ${name}`);
            await gate;
            events.push(`end ${name}`);
          },
        );
        return { proceed, ended };
      },
    };
  }

  it('are checked at once, and get the board one after the other in the order of the calls', async () => {
    const { events, start } = uses(solverBoard('ideal-8'));
    const [a, b, c] = ['a', 'b', 'c'].map((name) => start(name));
    for (const { proceed } of [c, b, a]) proceed();
    await Promise.all([a.ended, b.ended, c.ended]);
    expect(events).toEqual([
      ...['check a', 'check b', 'check c'],
      ...['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c'],
    ]);
  });

  it('a use that gives up waiting does not change the order of the others', async () => {
    const { events, start } = uses(solverBoard('ideal-8'));
    const controller = new AbortController();
    const a = start('a');
    const b = start('b', controller.signal);
    const c = start('c');
    controller.abort();
    await expect(b.ended).rejects.toMatchObject({ code: 'ABORTED' });
    c.proceed();
    a.proceed();
    await Promise.all([a.ended, c.ended]);
    expect(events.slice(3)).toEqual(['begin a', 'end a', 'begin c', 'end c']);
  });

  it('a use whose check fails changes nothing', async () => {
    const board = solverBoard('ideal-8');
    const check = () => {
      throw new ThermolinkError('BAD_MATRIX', 'It is bad.', { hint: 'Give another.' });
    };
    await expect(inSession(board, use, check, async () => undefined)).rejects.toMatchObject({
      code: 'BAD_MATRIX',
    });
    expect([board.programs.length, board.runs.length]).toEqual([0, 0]);
  });
});
