import { ThermolinkError } from '../errors.js';
import { measureSystem, type SystemMeasure } from '../mapping/system-measure.js';
import { checkDamping, checkMagnitude, checkSystem, checkVector } from '../mapping/validation.js';
import type { RelaxRequest } from './contract.js';

/**
 * Refuses what has no finite-time relaxation, in one pass over the entries (training calls it each step).
 * Definiteness is not needed: x(t) exists for every symmetric A.
 *
 * Errors: BAD_MATRIX, NOT_POSITIVE_DEFINITE for a negative damping, BAD_ARGUMENT for the time.
 */
export function checkRelaxation(request: RelaxRequest): SystemMeasure {
  const { system, time } = request;
  const measure = measureSystem(system);
  // A non-finite entry shows in the sum of squares; only then is it worth looking for it.
  const isSuspect = !Number.isFinite(measure.eigenvalueBound) || system.kind === 'dense';
  if (isSuspect || system.factor.data.length === 0) checkSystem(system);
  else checkDamping(system.damping);
  checkMagnitude(measure.eigenvalueBound, 'largest eigenvalue');
  checkVector(request.drive, system, 'drive');
  checkVector(request.initial, system, 'initial state');
  if (!(time >= 0 && time < Infinity))
    throw new ThermolinkError('BAD_ARGUMENT', `The relaxation time is ${time}.`, {
      hint: 'Time is a number of at least 0, in units of 1/eigenvalue.',
      data: { time },
    });
  return measure;
}

/** Nothing drives the cells and nothing is in them: x(t) = 0. */
export function isZeroRelaxation({ drive, initial }: RelaxRequest): boolean {
  return drive.every((value) => value === 0) && initial.every((value) => value === 0);
}
