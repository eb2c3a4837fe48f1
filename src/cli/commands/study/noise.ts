import { formatNumber } from '../../../number-text.js';
import { lineChart } from '../../../plot/line-chart.js';
import { type DigitsRun, digitsRuns, digitsSizes, PAPER_BATCH } from './digits.js';
import { DIGITS_SETTINGS } from './settling.js';
import { curvesOf, groupsOf, meanAt, spreadOver } from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type { Claim, PlannedRun, Scale, TableRun, TableStudy } from './table/table-study.js';

/** Noise in the units of the problem, as in the paper, and in units of the board. */
const PROBLEM = 'problem units';
const BOARD = 'board units';
const NETWORK = { channels: 4, testOn: 'test', batch: PAPER_BATCH } as const;

function runsOf({ quick, seeds }: Scale): PlannedRun[] {
  const ideal = quick ? [0, 1e-3, 1e-2, 0.1] : [0, 1e-4, 1e-3, 1e-2, 0.1];
  const board = quick ? [0, 1e-4, 1e-2] : [0, 1e-6, 1e-4, 1e-2];
  return seeds.flatMap((seed) => [
    ...ideal.map((kappa) => ({ part: PROBLEM, settings: { κ: kappa }, seed, cost: 4 })),
    ...board.map((kappa) => ({ part: BOARD, settings: { κ: kappa }, seed, cost: 1 })),
  ]);
}

function runOf({ part, settings, seed }: PlannedRun, _done: readonly TableRun[], quick: boolean): DigitsRun {
  return {
    ...{ ...NETWORK, ...digitsSizes(quick), epochs: 1, seed, optimizer: 'tngd' },
    options: { ...DIGITS_SETTINGS.tuned, time: 1, initial: 'keep' },
    solver: { by: part === PROBLEM ? 'process' : 'board', noiseTemperature: Number(settings['κ']) },
  };
}

/** The largest κ whose losses overlap those without noise; undefined if there is no such κ. */
function largestHarmless(runs: readonly TableRun[], part: string): number | undefined {
  const [without, ...others] = groupsOf(runs, part);
  const base = spreadOver(without, 'trainLoss');
  if (base === undefined) return undefined;
  return others.findLast((group) => {
    const spread = spreadOver(group, 'trainLoss');
    return spread !== undefined && spread.min <= base.max && spread.mean <= 1.05 * base.mean;
  })?.settings['κ'] as number | undefined;
}

function claimsOf(runs: readonly TableRun[]): Claim[] {
  const shown = (part: string): string =>
    groupsOf(runs, part)
      .map(
        (group) =>
          `κ ${group.settings['κ']}: ${formatNumber(spreadOver(group, 'trainLoss')?.mean ?? Number.POSITIVE_INFINITY, 3)}`,
      )
      .join(', ');
  const harmless = largestHarmless(runs, PROBLEM);
  const onBoard = largestHarmless(runs, BOARD);
  const hasTen = !Number.isNaN(meanAt(runs, PROBLEM, { κ: 1e-3 }, 'trainLoss'));
  return [
    {
      claim: 'Noise with κ below 0.01 has no visible effect.',
      paper: 'at t = τ, κ = 0.1, 0.01, 0.001: below 0.01 no visible effect (arXiv 2405.13817)',
      ours: `Loss in nat, ${shown(PROBLEM)}.`,
      how: 'measured with the exact stochastic process in float64, noise in the units of the problem',
      verdict: hasTen ? ((harmless ?? 0) >= 1e-3 ? 'holds' : 'does not hold') : 'not shown',
    },
    {
      claim: 'A board may have noise of κ = 10⁻⁴ V_fs² and trains as well.',
      paper: '–',
      ours: `Loss in nat, ${shown(BOARD)}.`,
      how: 'measured on an emulated board; a real board of 1 nF at 300 K has 4·10⁻¹² V_fs² at 1 V',
      verdict: onBoard === undefined ? 'not shown' : onBoard >= 1e-4 ? 'holds' : 'does not hold',
    },
  ];
}

const column = {
  figure: 'trainLoss',
  title: 'training loss',
  format: (value: number) => formatNumber(value, 4),
};
const testColumn = {
  figure: 'testError',
  title: 'test error',
  format: (value: number) => `${formatNumber(100 * value, 3)} %`,
};

export const NOISE: TableStudy = {
  name: 'noise',
  title: 'Noise: its effect on training',
  about: [
    'A classifier of digits is trained at t = τ with noise of several temperatures κ: in the units of the problem, as the paper has it, and in those of a board, V_fs².',
  ],
  settingsFrom:
    'Rate 0.7 falling to 0, damping 0.3, clip 0.5, state kept, batch 64, 5,120 digits, one epoch; chosen on test data of seed 0 with a larger network.',
  modelled: 'Losses are measured: with the exact stochastic process in float64, and on an emulated board.',
  device: 'emulator:ideal-crossbar',
  parts: [
    { name: PROBLEM, title: 'κ in the units of the problem', columns: [column, testColumn] },
    { name: BOARD, title: 'κ in V_fs²', columns: [column, testColumn] },
  ],
  runs: runsOf,
  ...digitsRuns(NETWORK.channels, runOf),
  charts: (runs) => [
    lineChart({
      title: 'Training loss over the noise temperature',
      subtitle: 'dashed: without noise; strong: mean over the seeds; pale: each seed',
      x: { label: 'κ', scale: 'log' },
      y: { label: 'loss, nat', scale: 'log' },
      series: [PROBLEM, BOARD].flatMap((part) => {
        const kappas = runs.map((run) => Number(run.settings['κ'])).filter((kappa) => kappa > 0);
        const without = meanAt(runs, part, { κ: 0 }, 'trainLoss');
        return [
          ...curvesOf(runs, { part, x: 'κ', y: 'trainLoss', nameOf: () => part }),
          {
            ...{ name: `${part}, no noise`, dashed: true },
            points: [Math.min(...kappas), Math.max(...kappas)].map((kappa) => [kappa, without] as const),
          },
        ];
      }),
      plotHeightPx: 280,
    }),
  ],
  claims: claimsOf,
};

export const command = tableCommand(NOISE);
