import type { StepFacts, TrainingFacts } from '../../../learning/record.js';
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../../../number-text.js';
import { formatTable } from '../../output/table.js';
import { percentile } from '../../statistics.js';
import { type EnergyTraining, hostSecondsOf } from '../train/energy-figure.js';
import type { FigureTraining } from '../train/training-figure.js';
import { CHAIN_METHODS, CHAIN_STEPS } from './demo-trainings.js';

type MethodName = (typeof CHAIN_METHODS)[number];

const MEANINGS: Readonly<Record<MethodName, string>> = {
  tngd: 'natural gradient from the emulated board',
  ngd: 'natural gradient, solved exactly on the host',
  control: 'SGD with momentum and clip, no curvature',
  adam: 'Adam at a tuned rate',
  'no-board': 'tngd without its board: only the host computes',
};

/** The test accuracies of one optimizer with seeds 0 to 4 lie at most this far from their mean. */
const SEED_SPREAD = 0.002;

/** Both parts in one table, and the conclusions from them. */
export function comparisonText(chain: readonly EnergyTraining[], digits: readonly FigureTraining[]): string {
  const rows = CHAIN_METHODS.map((name) => {
    const ofChain = chain.find((training) => training.name === name)!;
    const ofDigits = digits.find((training) => training.name === name);
    return [
      name,
      errorOf(ofChain).toExponential(1),
      perStep(ofChain),
      ofDigits === undefined ? '–' : formatPercent(ofDigits.summary.testAccuracy, 2),
      ofDigits === undefined ? '–' : perStep(ofDigits),
      MEANINGS[name],
    ];
  });
  const header = ['', 'chain: error', 'a step', 'digits: right', 'a step', ''];
  const align = ['left', 'right', 'right', 'right', 'right', 'left'] as const;
  return `${formatTable(rows, { header, align })}
  Error: (E − E₀)/|E₀| of the energy after ${formatCount(CHAIN_STEPS)} steps. A step is its median host time; an emulated board computes in it.
  A real board: ${boardText(chain[0].summary)} a step of the chain, ${boardText(digits[0].summary)} of the digits (modelled: ticks × h × τ).

  ${chainVerdict(chain)}
  ${digitsVerdict(accuraciesOf(digits))}
`;
}

const errorOf = ({ summary }: EnergyTraining): number => summary['energyError'];

/**
 * Median over the steps of the host time of one step, in s; NaN if there are no steps. A median leaves out
 * the first steps, in which the host compiles. The first training compiles most for all trainings. The time
 * of testing the parameters is not part of a step.
 */
export function medianStepSeconds(records: readonly Pick<StepFacts, 'timing'>[]): number {
  return percentile(records.map(hostSecondsOf), 0.5);
}

function perStep({ records }: { readonly records: readonly StepFacts[] }): string {
  return formatSeconds(medianStepSeconds(records));
}

function boardText({ boardSeconds, iterations, uploadBytesPerStep }: TrainingFacts): string {
  return `${formatSeconds(boardSeconds / iterations)} and ${formatBytes(uploadBytesPerStep)} up`;
}

/** The lead of the board on the chain over Adam and over the control. */
function chainVerdict(trainings: readonly EnergyTraining[]): string {
  const error = (name: MethodName): number => errorOf(trainings.find((training) => training.name === name)!);
  const times = (name: MethodName): string => formatNumber(error(name) / error('tngd'), 2);
  const board = error('tngd');
  const lead =
    board < error('adam') && board < error('control')
      ? `Quantum chain: the board ends ${times('adam')} times nearer to the ground state than tuned Adam, ${times('control')} times nearer than the control.`
      : 'Quantum chain: the board does not beat tuned Adam and the control here.';
  const curvature =
    error('no-board') > 2 * board
      ? `The curvature makes the difference: without the board the same steps end at ${error('no-board').toExponential(1)}.`
      : 'The same steps without the board do as well, so the curvature makes no difference here.';
  const digital =
    error('ngd') <= board
      ? `Solved exactly on the host, natural gradient ends ${formatNumber(board / error('ngd'), 2)} times nearer still: at this size no board is needed.`
      : `Solved exactly on the host, natural gradient ends at ${error('ngd').toExponential(1)}.`;
  return `${lead}\n  ${curvature}\n  ${digital}`;
}

/**
 * Says who is ahead on the digits. A lead that is smaller than the spread over seeds is called a tie. The
 * accuracies are shares of 1.
 */
export function digitsVerdict(accuracy: Readonly<Record<'tngd' | 'control' | 'adam', number>>): string {
  const ofControl = leadText('The control, which has no curvature,', accuracy.control - accuracy.tngd);
  const ofAdam = leadText('Tuned Adam', accuracy.adam - accuracy.tngd);
  const firstOrder = Math.max(accuracy.control, accuracy.adam);
  const conclusion =
    accuracy.tngd - firstOrder < SEED_SPREAD
      ? 'here the board is shown to work, not to win'
      : 'the board ends ahead of both';
  return `Digits: ${ofControl}
  ${ofAdam} Seeds differ by ${points(SEED_SPREAD)}: ${conclusion}.`;
}

/** `lead` is the accuracy of `name` minus that of the board. */
function leadText(name: string, lead: number): string {
  if (Math.abs(lead) < SEED_SPREAD) return `${name} is as good as the board.`;
  return `${name} is ${points(lead)} ${lead > 0 ? 'ahead of' : 'behind'} the board.`;
}

function accuraciesOf(trainings: readonly FigureTraining[]) {
  const accuracy = (name: string): number =>
    trainings.find((training) => training.name === name)!.summary.testAccuracy;
  return { tngd: accuracy('tngd'), control: accuracy('control'), adam: accuracy('adam') };
}

function points(accuracy: number): string {
  return `${Math.abs(100 * accuracy).toFixed(1)} points`;
}
