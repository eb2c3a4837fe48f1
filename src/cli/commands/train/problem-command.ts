import { ThermolinkError } from '../../../errors.js';
import type { OptimizerOptions } from '../../../learning/optimizers/create.js';
import type { Figures, Problem } from '../../../learning/problem/contract.js';
import type { TrainingSummary } from '../../../learning/record.js';
import { defineCommand, type LoadedCommand } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { deviceOption, LOG, RECORD, RETRY } from '../../options/groups.js';
import { flag, longFlag, type OptionSpecs, type OptionValues, option } from '../../options/option.js';
import {
  choice,
  fractionBelowOne,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  u32,
} from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { drawCurves, OUTPUT_OPTIONS, storedPlanOf, withWayOn } from './output-options.js';
import { printAndDraw } from './print-and-draw.js';
import {
  type Method,
  type ProblemDefaults,
  type ProblemPlan,
  type ProblemView,
  runProblem,
} from './run-problem.js';
import { TRAINING_DEVICE } from './run-training.js';
import { storedText, trainingText } from './summary-text.js';

/** What a command line names in place of an optimizer. */
const PRESETS = ['control', 'no-board'] as const;

const METHOD_OPTIONS = {
  optimizer: option('--optimizer <name>', 'one of tngd, ngd, cg, sgd, adam (default: tngd)', {
    value: choice(['tngd', 'ngd', 'cg', 'sgd', 'adam']),
  }),
  preset: option(
    '--preset <name>',
    'control: sgd with momentum and the clip of tngd; no-board: tngd whose board returns what it is given',
    { value: choice(PRESETS) },
  ),
  seed: option('--seed <s>', 'of parameters, samples and noise, 0 to 2³² − 1', { value: u32, default: 0 }),
  rate: option('--rate <η>', 'learning rate at first', { value: positiveNumber }),
  finalRate: option('--final-rate <f>', 'share of it to which it falls linearly', {
    value: nonNegativeNumber,
  }),
  damping: option('--damping <λ>', 'added to the curvature', { value: nonNegativeNumber }),
  ticks: option('--ticks <n>', 'ticks of a board run', { value: positiveInteger() }),
  runs: option('--runs <k>', 'board runs of a step, which the host combines', { value: positiveInteger() }),
  products: option('--products <c>', 'conjugate directions of a step of cg', { value: positiveInteger() }),
  momentum: option('--momentum <μ>', 'of sgd, 0 ≤ μ < 1', { value: fractionBelowOne }),
  clip: option('--clip <c>', 'longest parameter step in the 2-norm', { value: positiveNumber }),
  testEvery: option('--test-every <k>', 'steps between two tests (default: a 20th of the steps)', {
    value: positiveInteger(),
  }),
  ...OUTPUT_OPTIONS,
  ...deviceOption(TRAINING_DEVICE),
  json: flag('--json', 'print the summary as JSON'),
  ...RETRY,
  ...RECORD,
  ...LOG,
};

type MethodOptions = OptionValues<typeof METHOD_OPTIONS>;

export interface ProblemCommandDefinition<
  S extends OptionSpecs,
  Measures extends Figures,
  P extends Problem<Measures, Figures>,
> extends ProblemView<Measures, P> {
  /** The options of the problem itself; those of the optimizer and of the files are added. */
  readonly options: S;
  readonly example: string;
  readonly steps: number;
  readonly defaults: ProblemDefaults;
  /** The problem that the options ask for. Errors: BAD_ARGUMENT. */
  readonly problemOf: (options: OptionValues<S>) => P;
  /** The rows of the summary that tell what came out. */
  readonly results: (problem: P, summary: TrainingSummary<Figures>) => readonly string[][];
  /** Draws curves.svg in `directory`. */
  readonly draw: (directory: string, method: string, problem: P, summary: TrainingSummary<Figures>) => void;
}

/** `thermolink train TASK` for a task that is a `Problem`: options, device, progress, files, result. */
export function problemCommand<
  const S extends OptionSpecs,
  Measures extends Figures,
  P extends Problem<Measures, Figures>,
>(definition: ProblemCommandDefinition<S, Measures, P>): LoadedCommand {
  const steps = option('--steps <n>', 'steps', { value: positiveInteger(), default: definition.steps });
  const options = { ...definition.options, steps, ...METHOD_OPTIONS };
  return defineCommand({
    options,
    example: definition.example,
    async run(values) {
      const given = values as MethodOptions & { readonly steps: number };
      const method = methodOf(given, definition.defaults);
      const stored = storedPlanOf(given);
      await checkFiles(options, values);
      const problem = definition.problemOf(values as OptionValues<S>);
      const { device, retry, record, recordSamples, logLevel, logFile, seed, testEvery } = given;
      const plan: ProblemPlan<Measures, P> = {
        ...{ problem, view: definition, method, steps: given.steps, seed, testEvery, ...stored },
        ...{ device, retry, record, recordSamples, logLevel, logFile, quiet: given.json === true },
      };
      const summary = await withInterrupt((signal) => runProblem(plan, signal), {
        onInterrupt: () => process.stderr.write('\nstopping after this step …\n'),
      }).catch((error: unknown) => {
        throw withWayOn(error, stored);
      });
      printAndDraw({
        json: given.json === true,
        result: summary,
        text: trainingText([['optimizer', method.label], ...definition.results(problem, summary)], summary),
        textAfter: storedText(stored),
        draw: () =>
          drawCurves(stored, (directory) => definition.draw(directory, method.label, problem, summary)),
      });
    },
  });
}

const BOARD_OPTIONS = ['device', 'logLevel', 'logFile', 'record', 'recordSamples'] as const;
const OPTIMIZER_OPTIONS = [
  'rate',
  'finalRate',
  'damping',
  'ticks',
  'runs',
  'products',
  'momentum',
  'clip',
] as const;

/** Errors: BAD_ARGUMENT for options that do nothing with the optimizer. */
function methodOf(given: MethodOptions, defaults: ProblemDefaults): Method {
  const { preset, optimizer } = given;
  const name = preset === 'control' ? 'sgd' : preset === 'no-board' ? 'tngd' : (optimizer ?? 'tngd');
  if (optimizer !== undefined && preset !== undefined && optimizer !== name)
    throw usage(`--preset ${preset} is ${name}, not ${optimizer}.`, 'Leave --optimizer out.');
  const usesBoard = name === 'tngd' && preset === undefined;
  const chosenBy = preset === undefined ? `--optimizer ${name}` : `--preset ${preset}`;
  const isGiven = (field: keyof MethodOptions): boolean => given[field] !== undefined;
  const inert =
    OPTIMIZER_OPTIONS.find((field) => isGiven(field) && !(field in defaults[name])) ??
    BOARD_OPTIONS.find((field) => isGiven(field) && !usesBoard) ??
    (!given.retry && !usesBoard ? 'retry' : undefined);
  if (inert !== undefined)
    throw usage(`${longFlag(METHOD_OPTIONS[inert])} does nothing with ${chosenBy}.`, 'Leave it out.');
  const chosen = OPTIMIZER_OPTIONS.filter(isGiven).map((field) => [field, given[field]]);
  const options: OptimizerOptions = { ...defaults[name], ...Object.fromEntries(chosen) };
  return { label: preset ?? name, name, options, usesBoard };
}

function usage(message: string, hint: string): ThermolinkError {
  return new ThermolinkError('BAD_ARGUMENT', message, { hint });
}
