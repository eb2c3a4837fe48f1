import { U16_MAX } from '../../firmware-protocol/limits.js';
import {
  badArgument,
  checkAddress,
  checkObject,
  checkOptionalFlag,
  checkOptionalFunction,
  checkSignal,
} from '../argument-checks.js';
import { type CheckedSystem, checkSystem, checkVector } from '../board/checked-system.js';
import type { RunAddress } from '../board/run-seed.js';
import { settledOrAborted, throwIfAborted } from '../errors.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import type { LoadedCurvature, RelaxAheadRequest, RelaxRequest, SolveRequest } from './contract.js';

/**
 * Checks all parts of a request to relax and returns its system, checked and measured. A drive or initial
 * state that a function returns later is checked by `lateVector`.
 *
 * Errors: BAD_ARGUMENT for parts of the wrong kind; BAD_MATRIX; NOT_POSITIVE_DEFINITE for a negative damping.
 */
export function checkRelaxRequest(request: RelaxRequest): CheckedSystem {
  const system = checkRelaxation(request);
  checkVector(request.initial, system, 'initial state');
  checkOptionalFlag('lends', request.lends);
  return system;
}

/** Like `checkRelaxRequest`, for a request that starts from the result of the previous relaxation. */
export function checkRelaxAheadRequest(request: RelaxAheadRequest): CheckedSystem {
  const system = checkRelaxation(request);
  if (typeof request.initial !== 'function')
    throw badArgument('initial', request.initial, 'a function', 'It returns x₀: async () => before.x.');
  return system;
}

function checkRelaxation(request: Omit<RelaxRequest, 'initial' | 'lends'>): CheckedSystem {
  checkIsRelaxRequest(request);
  checkAddress(request.address);
  checkSignal(request.signal);
  const system = checkSystem(request.system);
  if (typeof request.drive !== 'function') checkVector(request.drive, system, 'drive');
  checkTime('The relaxation time', request.time);
  if (request.nextTime !== undefined) checkTime('The next relaxation time', request.nextTime);
  return system;
}

function checkTime(name: string, time: number): void {
  if (typeof time === 'number' && time >= 0 && time < Infinity) return;
  throw badArgument(
    name,
    time,
    'a finite number of at least 0',
    'Its unit is that of 1/eigenvalue: a mode with eigenvalue λ shrinks by the factor e^(−λt).',
  );
}

/**
 * Calls the function that returns a vector of a request to relax, and checks the vector as
 * `checkRelaxRequest` does. Errors: BAD_ARGUMENT, BAD_MATRIX; ABORTED when `signal` aborts; the errors of the
 * function.
 */
export async function lateVector(
  vector: () => Promise<Float64Array>,
  name: string,
  system: CheckedSystem,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  throwIfAborted(signal);
  const given = await settledOrAborted(vector(), signal);
  checkVector(given, system, name);
  return given;
}

/**
 * Checks all parts of a request to solve and returns its system, checked and measured. Whether the system is
 * positive definite is left to its `spectrum`.
 *
 * Errors: BAD_ARGUMENT for parts of the wrong kind; BAD_MATRIX; NOT_POSITIVE_DEFINITE for a negative damping.
 */
export function checkSolveRequest(request: SolveRequest): CheckedSystem {
  checkIsSolveRequest(request);
  checkTolerance(request.tolerance);
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  const system = checkSystem(request.system);
  checkVector(request.drive, system, 'right-hand side');
  return system;
}

/** Refuses a value that is not an object: BAD_ARGUMENT with an example of a request to relax. */
export function checkIsRelaxRequest(request: unknown): void {
  const example = '{ system, drive, initial, time: 1, address: { seed: 1, step: 0, block: 0 } }';
  checkObject('The request', request, example);
}

/** Refuses a value that is not an object: BAD_ARGUMENT with an example of a request for truncated solves. */
export function checkIsTruncatedRequest(request: unknown): void {
  checkObject('The request', request, '{ factor, address: { seed: 1, step: 0, block: 0 } }');
}

/** The system without damping that a truncated solver loads. It is not checked. */
export function systemToLoad({ matrix, factor }: LoadedCurvature): LinearSystem {
  return matrix === undefined ? { kind: 'factored', factor, damping: 0 } : { kind: 'dense', matrix };
}

/** Refuses a value that is not an object: BAD_ARGUMENT with an example of a request to invert. */
export function checkIsInverseRequest(request: unknown): void {
  checkObject('The request', request, '{ matrix, tolerance: 0.1, address: { seed: 1, step: 0, block: 0 } }');
}

/** Refuses a value that is not an object: BAD_ARGUMENT with an example of a request to solve. */
export function checkIsSolveRequest(request: unknown): void {
  const example = '{ system, drive, tolerance: 1e-2, address: { seed: 1, step: 0, block: 0 } }';
  checkObject('The request', request, example);
}

/** Refuses a tolerance outside (0, 1): BAD_ARGUMENT. */
export function checkTolerance(tolerance: number): void {
  if (typeof tolerance === 'number' && tolerance > 0 && tolerance < 1) return;
  throw badArgument(
    'tolerance',
    tolerance,
    'a number above 0 and below 1',
    'It bounds the relative error ‖x̂ − x‖/‖x‖. The answer 0 has the relative error 1. Choose for example 1e-2.',
  );
}

/** Refuses the address of an N×N inverse if there is not one block for each column. Errors: BAD_ARGUMENT. */
export function checkColumnAddresses(address: RunAddress, dimension: number): void {
  checkAddress(address);
  const blockMax = U16_MAX - (dimension - 1);
  if (address.block > blockMax)
    throw badArgument('address.block', address.block, `at most ${blockMax}`, 'Column j uses block + j.');
}
