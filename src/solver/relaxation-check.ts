import { badArgument, checkAddress, checkObject, checkSignal } from '../argument-checks.js';
import { measureSystem, type SystemMeasure } from '../mapping/system-measure.js';
import { checkDamping, checkForm, checkMagnitude, checkSystem, checkVector } from '../mapping/validation.js';
import type { RelaxRequest } from './contract.js';

/**
 * Refuses what has no finite-time relaxation, in one pass over the entries (training calls it each step).
 * Definiteness is not needed: x(t) exists for every symmetric A.
 *
 * Errors: BAD_MATRIX, NOT_POSITIVE_DEFINITE for a negative damping, BAD_ARGUMENT for the time and for parts of the wrong kind.
 */
export function checkRelaxation(request: RelaxRequest): SystemMeasure {
  checkObject(
    'The request',
    request,
    '{ system, drive, initial, time: 1, address: { seed: 1, step: 0, block: 0 } }',
  );
  const { system, time } = request;
  checkForm(system);
  checkAddress(request.address);
  checkSignal(request.signal);
  const measure = measureSystem(system);
  // A non-finite entry shows in the sum of squares; only then is it worth looking for it.
  const isSuspect = !Number.isFinite(measure.eigenvalueBound) || system.kind === 'dense';
  if (isSuspect || system.factor.data.length === 0) checkSystem(system);
  else checkDamping(system.damping);
  checkMagnitude(measure.eigenvalueBound, 'largest eigenvalue');
  checkVector(request.drive, system, 'drive');
  checkVector(request.initial, system, 'initial state');
  if (typeof time !== 'number' || !(time >= 0 && time < Infinity))
    throw badArgument(
      'The relaxation time',
      time,
      'a finite number of at least 0',
      'Its unit is that of 1/eigenvalue: e^(−λt) is what is left of a mode with eigenvalue λ.',
    );
  return measure;
}

/** Nothing drives the cells and nothing is in them: x(t) = 0. */
export function isZeroRelaxation({ drive, initial }: RelaxRequest): boolean {
  return drive.every((value) => value === 0) && initial.every((value) => value === 0);
}
