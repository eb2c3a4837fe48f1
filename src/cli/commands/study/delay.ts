import { formatNumber } from '../../../number-text.js';
import { barChart } from '../../../plot/bar-chart.js';
import { type DigitsRun, digitsRuns, digitsSizes, PAPER_BATCH } from './digits.js';
import { DIGITS_SETTINGS } from './settling.js';
import { groupsOf, meanAt, numberOrDash, spreadOver } from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type { Claim, PlannedRun, Scale, TableRun, TableStudy } from './table/table-study.js';

const PART = 'training';
const TIME = 5;
const NETWORK = { channels: 4, testOn: 'test', batch: PAPER_BATCH } as const;
/** The methods, with the names that a reader sees. */
const METHODS = {
  'reset state': { initial: 'gradient', delay: 0 },
  'kept state, t_d 0': { initial: 'keep', delay: 0 },
  'kept state, t_d 0.2 τ': { initial: 'keep', delay: 0.2 },
  'kept state, t_d 1 τ': { initial: 'keep', delay: 1 },
} as const;
/** The control without curvature: only the kept state remains, which is momentum. */
const CONTROL = 'momentum, no curvature';
const EXACT = 'exact natural gradient';
const names = [...Object.keys(METHODS), CONTROL, EXACT];

type SettingName = keyof typeof DIGITS_SETTINGS;

function runsOf({ seeds }: Scale): PlannedRun[] {
  const all: readonly SettingName[] = ['paper', 'tuned'];
  return seeds.flatMap((seed) =>
    all.flatMap((settings) =>
      names.map((method) => ({
        ...{ part: PART, settings: { settings, method }, seed, cost: method in METHODS ? 4 : 1 },
      })),
    ),
  );
}

function runOf({ settings, seed }: PlannedRun, _done: readonly TableRun[], quick: boolean): DigitsRun {
  const method = String(settings['method']);
  const { rate, finalRate, damping, clip } = DIGITS_SETTINGS[settings['settings'] as SettingName];
  const sizes = { ...NETWORK, ...digitsSizes(quick), epochs: 1, seed };
  if (method === EXACT) return { ...sizes, optimizer: 'ngd', options: { rate, finalRate, damping, clip } };
  if (method === CONTROL) {
    // In directions without curvature the kept state is x ← e^(−λt) x + (1 − e^(−λt)) g/λ.
    const kept = Math.exp(-damping * TIME);
    const options = { rate: (rate * (1 - kept)) / damping, finalRate, momentum: kept, clip };
    return { ...sizes, optimizer: 'sgd', options };
  }
  const options = { rate, finalRate, damping, clip, time: TIME, ...METHODS[method as keyof typeof METHODS] };
  return { ...sizes, optimizer: 'tngd', options, solver: { by: 'board' } };
}

function claimsOf(runs: readonly TableRun[]): Claim[] {
  const all = [...new Set(runs.map((run) => run.settings['settings'] as SettingName))];
  return all.flatMap((settings) => claimsOfSettings(runs, settings));
}

function claimsOfSettings(runs: readonly TableRun[], settings: SettingName): Claim[] {
  const loss = (method: string): number => meanAt(runs, PART, { settings, method }, 'trainLoss');
  const [reset, kept, short, long] = Object.keys(METHODS).map(loss);
  const [control, exact] = [loss(CONTROL), loss(EXACT)];
  const gain = reset / kept;
  const delayGain = kept / Math.min(short, long);
  const text = (value: number): string => formatNumber(value, 3);
  const factor = (value: number): string => formatNumber(value, 3);
  const momentum = Math.exp(-DIGITS_SETTINGS[settings].damping * TIME);
  return [
    {
      claim: `A delay lowers the loss (${settings} settings).`,
      paper: 'at t = 5 τ, t_d = 0.2 and 1 τ “help” and can beat exact NGD (arXiv 2405.13817)',
      ours: `Reset state ${text(reset)} nat; kept state with t_d = 0, 0.2, 1 τ: ${text(kept)}, ${text(short)}, ${text(long)}; exact ${text(exact)}. To keep the state changes the loss by a factor ${factor(1 / gain)}, the delay beyond that by ${factor(1 / delayGain)}.`,
      how: 'training loss after one epoch, measured on an emulated board',
      verdict: delayGain > 1.05 ? 'holds' : gain > 1.05 ? 'holds in part' : 'does not hold',
    },
    {
      claim: `The gain of a kept state needs the curvature (${settings} settings).`,
      paper: '–',
      ours: `Momentum e^(−λt) = ${formatNumber(momentum, 3)} without any curvature ends at ${text(control)} nat, the kept state at ${text(kept)}.`,
      how: 'the control takes the steps that the kept state takes where there is no curvature',
      verdict: control <= kept * 1.02 ? 'a digital method wins' : 'holds',
    },
  ];
}

export const DELAY: TableStudy = {
  name: 'delay',
  title: 'Delay: the gain if the board runs on under the old problem',
  about: [
    `A classifier of digits is trained at t = ${TIME} τ: with a reset state, with a state that is kept from step to step, and with delays t_d in which the board goes on under the old problem.`,
    'The control has momentum and no curvature at all: it takes the steps that a kept state takes in directions without curvature.',
  ],
  settingsFrom:
    '“Paper”: rate 0.01, damping 0.01, batch 64 (arXiv 2405.13817), 5,120 digits. “Tuned”: rate 0.7 falling to 0, damping 0.3, clip 0.5, chosen on test data of seed 0 with a larger network. One epoch. The rate of the control follows from them.',
  modelled: 'Losses are measured on an emulated board.',
  device: 'emulator:ideal-crossbar',
  parts: [
    {
      name: PART,
      title: 'Trainings of one epoch',
      columns: [
        { figure: 'trainLoss', title: 'training loss', format: (value) => formatNumber(value, 4) },
        { figure: 'testError', title: 'test error', format: (value) => `${formatNumber(100 * value, 3)} %` },
        { figure: 'ticks', title: 'ticks a step', format: numberOrDash },
      ],
    },
  ],
  runs: runsOf,
  ...digitsRuns(NETWORK.channels, runOf),
  charts: (runs) => [
    barChart({
      title: 'Training loss after one epoch',
      subtitle: 'geometric mean over the seeds',
      x: { label: 'nat' },
      bars: groupsOf(runs, PART).map((group) => ({
        name: `${group.settings['settings']}: ${group.settings['method']}`,
        segments: [{ name: 'loss', value: spreadOver(group, 'trainLoss')?.mean ?? 0 }],
      })),
    }),
  ],
  claims: claimsOf,
};

export const command = tableCommand(DELAY);
