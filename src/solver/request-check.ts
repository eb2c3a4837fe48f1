import { checkAddress, checkObject, checkOptionalFunction, checkSignal } from '../argument-checks.js';
import { checkForm, checkTolerance, checkVector } from '../mapping/validation.js';
import type { SolveRequest } from './contract.js';

/**
 * Refuses a request to solve whose parts are of the wrong kind, before anything is computed. Says nothing of the matrix.
 * Errors: BAD_ARGUMENT; BAD_MATRIX for a shape that does not fit.
 */
export function checkSolveRequest(request: SolveRequest): void {
  checkObject(
    'The request',
    request,
    '{ system, drive, tolerance: 1e-2, address: { seed: 1, step: 0, block: 0 } }',
  );
  checkForm(request.system);
  checkTolerance(request.tolerance);
  checkVector(request.drive, request.system, 'right-hand side');
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
}
