import { ThermolinkError } from '../../../errors.js';
import type { TrainingOutput } from '../../../learning/train-request.js';
import type { ExistingTraining } from '../../../learning/training-files.js';
import { formatCount } from '../../../number-text.js';
import { flag, option } from '../../options/option.js';

/** The options for the directory of a training, and for a training that is already there. */
export const OUTPUT_OPTIONS = {
  out: option('--out <dir>', 'store metrics, summary, curves and a checkpoint here', { file: 'own' }),
  resume: flag('--resume', 'continue the training in --out', { libraryName: "existing: 'resume'" }),
  tensorboard: flag('--tensorboard', 'write the metrics as events of TensorBoard too, into --out'),
  overwrite: flag('--overwrite', 'replace a training in --out', { libraryName: "existing: 'overwrite'" }),
};

/** A stored training as a command line asks for it. */
export interface StoredPlan {
  readonly out?: string;
  readonly existing: ExistingTraining;
  readonly tensorboard?: boolean;
}

/** The stored training that the options ask for. Errors: BAD_ARGUMENT for options that exclude each other. */
export function storedPlanOf(options: {
  readonly out?: string | undefined;
  readonly resume?: true | undefined;
  readonly overwrite?: true | undefined;
  readonly tensorboard?: true | undefined;
}): StoredPlan {
  const { out, resume, overwrite, tensorboard = false } = options;
  const usage = (message: string, hint: string): ThermolinkError =>
    new ThermolinkError('BAD_ARGUMENT', message, { hint });
  if (out === undefined && (resume || overwrite))
    throw usage('--resume and --overwrite need the directory of a training.', 'Name it by --out.');
  if (out === undefined && tensorboard)
    throw usage('--tensorboard needs a directory for its events.', 'Name it by --out.');
  if (resume && overwrite) throw usage('--resume and --overwrite exclude each other.', 'Choose one.');
  return { out, existing: resume ? 'resume' : overwrite ? 'overwrite' : 'refuse', tensorboard };
}

/** Returns the place for the files of the training, in the form that the library takes. */
export function outputOf({ out, existing, tensorboard }: StoredPlan): TrainingOutput | undefined {
  return out === undefined ? undefined : { directory: out, existing, ...(tensorboard && { tensorboard }) };
}

/** Adds to an error how to go on, if the training was ended from outside after its first step. */
export function withWayOn(error: unknown, plan: StoredPlan): unknown {
  if (!(error instanceof ThermolinkError)) return error;
  const steps = error.data['stepsTaken'];
  if (typeof steps !== 'number') return error;
  if (plan.out === undefined)
    return withHint(error, 'Nothing was stored: a training with --out DIR can be resumed.');
  const stored = `${plan.out} holds the training up to step ${formatCount(steps)}`;
  return withHint(error, `${stored}. To continue, give ${resumingCommand(plan)}.`);
}

/** Draws the curves of a training that is complete. Errors: those of `draw`, with how to draw them again. */
export function drawCurves(plan: StoredPlan, draw: (directory: string) => void): void {
  if (plan.out === undefined) return;
  try {
    draw(plan.out);
  } catch (error) {
    if (!(error instanceof ThermolinkError)) throw error;
    throw withHint(
      error,
      `The training itself is complete; to draw it again, give ${resumingCommand(plan)}.`,
    );
  }
}

function resumingCommand({ existing }: StoredPlan): string {
  if (existing === 'resume') return 'the same command again';
  return `the same command with --resume${existing === 'overwrite' ? ' in place of --overwrite' : ''}`;
}

function withHint(error: ThermolinkError, hint: string): ThermolinkError {
  return new ThermolinkError(error.code, error.message, {
    cause: error.cause,
    retryable: error.retryable,
    hint: error.hint === undefined ? hint : `${error.hint} ${hint}`,
    data: error.data,
  });
}
