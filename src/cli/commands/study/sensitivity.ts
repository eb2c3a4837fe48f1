import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import { PINN_DEFAULTS } from '../../../learning/pinn/pinn-defaults.js';
import { poissonPinn } from '../../../learning/pinn/pinn-problem.js';
import { ENERGY_DEFAULTS } from '../../../learning/quantum/energy-defaults.js';
import { isingChain } from '../../../learning/quantum/variational-energy.js';
import { formatNumber } from '../../../number-text.js';
import { barChart } from '../../../plot/bar-chart.js';
import { type BoardVariant, boardWith } from './boards.js';
import { runProblemOnce } from './problem-run.js';
import { groupsOf, spreadOver } from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type { Claim, Lab, PlannedRun, Scale, TableRun, TableStudy } from './table/table-study.js';

/** Room for the problems below; the emulator computes only what a program uses. */
const SHAPE = { cells: 512, rows: 1024, dense: false, tickLog2: 5 } as const;
const BASE: BoardVariant & { couplingBits: number } = { couplingBits: 8, adcBits: 12 };

/** One thing that differs from the base. */
interface Variation {
  readonly what: string;
  readonly value: string;
  readonly board?: BoardVariant;
  /** κ in V_fs². */
  readonly kappa?: number;
  /** Factor on the ticks of the base. */
  readonly ticks?: number;
}

const VARIATIONS: readonly Variation[] = [
  { what: 'base', value: '8 bits, ADC 12' },
  ...[4, 6, 12, 16].map((bits) => ({
    ...{ what: 'coupling bits', value: String(bits), board: { couplingBits: bits } },
  })),
  ...[8, 10, 16].map((bits) => ({ what: 'ADC bits', value: String(bits), board: { adcBits: bits } })),
  ...[8, 10].map((bits) => ({ what: 'drive bits', value: String(bits), board: { driveBits: bits } })),
  ...[0.5, 2, 5, 10].map((percent) => ({
    ...{ what: 'mismatch', value: `${percent} %`, board: { mismatch: percent / 100 } },
  })),
  ...[1e-6, 1e-4].map((kappa) => ({ what: 'κ in V_fs²', value: String(kappa), kappa })),
  ...[0.1, 1].map((percent) => ({
    ...{ what: 'offset', value: `${percent} %`, board: { offset: percent / 100 } },
  })),
  ...[1 / 8, 1 / 4, 4].map((ticks) => ({ what: 'ticks', value: `× ${formatNumber(ticks)}`, ticks })),
];

const QUICK: readonly string[] = ['base', '4', '6', '8', '2 %', '5 %', '0.1 %', '0.000001'];

/** Without earlier steps as directions, so that the effect of the board's answers is seen alone. */
const { recycle: _, ...LM } = PINN_DEFAULTS.poisson.optimizers.lm;

/** The problems, in sizes that train in seconds. */
const PROBLEMS = {
  ising: {
    title: 'Ising ring of 10 spins',
    make: (quick: boolean) => isingChain({ sites: quick ? 8 : 10, chains: 256 }),
    ...{
      measure: 'energyError',
      optimizer: 'tngd' as const,
      options: ENERGY_DEFAULTS.ising.tngd,
      ticks: 256,
    },
    steps: 80,
  },
  poisson: {
    title: 'Poisson equation in five dimensions, 24 hidden units',
    make: (quick: boolean) => poissonPinn({ dimensions: quick ? 2 : 5, hidden: [quick ? 8 : 24] }),
    ...{
      measure: 'relativeError',
      optimizer: 'lm' as const,
      options: LM,
      ticks: 512,
    },
    steps: 40,
  },
} as const;
type ProblemName = keyof typeof PROBLEMS;
const NAMES = Object.keys(PROBLEMS) as ProblemName[];

function runsOf({ quick, seeds }: Scale): PlannedRun[] {
  const variations = VARIATIONS.filter(
    ({ what, value }) => !quick || QUICK.includes(what) || QUICK.includes(value),
  );
  return seeds.flatMap((seed) =>
    NAMES.flatMap((part) =>
      variations.map(({ what, value, ticks = 1 }) => ({
        ...{ part, settings: { varied: what, value }, seed, cost: 1 + 2 * ticks },
      })),
    ),
  );
}

async function measure({ part, settings, seed }: PlannedRun, lab: Lab, { quick }: Scale) {
  const { make, ticks: baseTicks, steps, ...method } = PROBLEMS[part as ProblemName];
  const variation = VARIATIONS.find(
    ({ what, value }) => what === settings['varied'] && value === settings['value'],
  )!;
  const { kappa = 0, ticks = 1 } = variation;
  const board = { ...BASE, ...variation.board };
  const device = await lab.board({ profile: boardWith(SHAPE, board), die: seed });
  const solver = createAnalogSolver(device, {
    relaxCouplingBits: board.couplingBits,
    relaxNoiseTemperature: kappa,
  });
  const { figures } = await runProblemOnce({
    ...{ ...method, problem: make(quick), solver, seed, signal: lab.signal },
    options: { ...method.options, ticks: Math.round(baseTicks * ticks) },
    steps,
  });
  return { figures };
}

/** Deviations that are expected to do no harm: their descriptions, by the name of the variation. */
const TOLERATED: ReadonlyMap<string, string> = new Map([
  ['coupling bits 6', '6-bit couplings'],
  ['ADC bits 8', 'an ADC of 8 bits'],
  ['mismatch 2 %', 'a mismatch of 2 %'],
  ['offset 0.1 %', 'an offset of 0.1 %'],
  ['κ in V_fs² 0.000001', 'noise of κ = 10⁻⁶ V_fs²'],
]);

/** Variations whose range over the seeds lies above that of the base, with the factor on the mean error. */
function harmful(runs: readonly TableRun[], part: string) {
  const groups = groupsOf(runs, part);
  const base = spreadOver(groups.find(({ settings }) => settings['varied'] === 'base')!, 'error');
  return groups.flatMap((group) => {
    const spread = spreadOver(group, 'error');
    const name = `${group.settings['varied']} ${group.settings['value']}`;
    if (spread === undefined) return [{ name, factor: Number.POSITIVE_INFINITY }];
    return base !== undefined && spread.min > base.max ? [{ name, factor: spread.mean / base.mean }] : [];
  });
}

function claimsOf(runs: readonly TableRun[]): Claim[] {
  return NAMES.flatMap((part): Claim[] => {
    const groups = groupsOf(runs, part);
    if (groups.length === 0) return [];
    const bad = harmful(runs, part);
    const names = bad.map(({ name, factor }) =>
      Number.isFinite(factor) ? `${name} (× ${formatNumber(factor, 2)})` : `${name} (fails)`,
    );
    const ran = new Set(groups.map(({ settings }) => `${settings['varied']} ${settings['value']}`));
    const expected = [...TOLERATED].filter(([name]) => ran.has(name));
    const found = bad.filter(({ name }) => TOLERATED.has(name));
    return [
      {
        claim: `${PROBLEMS[part].title}: training tolerates ${expected.map(([, words]) => words).join(', ')}, each alone.`,
        paper: '–',
        ours:
          names.length === 0
            ? 'No variation is worse than the base on every seed.'
            : `Worse than the base on every seed: ${names.join(', ')}.`,
        how: 'final error over the seeds, measured on emulated boards whose imperfections are drawn; one thing varied at a time',
        verdict:
          found.length === 0 ? 'holds' : found.length < expected.length ? 'holds in part' : 'does not hold',
      },
    ];
  });
}

export const SENSITIVITY: TableStudy = {
  name: 'sensitivity',
  title: 'Sensitivity: the effect of imperfections on training',
  about: [
    'Small forms of the problems of the studies quantum and pinn, trained on boards that differ from a base in one thing: bits, mismatch, noise, offset, ticks.',
    'The base has couplings of 8 bits, an ADC of 12, no imperfection, and 256 ticks a step (Ising) or 2 × 512 (Poisson). Each seed is another training and another die.',
  ],
  settingsFrom: 'Settings of the optimizers were chosen on seed 0 of the full sizes.',
  modelled: 'Errors are measured on emulated boards whose imperfections are drawn. Nothing is modelled.',
  alone: 'Its runs open emulated boards of their own.',
  parts: NAMES.map((name) => ({
    ...{ name, title: PROBLEMS[name].title },
    columns: [
      { figure: 'error', title: 'error', format: (value: number) => value.toExponential(1) },
      { figure: 'ticks', title: 'ticks a step', format: (value: number) => formatNumber(value) },
    ],
  })),
  runs: runsOf,
  measure,
  charts: (runs) =>
    NAMES.map((part) =>
      barChart({
        title: `${PROBLEMS[part].title}: error, in units of the base`,
        subtitle: 'geometric mean over the seeds',
        x: { label: 'error over that of the base' },
        bars: (() => {
          const groups = groupsOf(runs, part);
          const base = spreadOver(
            groups.find(({ settings }) => settings['varied'] === 'base') ?? groups[0],
            'error',
          );
          return groups.map((group) => ({
            name: `${group.settings['varied']} ${group.settings['value']}`,
            segments: [{ name: 'error', value: (spreadOver(group, 'error')?.mean ?? 0) / (base?.mean ?? 1) }],
          }));
        })(),
      }),
    ),
  claims: claimsOf,
};

export const command = tableCommand(SENSITIVITY);
