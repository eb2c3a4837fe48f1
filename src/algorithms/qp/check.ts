import {
  badArgument,
  checkAddress,
  checkArray,
  checkObject,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from '../../argument-checks.js';
import { refuseTooLarge } from '../../board/checked-system.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky } from '../../linalg/cholesky.js';
import { checkShape, type Matrix, matrix } from '../../linalg/matrix.js';
import { normInf } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import { counted } from '../../number-text.js';
import { QP_METHODS, type QpRequest } from './contract.js';

const TOLERANCE_MIN = 1e-10;
const TOLERANCE_MAX = 0.1;
/** Largest magnitude of an entry. */
const ENTRY_MAX = 1e30;
/** P has to be positive definite after this share of its largest entry is added to the diagonal. */
const CONVEXITY = 1e-9;

/**
 * Checks a program and a request before anything is sent. Errors: BAD_ARGUMENT for parts of the wrong kind;
 * BAD_MATRIX for shapes, entries that are not finite, a P that is not symmetric, and l above u;
 * NOT_POSITIVE_DEFINITE for a P that is not positive semidefinite; TOO_LARGE, UNSUPPORTED.
 */
export function checkQp(program: QuadraticProgram, request: QpRequest, identity: DeviceIdentity): void {
  checkProgram(program);
  checkObject('The request', request, '{ address: { seed: 1, step: 0, block: 0 } }');
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  const { method = 'auto', tolerance = 1e-8, iterationsMax = 1, warmStart } = request;
  if (!QP_METHODS.includes(method)) throw badArgument('method', method, `one of ${QP_METHODS.join(', ')}`);
  if (!(typeof tolerance === 'number' && tolerance >= TOLERANCE_MIN && tolerance <= TOLERANCE_MAX))
    throw badArgument('tolerance', tolerance, `a number from ${TOLERANCE_MIN} to ${TOLERANCE_MAX}`);
  checkWhole('iterationsMax', iterationsMax, 1, 1_000_000);
  if (warmStart !== undefined) {
    checkObject('warmStart', warmStart, '{ x, y } of an earlier result');
    checkFinite('warmStart.x', warmStart.x, program.linear.length);
    checkFinite('warmStart.y', warmStart.y, program.lower.length);
  }
  refuseTooLarge({ kind: 'dense', matrix: program.hessian }, identity);
}

/** Checks the program alone, as `checkQp` does. */
export function checkProgram(program: QuadraticProgram): void {
  checkObject('The program', program, '{ hessian, linear, constraints, lower, upper }');
  const { hessian, linear, constraints, lower, upper, constant = 0 } = program;
  for (const [name, part] of [
    ['hessian', hessian],
    ['constraints', constraints],
  ] as const) {
    checkObject(name, part, '{ rows: 1, columns: 1, data: Float64Array.of(1) }');
    checkShape(part, name);
  }
  const [n, m] = [hessian.rows, constraints.rows];
  if (n === 0 || hessian.columns !== n || constraints.columns !== n)
    throw badMatrix(
      `The Hessian is ${hessian.rows}×${hessian.columns} and the constraints are ${m}×${constraints.columns}.`,
      'P is n×n and A is m×n, with n of at least 1.',
    );
  checkFinite('hessian', hessian.data, n * n);
  checkFinite('constraints', constraints.data, m * n);
  checkFinite('linear', linear, n);
  if (!Number.isFinite(constant)) throw badArgument('constant', constant, 'a finite number');
  checkBounds(lower, upper, m);
  checkConvex(hessian);
}

function checkFinite(name: string, values: Float64Array, length: number): void {
  checkLength(name, values, length);
  const index = values.findIndex((value) => !(Math.abs(value) <= ENTRY_MAX));
  if (index >= 0)
    throw badMatrix(
      `Entry ${index} of ${name} is ${values[index]}.`,
      `Every entry must be a number between −${ENTRY_MAX} and ${ENTRY_MAX}.`,
    );
}

function checkLength(name: string, values: Float64Array, length: number): void {
  checkArray(name, values, 'Float64Array');
  if (values.length !== length)
    throw badMatrix(
      `${name} has ${counted(values.length, 'entry', 'entries')}, not ${length}.`,
      'Give one entry for each unknown, or for each row of the constraints.',
    );
}

function checkBounds(lower: Float64Array, upper: Float64Array, rows: number): void {
  checkLength('lower', lower, rows);
  checkLength('upper', upper, rows);
  for (let i = 0; i < rows; i++) {
    const [low, high] = [lower[i], upper[i]];
    if (low <= high && low < Infinity && high > -Infinity) continue;
    throw badMatrix(
      `Row ${i} of the constraints has the bounds ${low} and ${high}; no number lies between them.`,
      'The lower bound must not be above the upper one. Use −Infinity or Infinity if there is no bound.',
    );
  }
}

function checkConvex({ rows, data }: Matrix): void {
  const largest = normInf(data);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < i; j++)
      if (Math.abs(data[i * rows + j] - data[j * rows + i]) > 1e-12 * largest)
        throw badMatrix(
          `P is not symmetric: entries (${i}, ${j}) and (${j}, ${i}) are ${data[i * rows + j]} and ${data[j * rows + i]}.`,
          'Give (P + Pᵀ)/2 if that is what you mean.',
        );
  if (largest === 0) return;
  const lifted = matrix(rows, rows, Float64Array.from(data));
  for (let i = 0; i < rows; i++) lifted.data[i * rows + i] += CONVEXITY * largest;
  if (!cholesky(lifted).ok)
    throw new ThermolinkError(
      'NOT_POSITIVE_DEFINITE',
      'The Hessian P has a negative eigenvalue, so the program is not convex.',
      {
        hint: 'Only convex programs can be solved. Check the signs (the objective is minimised), or add a convex term.',
      },
    );
}

function badMatrix(message: string, hint: string): ThermolinkError {
  return new ThermolinkError('BAD_MATRIX', message, { hint });
}
