import type { Figures, Problem } from '../../../learning/problem/contract.js';
import type { TrainingSummary } from '../../../learning/record.js';
import { defineCommand, type LoadedCommand } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { type OptionSpecs, type OptionValues, option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { drawCurves, storedPlanOf, withWayOn } from './output-options.js';
import { printAndDraw } from './print-and-draw.js';
import { type MethodOptions, methodOf, methodOptions, type ProblemDefaults } from './problem-method.js';
import {
  type ProblemPlan,
  type ProblemTraining,
  type ProblemView,
  problemMeaning,
  problemShape,
  runProblem,
  trainProblemOn,
} from './run-problem.js';
import { storedText, trainingText } from './summary-text.js';
import type { TrainTask } from './train-task.js';

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
  /** The rows of the summary with the results. */
  readonly results: (problem: P, summary: TrainingSummary<Figures>) => readonly string[][];
  /** Draws curves.svg in `directory`. */
  readonly draw: (directory: string, method: string, problem: P, summary: TrainingSummary<Figures>) => void;
}

/**
 * `thermolink train TASK` for a task that is a `Problem`: options, device, progress, files, result; and the
 * task by itself, for boards elsewhere.
 */
export function problemCommand<
  const S extends OptionSpecs,
  Measures extends Figures,
  P extends Problem<Measures, Figures>,
>(
  definition: ProblemCommandDefinition<S, Measures, P>,
): { readonly command: LoadedCommand; readonly task: TrainTask } {
  const steps = option('--steps <n>', 'steps', { value: positiveInteger(), default: definition.steps });
  const options = { ...definition.options, steps, ...methodOptions(definition.defaults) };
  const trainingOf = (values: unknown): ProblemTraining<Measures, P> => {
    const given = values as MethodOptions & { readonly steps: number };
    const method = methodOf(given, definition.defaults);
    const problem = definition.problemOf(values as OptionValues<S>);
    const { seed, testEvery } = given;
    return { problem, view: definition, method, steps: given.steps, seed, testEvery };
  };
  const textOf = ({ method, problem }: ProblemTraining<Measures, P>, summary: TrainingSummary<Figures>) =>
    trainingText([['optimizer', method.label], ...definition.results(problem, summary)], summary);
  const task: TrainTask = {
    options,
    planOf(values) {
      const training = trainingOf(values);
      return {
        label: training.method.label,
        meaning: problemMeaning(training),
        shape: problemShape(training),
        train: async (device, how) => void (await trainProblemOn(training, device, how)),
        text: (summary) => textOf(training, summary),
        draw: (directory, summary) =>
          definition.draw(directory, training.method.label, training.problem, summary),
      };
    },
  };
  const command = defineCommand({
    options,
    example: definition.example,
    async run(values) {
      const given = values as MethodOptions & { readonly steps: number };
      // The problem may take long to make, so options that do nothing are refused before.
      methodOf(given, definition.defaults);
      const stored = storedPlanOf(given);
      await checkFiles(options, values);
      const { device, retry, record, recordSamples, recordCells, logLevel, logFile } = given;
      const plan: ProblemPlan<Measures, P> = {
        ...{ ...trainingOf(values), ...stored },
        ...{
          device,
          retry,
          record,
          recordSamples,
          recordCells,
          logLevel,
          logFile,
          quiet: given.json === true,
        },
      };
      const { method, problem } = plan;
      const summary = await withInterrupt((signal) => runProblem(plan, signal), {
        onInterrupt: () => process.stderr.write('\nstopping after this step …\n'),
      }).catch((error: unknown) => {
        throw withWayOn(error, stored);
      });
      printAndDraw({
        json: given.json === true,
        result: summary,
        text: textOf(plan, summary),
        textAfter: storedText(stored),
        draw: () =>
          drawCurves(stored, (directory) => definition.draw(directory, method.label, problem, summary)),
      });
    },
  });
  return { command, task };
}
