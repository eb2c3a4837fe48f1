import { badArgument, checkArray, checkObject } from '../argument-checks.js';
import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { dimensionOf, type LinearSystem } from '../linalg/linear-system.js';
import { checkShape, type Matrix } from '../linalg/matrix.js';
import { normInf } from '../linalg/products.js';

/** |A_ij − A_ji| may be this fraction of max |A|: what rounding leaves of a symmetric product. */
const SYMMETRY_TOLERANCE = 1e-12;

/** Refuses what is no connected board: BAD_ARGUMENT. */
export function checkBoard(device: BoardDevice): void {
  checkObject('device', device, "await connect('emulator:ideal-64')");
  if (typeof device.acquire === 'function' && typeof device.identity === 'object') return;
  throw badArgument(
    'device',
    device,
    'a connected board',
    "Pass what connect promises: const device = await connect('emulator:ideal-64').",
  );
}

/**
 * Refuses a system that is not a finite, square, symmetric matrix, or not a finite factor with a finite damping ≥ 0.
 *
 * Errors: BAD_ARGUMENT for what is no system at all; BAD_MATRIX with the first offending entry; NOT_POSITIVE_DEFINITE for a
 * negative damping.
 */
export function checkSystem(system: LinearSystem): void {
  checkForm(system);
  if (system.kind === 'factored') {
    checkEntries(system.factor, 'The factor');
    checkDamping(system.damping);
    return;
  }
  const { rows, columns } = system.matrix;
  if (rows !== columns) {
    throw new ThermolinkError('BAD_MATRIX', `The matrix is ${rows}×${columns}, not square.`, {
      hint: 'A linear system needs as many equations as unknowns.',
      data: { rows, columns },
    });
  }
  checkEntries(system.matrix, 'The matrix');
  checkSymmetry(system.matrix);
}

/**
 * The checks that cost nothing: a system of one of the two kinds, whose data is a Float64Array as long as its shape says.
 * Errors: BAD_ARGUMENT; BAD_MATRIX for another length.
 */
export function checkForm(system: LinearSystem): void {
  checkObject(
    'system',
    system,
    "{ kind: 'dense', matrix: { rows: 2, columns: 2, data: Float64Array.of(4, 1, 1, 3) } }",
  );
  if (system.kind === 'dense') {
    checkObject('system.matrix', system.matrix, '{ rows: 2, columns: 2, data: Float64Array.of(4, 1, 1, 3) }');
    checkShape(system.matrix, 'The matrix');
  } else if (system.kind === 'factored') {
    checkObject('system.factor', system.factor, '{ rows: 1, columns: 2, data: Float64Array.of(1, 2) }');
    checkShape(system.factor, 'The factor');
  } else {
    const { kind } = system as { readonly kind: unknown };
    throw badArgument('system.kind', kind, "'dense' or 'factored'");
  }
}

export function checkDamping(damping: number): void {
  if (typeof damping !== 'number') throw badArgument('system.damping', damping, 'a number of at least 0');
  if (!Number.isFinite(damping)) {
    throw new ThermolinkError('BAD_MATRIX', `The damping is ${damping}, not a finite number.`, {
      hint: 'Damping λ is a number of at least 0.',
    });
  }
  if (damping < 0) {
    throw new ThermolinkError('NOT_POSITIVE_DEFINITE', `The damping is ${damping}, below zero.`, {
      hint: 'Damping λ is a conductance: choose at least 0.',
      data: { damping },
    });
  }
}

/** Products and squares of what lies within stay finite numbers through every scale of the mapping. */
const MAGNITUDE_MIN = 1e-50;
const MAGNITUDE_MAX = 1e50;

/** Refuses a problem whose largest entry or eigenvalue is absurdly large or small, but not 0: BAD_MATRIX. */
export function checkMagnitude(largest: number, name: string): void {
  if (largest === 0 || (largest >= MAGNITUDE_MIN && largest <= MAGNITUDE_MAX)) return;
  const size =
    largest < Infinity ? `of the order ${largest.toExponential(0)}` : 'beyond the range of float64';
  throw new ThermolinkError('BAD_MATRIX', `The ${name} is ${size}.`, {
    hint: 'Choose another unit: it should lie between 1e-50 and 1e50.',
    data: { largest },
  });
}

/**
 * Refuses a vector that is no Float64Array (BAD_ARGUMENT), of another length than the system's, with an entry that is not
 * finite, or beyond 1e±50 (BAD_MATRIX).
 */
export function checkVector(vector: Float64Array, system: LinearSystem, name: string): void {
  checkArray(`The ${name}`, vector, 'Float64Array');
  const dimension = dimensionOf(system);
  if (vector.length !== dimension) {
    throw new ThermolinkError(
      'BAD_MATRIX',
      `The ${name} has ${vector.length} entries for a system of ${dimension} unknowns.`,
      {
        hint: `Give a ${name} with one entry per column of the matrix.`,
        data: { length: vector.length, dimension },
      },
    );
  }
  for (let i = 0; i < vector.length; i++) {
    if (!Number.isFinite(vector[i])) {
      throw new ThermolinkError('BAD_MATRIX', `Entry ${i} of the ${name} is ${vector[i]}.`, {
        hint: 'Every entry must be a finite number.',
        data: { index: i },
      });
    }
  }
  checkMagnitude(normInf(vector), `largest entry of the ${name}`);
}

/** Refuses a tolerance outside (0, 1): BAD_ARGUMENT. */
export function checkTolerance(tolerance: number): void {
  if (typeof tolerance === 'number' && tolerance > 0 && tolerance < 1) return;
  throw badArgument(
    'tolerance',
    tolerance,
    'a number above 0 and below 1',
    'It bounds the relative error ‖x̂ − x‖/‖x‖, which is 1 for the answer 0: choose for example 1e-2.',
  );
}

function checkEntries({ rows, columns, data }: Matrix, name: string): void {
  if (rows === 0 || columns === 0)
    throw new ThermolinkError('BAD_MATRIX', `${name} is ${rows}×${columns}: it is empty.`, {
      hint: 'Give at least one row and one column.',
      data: { rows, columns },
    });
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      const row = Math.floor(i / columns);
      const column = i % columns;
      throw new ThermolinkError('BAD_MATRIX', `${name} holds ${data[i]} in row ${row}, column ${column}.`, {
        hint: 'Every entry must be a finite number; rows and columns count from 0.',
        data: { row, column },
      });
    }
  }
}

function checkSymmetry({ columns, data }: Matrix): void {
  let largest = 0;
  for (const value of data) largest = Math.max(largest, Math.abs(value));
  const allowed = SYMMETRY_TOLERANCE * largest;
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) {
      const above = data[j * columns + i];
      const below = data[i * columns + j];
      if (Math.abs(below - above) > allowed) {
        throw new ThermolinkError(
          'BAD_MATRIX',
          `The matrix is not symmetric: entry (${i}, ${j}) is ${below}, but (${j}, ${i}) is ${above}.`,
          {
            hint: asymmetryHint({ columns, data }, largest),
            data: { row: i, column: j },
          },
        );
      }
    }
  }
}

/** Up to this fraction of max |A|, halves that differ were meant to be equal. */
const SLIGHT_ASYMMETRY = 1e-3;

/** What to do about a matrix whose halves differ; that depends on how it came about. */
function asymmetryHint({ columns, data }: Pick<Matrix, 'columns' | 'data'>, largest: number): string {
  let difference = 0;
  const half = { above: 0, below: 0 };
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < i; j++) {
      const above = data[j * columns + i];
      const below = data[i * columns + j];
      difference = Math.max(difference, Math.abs(below - above));
      half.above = Math.max(half.above, Math.abs(above));
      half.below = Math.max(half.below, Math.abs(below));
    }
  if (half.above === 0 || half.below === 0)
    return (
      `Everything ${half.above === 0 ? 'above' : 'below'} the diagonal is 0: if this is one half of a symmetric matrix, give ` +
      'the other half too. A board takes no triangular system.'
    );
  if (difference <= SLIGHT_ASYMMETRY * largest)
    return `The halves differ by at most ${(difference / largest).toExponential(1)} of the largest entry: if that is rounding, give (A + Aᵀ)/2.`;
  return (
    'If A is meant to be symmetric, look at these entries; (A + Aᵀ)/2 is symmetric, but another matrix. To solve A x = b with ' +
    'an A that is not symmetric, solve AᵀA x = Aᵀb, which has the same solution and the square of the condition.'
  );
}
