import { ThermolinkError } from '../errors.js';

/** The error of a training that ran away at `step`; `why` completes the sentence. */
export function divergedError(
  step: number,
  why: string,
  data: Readonly<Record<string, unknown>> = {},
): ThermolinkError {
  return new ThermolinkError('DIVERGED', `Training diverged at step ${step}: ${why}.`, {
    hint: 'Lower --rate, raise --damping, or bound the steps by --clip.',
    data: { step, ...data },
  });
}
