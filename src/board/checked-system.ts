import { badArgument, checkArray, checkObject } from '../argument-checks.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { dampedSystem, dimensionOf, type LinearSystem } from '../linalg/linear-system.js';
import { checkShape } from '../linalg/matrix.js';
import { normInf } from '../linalg/products.js';
import { counted, formatNumber } from '../number-text.js';
import { diagonalWeights, weightedSystem } from './diagonal-scaling.js';
import { checkEntries, checkSquare, checkSymmetry } from './matrix-checks.js';
import { type Spectrum, spectrumOf } from './spectrum.js';
import { measureSystem, type SystemMeasure } from './system-measure.js';

/**
 * A system that was checked and measured once. Only `checkSystem` makes it. Functions that take a system also
 * take this value, and then check no entry again. Its entries must not change.
 */
class CheckedSystem {
  readonly system: LinearSystem;
  /** N, the number of unknowns. */
  readonly dimension: number;
  /** Largest entry and bounds of the eigenvalues, from one pass over the entries. */
  readonly measure: SystemMeasure;
  #spectrum: Spectrum | undefined;
  #evened: EvenedSystem | undefined;

  constructor(system: LinearSystem, measure: SystemMeasure) {
    this.system = system;
    this.dimension = dimensionOf(system);
    this.measure = measure;
  }

  /**
   * Close bounds of the eigenvalues, computed at the first access and kept.
   * Errors: NOT_POSITIVE_DEFINITE for a system without an equilibrium.
   */
  get spectrum(): Spectrum {
    this.#spectrum ??= spectrumOf(this.system);
    return this.#spectrum;
  }

  /**
   * The system with an even diagonal, which boards solve instead. If the diagonal is even already, it is this
   * system. It is computed at the first access and kept.
   *
   * Errors: BAD_MATRIX if A_ij and A_ji differ by more than rounding relative to the diagonal entries of
   * their row and column.
   *
   * @internal
   */
  get evened(): EvenedSystem {
    this.#evened ??= evenedOf(this);
    return this.#evened;
  }

  /**
   * A + λI for λ = `damping` > 0, in units of A, checked. Errors: none.
   *
   * @internal
   */
  damped(damping: number): CheckedSystem {
    const system = dampedSystem(this.system, damping);
    return new CheckedSystem(system, measureSystem(system));
  }
}

export type { CheckedSystem };

/** A system W A W with an even diagonal, and the weights w that make it: x = W y (`diagonalWeights`). */
export interface EvenedSystem {
  readonly checked: CheckedSystem;
  readonly weights: Float64Array;
}

function evenedOf(checked: CheckedSystem): EvenedSystem {
  const weights = diagonalWeights(checked.system);
  if (weights.every((weight) => weight === 1)) return { checked, weights };
  const system = weightedSystem(checked.system, weights);
  const measure = measureSystem(system);
  // A difference that is rounding compared with the largest entry may be a large share of a small entry.
  if (checked.system.kind === 'dense') checkSymmetry(checked.system.matrix, measure.largestEntry, weights);
  return { checked: new CheckedSystem(system, measure), weights };
}

/**
 * Checks and measures a system: a finite, square and symmetric matrix, or a finite factor with a finite
 * damping ≥ 0, whose largest eigenvalue lies between 1e-50 and 1e50 (or is 0). A system that was checked
 * before is returned as it is.
 *
 * The check of a factor takes one pass over its entries, because an entry that is not finite makes the sum of
 * squares not finite. Training relies on this speed.
 *
 * Errors: BAD_ARGUMENT for a value that is not a system; BAD_MATRIX with the first offending entry;
 * NOT_POSITIVE_DEFINITE for a negative damping. It is not checked here whether the system is positive
 * definite; `spectrum` checks that.
 */
export function checkSystem(system: LinearSystem | CheckedSystem): CheckedSystem {
  if (system instanceof CheckedSystem) return system;
  checkForm(system);
  if (system.kind === 'factored') checkDamping(system.damping);
  const measure = measureSystem(system);
  if (system.kind === 'dense') {
    checkSquare(system.matrix);
    checkEntries(system.matrix, 'The matrix');
    checkSymmetry(system.matrix, measure.largestEntry);
  } else if (!Number.isFinite(measure.eigenvalueBound) || dimensionOf(system) * system.factor.rows === 0) {
    checkEntries(system.factor, 'The factor');
  }
  checkMagnitude(measure.eigenvalueBound, 'largest eigenvalue');
  return new CheckedSystem(system, measure);
}

/**
 * Refuses a value that is not one of the two kinds of system, or whose data is no Float64Array of the length
 * of its shape.
 */
function checkForm(system: LinearSystem): void {
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

function checkDamping(damping: number): void {
  if (typeof damping !== 'number') throw badArgument('system.damping', damping, 'a number of at least 0');
  if (!Number.isFinite(damping)) {
    throw new ThermolinkError('BAD_MATRIX', `The damping is ${damping}, not a finite number.`, {
      hint: 'Damping λ is a number of at least 0.',
    });
  }
  if (damping < 0) {
    throw new ThermolinkError('NOT_POSITIVE_DEFINITE', `The damping is ${damping}, below zero.`, {
      hint: 'Damping λ is a conductance: choose a number of at least 0.',
      data: { damping },
    });
  }
}

/** Products and squares of numbers within these bounds stay finite through every scale that a board needs. */
const MAGNITUDE_MIN = 1e-50;
const MAGNITUDE_MAX = 1e50;

/**
 * Throws BAD_MATRIX if the largest entry or eigenvalue of a problem is far too large or far too small, but
 * not 0.
 */
function checkMagnitude(largest: number, name: string): void {
  if (largest === 0 || (largest >= MAGNITUDE_MIN && largest <= MAGNITUDE_MAX)) return;
  const size =
    largest < Infinity ? `of the order ${formatNumber(largest, 1)}` : 'beyond the range of float64';
  throw new ThermolinkError('BAD_MATRIX', `The ${name} is ${size}.`, {
    hint: 'Choose another unit: it should lie between 1e-50 and 1e50.',
    data: { largest },
  });
}

/**
 * Refuses a vector that is no Float64Array (BAD_ARGUMENT), that has another length than the system has
 * unknowns, an entry that is not finite, or a largest entry beyond 1e±50 (BAD_MATRIX). `name` stands in the
 * message.
 */
export function checkVector(vector: Float64Array, { dimension }: CheckedSystem, name: string): void {
  checkArray(`The ${name}`, vector, 'Float64Array');
  if (vector.length !== dimension) {
    throw new ThermolinkError(
      'BAD_MATRIX',
      `The ${name} has ${counted(vector.length, 'entry', 'entries')} for a system of ${counted(dimension, 'unknown')}.`,
      {
        hint: `Give a ${name} with one entry per column of the matrix.`,
        data: { length: vector.length, dimension },
      },
    );
  }
  const largest = normInf(vector);
  if (!Number.isFinite(largest)) {
    const index = vector.findIndex((value) => !Number.isFinite(value));
    throw new ThermolinkError('BAD_MATRIX', `Entry ${index} of the ${name} is ${vector[index]}.`, {
      hint: 'Every entry must be a finite number.',
      data: { index },
    });
  }
  checkMagnitude(largest, `largest entry of the ${name}`);
}

/**
 * Refuses a system that does not fit the board: TOO_LARGE with both sizes, or UNSUPPORTED if the board lacks
 * this kind of array.
 */
export function refuseTooLarge(system: LinearSystem, identity: DeviceIdentity): void {
  const isDense = system.kind === 'dense';
  if (isDense ? !identity.hasDense : !identity.hasFactored) {
    throw new ThermolinkError('UNSUPPORTED', `The board ${identity.model} has no ${system.kind} couplings.`, {
      hint: isDense
        ? 'Choose a board with N×N couplings, for example emulator:ideal-64.'
        : 'Choose a board with a crossbar, for example emulator:ideal-crossbar.',
      data: { model: identity.model, kind: system.kind },
    });
  }
  const { rows, columns } = isDense ? system.matrix : system.factor;
  const rowsMax = isDense ? identity.cells : identity.rows;
  if (columns <= identity.cells && rows <= rowsMax) return;
  throw new ThermolinkError(
    'TOO_LARGE',
    `The system has ${columns} unknowns${isDense ? '' : ` and a factor of ${rows} rows`}; ` +
      `the board ${identity.model} has ${identity.cells} cells${isDense ? '' : ` and ${identity.rows} rows`}.`,
    {
      hint: 'Choose a larger board, or cut the problem into blocks that fit.',
      data: { unknowns: columns, rows, cells: identity.cells, boardRows: rowsMax },
    },
  );
}
