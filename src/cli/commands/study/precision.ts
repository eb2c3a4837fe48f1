import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import { drawSamples } from '../../../algorithms/sample.js';
import type { BoardCalibration } from '../../../board/calibration.js';
import type { Device } from '../../../driver/device.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { norm2, subtract, transposed } from '../../../linalg/products.js';
import { calibrate } from '../../../measure/calibrate.js';
import { formatNumber, formatSeconds } from '../../../number-text.js';
import { lineChart } from '../../../plot/line-chart.js';
import { type BoardVariant, boardWith } from './boards.js';
import { covarianceErrorOf, exactSolution, factorOf, randomSystem } from './linear-algebra.js';
import { curvesOf, groupsOf, meanAt, spreadOver } from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type { Claim, Lab, Measured, PlannedRun, Scale, TableRun, TableStudy } from './table/table-study.js';

const CELLS = 8;
const CONDITION = 10;
const SHAPE = { cells: CELLS, rows: CELLS, dense: true, tickLog2: 4 } as const;
const TOLERANCE = 1e-3;
/** Ticks before a reading. With a step of 1.9/λ_max and condition 10, e⁻⁷⁶ of the initial state is left. */
const READING_TICKS = 400;
const DRAWS = 4000;
/** Number of samples of each cell in a calibration. */
const CALIBRATION_SAMPLES = 20_000;

const READING = 'reading';
const MISMATCH = 'mismatch';

function runsOf({ quick, seeds }: Scale): PlannedRun[] {
  const couplings = quick ? [4, 8, 12] : [4, 6, 8, 10, 12, 16];
  const converters = quick ? [8, 12, 16] : [8, 10, 12, 14, 16];
  const mismatches = quick ? [0.003, 0.01, 0.1] : [0.001, 0.003, 0.01, 0.03, 0.1];
  return seeds.flatMap((seed) => [
    ...couplings.map((bits) => ({ part: READING, settings: { varied: 'couplings', bits }, seed })),
    ...converters.map((bits) => ({ part: READING, settings: { varied: 'converters', bits }, seed })),
    ...mismatches.flatMap((mismatch) =>
      ['no', 'yes'].map((calibrated) => ({
        ...{ part: MISMATCH, settings: { 'mismatch %': formatNumber(100 * mismatch, 1), calibrated }, seed },
        cost: calibrated === 'yes' ? 30 : 10,
      })),
    ),
  ]);
}

async function measure({ part, settings, seed }: PlannedRun, lab: Lab): Promise<Measured> {
  const { a, b } = randomSystem(CELLS, CONDITION, seed);
  if (part === READING) {
    const bits = Number(settings['bits']);
    const variant: BoardVariant =
      settings['varied'] === 'couplings' ? { couplingBits: bits } : { adcBits: bits, driveBits: bits };
    const device = await lab.board({ profile: boardWith(SHAPE, variant), die: seed });
    return { figures: { error: await readingError(device, a, b, seed, lab.signal) } };
  }
  const mismatch = Number(settings['mismatch %']) / 100;
  const device = await lab.board({ profile: boardWith(SHAPE, { mismatch }), die: seed });
  const { signal } = lab;
  const calibration =
    settings['calibrated'] === 'yes'
      ? (await calibrate(device, { seed, samples: CALIBRATION_SAMPLES, signal })).calibration
      : undefined;
  return withMismatch(device, calibration, { a, b, seed, signal });
}

/**
 * The relative error of one reading without noise, long after the start. Rounding, converters and
 * imperfections cause it, because nothing corrects the reading. A = KᵀK lies in the crossbar.
 */
async function readingError(
  device: Device,
  a: Matrix,
  b: Float64Array,
  seed: number,
  signal: AbortSignal,
): Promise<number> {
  const solver = createAnalogSolver(device, { relaxCouplingBits: device.identity.couplingBits });
  const request = { factor: transposed(factorOf(a)), address: { seed, step: 0, block: 0 }, signal };
  const { x } = await solver.truncated(request, (loaded) =>
    loaded.run({ drive: b, damping: 0, ticks: READING_TICKS, scale: 0 }),
  );
  const exact = exactSolution(a, b);
  return norm2(subtract(x, exact)) / norm2(exact);
}

interface System {
  readonly a: Matrix;
  readonly b: Float64Array;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** The effect of a mismatch on a reading, a covariance and a refined solve. */
async function withMismatch(
  device: Device,
  calibration: BoardCalibration | undefined,
  { a, b, seed, signal }: System,
): Promise<Measured> {
  const address = { seed, step: 0, block: 0 };
  const system = { kind: 'dense', matrix: a } as const;
  const { draws } = await drawSamples(device, {
    ...{ precision: system, count: DRAWS, address, signal },
    ...(calibration === undefined ? {} : { calibration }),
  });
  const solver = createAnalogSolver(device, calibration === undefined ? {} : { calibration });
  const { x, passes, cost } = await solver.solve({
    ...{ system, drive: b, tolerance: TOLERANCE, address, signal },
  });
  const exact = exactSolution(a, b);
  return {
    figures: {
      // A calibration does not apply to a single reading.
      ...(calibration === undefined ? { reading: await readingError(device, a, b, seed, signal) } : {}),
      covariance: covarianceErrorOf(draws, a),
      refined: norm2(subtract(x, exact)) / norm2(exact),
      ...{ passes, boardSeconds: cost.boardSeconds },
    },
  };
}

function claimsOf(runs: readonly TableRun[]): Claim[] {
  const atBits = (varied: string, bits: number): number => meanAt(runs, READING, { varied, bits }, 'error');
  const groups = groupsOf(runs, MISMATCH);
  const of = (calibrated: string, figure: string) =>
    groups
      .filter(({ settings }) => settings['calibrated'] === calibrated)
      .map((group) => ({
        mismatch: String(group.settings['mismatch %']),
        value: spreadOver(group, figure)?.mean ?? Number.NaN,
        max: spreadOver(group, figure)?.max ?? Number.POSITIVE_INFINITY,
      }));
  const refined = ['no', 'yes'].flatMap((calibrated) => of(calibrated, 'refined'));
  const plain = of('no', 'covariance');
  const calibrated = of('yes', 'covariance');
  const readings = of('no', 'reading');
  const sampling = Math.sqrt((CELLS + 1) / DRAWS);
  const listed = (values: readonly { mismatch: string; value: number }[]): string =>
    values.map(({ mismatch, value }) => `${mismatch} %: ${percent(value)}`).join(', ');
  const gains = plain.filter(({ value }, index) => value > calibrated[index].value && value > 1.5 * sampling);
  const needing = plain.filter(({ value }) => value > 1.5 * sampling);
  return [
    {
      claim: 'A reading is as good as its couplings and converters.',
      paper: '– (arXiv 2405.13817 and 2308.05660 study neither)',
      ours: `Error of one reading with couplings of 8 bits ${percent(atBits('couplings', 8))}, of 4 bits ${percent(atBits('couplings', 4))}; with converters of 8 bits ${percent(atBits('converters', 8))}.`,
      how: `measured on an emulated board of ${CELLS} cells, condition ${CONDITION}`,
      verdict: atBits('couplings', 4) > atBits('couplings', 8) ? 'holds' : 'does not hold',
    },
    {
      claim: 'Without refinement a mismatch goes into the answer in full.',
      paper: '–',
      ours: `Error of one reading at a mismatch of ${listed(readings)}.`,
      how: 'as above',
      verdict:
        readings.at(-1)!.value > Number(readings.at(-1)!.mismatch) / 100 / 3 ? 'holds' : 'holds in part',
    },
    {
      claim: `A refined solve meets its tolerance of ${TOLERANCE} at every mismatch, calibrated or not.`,
      paper: '–',
      ours: `The largest error is ${formatNumber(Math.max(...refined.map(({ max }) => max)), 2)}. Passes without calibration: ${of(
        'no',
        'passes',
      )
        .map(({ value }) => formatNumber(value, 2))
        .join(', ')}; with: ${of('yes', 'passes')
        .map(({ value }) => formatNumber(value, 2))
        .join(', ')}.`,
      how: 'as above; refinement forms residuals on the host',
      verdict: refined.every(({ max }) => max <= TOLERANCE) ? 'holds' : 'does not hold',
    },
    {
      claim: 'Draws from a distribution can’t be refined, so they need a calibration.',
      paper: '–',
      ours: `Error of the covariance of ${formatNumber(DRAWS)} draws: ${listed(plain)}; calibrated: ${listed(calibrated)}. The number of draws alone explains about ${percent(sampling)}.`,
      how: 'as above',
      verdict:
        needing.length === 0 ? 'not shown' : gains.length === needing.length ? 'holds' : 'holds in part',
    },
  ];
}

const percent = (value: number): string => `${formatNumber(100 * value, 2)} %`;

export const PRECISION: TableStudy = {
  name: 'precision',
  title: 'Precision: bits, mismatch, calibration and refinement',
  about: [
    'The effect of the bits of couplings and converters, and of a mismatch of the couplings, on one reading, on the covariance of draws and on a refined solve, with and without a calibration.',
    `Random systems of ${CELLS} unknowns, condition ${CONDITION}; each seed is another system and another die.`,
  ],
  settingsFrom: 'Nothing was tuned.',
  modelled:
    'Errors are measured on emulated boards whose imperfections are drawn. Board time is modelled, ticks × h × τ.',
  alone: 'Its runs open emulated boards of their own.',
  parts: [
    {
      name: READING,
      title: 'One reading, by bits',
      columns: [{ figure: 'error', title: 'error', format: percent }],
    },
    {
      name: MISMATCH,
      title: 'Mismatch of the couplings',
      columns: [
        { figure: 'reading', title: 'one reading', format: percent },
        { figure: 'covariance', title: 'covariance of draws', format: percent },
        { figure: 'refined', title: 'refined solve', format: percent },
        { figure: 'passes', title: 'passes', format: (value) => formatNumber(value, 2) },
        { figure: 'boardSeconds', title: 'board time of the solve', format: formatSeconds },
      ],
    },
  ],
  runs: runsOf,
  measure,
  charts: (runs) => [
    lineChart({
      title: 'Error of one reading over the bits',
      subtitle: 'the other of the two has 16 bits; strong: mean over the seeds; pale: each seed',
      x: { label: 'bits' },
      y: { label: 'relative error', scale: 'log' },
      series: curvesOf(runs, {
        ...{ part: READING, x: 'bits', y: 'error', nameOf: ({ varied }) => String(varied) },
      }),
    }),
    lineChart({
      title: 'Error over the mismatch of the couplings',
      subtitle: 'strong: mean over the seeds; pale: each seed',
      x: { label: 'mismatch, %', scale: 'log' },
      y: { label: 'relative error', scale: 'log' },
      series: (['reading', 'covariance', 'refined'] as const).flatMap((y) =>
        curvesOf(runs, {
          ...{ part: MISMATCH, x: 'mismatch %', y },
          nameOf: ({ calibrated }) => `${y}${calibrated === 'yes' ? ', calibrated' : ''}`,
        }),
      ),
      plotHeightPx: 280,
    }),
  ],
  claims: claimsOf,
};

export const command = tableCommand(PRECISION);
