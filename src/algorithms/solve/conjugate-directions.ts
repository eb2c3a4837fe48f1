import { dot, norm2, subtract } from '../../linalg/products.js';

/** A direction p, its image A p and its energy pᵀA p. */
interface Direction {
  readonly vector: Float64Array<ArrayBuffer>;
  readonly image: Float64Array<ArrayBuffer>;
  readonly energy: number;
}

/** A step αp, and the change αA p of the residual. */
export interface Step {
  readonly step: Float64Array<ArrayBuffer>;
  readonly image: Float64Array<ArrayBuffer>;
  /** The decrease of ‖e‖_A²: (pᵀr)²/pᵀA p. */
  readonly energy: number;
}

/** Steps make no progress if `STALL_WINDOW` of them together decrease the error by less than this share. */
const STALL_WINDOW = 16;
const STALL_GAIN = 0.1;

/**
 * Whether the last steps make no progress; `energies` are their decreases of ‖e‖_A². ‖e‖_A² = rᵀA⁻¹r is at
 * least ‖r‖₂²/λ₊ for the residual r and the largest eigenvalue λ₊.
 */
export function isStalled(
  energies: readonly number[],
  residual: Float64Array,
  eigenvalueMax: number,
): boolean {
  if (energies.length < STALL_WINDOW) return false;
  const gained = energies.slice(-STALL_WINDOW).reduce((total, energy) => total + energy, 0);
  return gained < (STALL_GAIN * norm2(residual) ** 2) / eigenvalueMax;
}

/**
 * If less than this share of a reading's energy is outside the earlier directions, they span the reading up
 * to rounding.
 */
const ENERGY_MIN = 1e-12;

/**
 * A-orthogonal directions of a symmetric positive definite A, made from given vectors such as readings of a
 * board. For a residual r = A e and a vector d, p is d made A-orthogonal to all earlier directions. The step
 * is
 *
 *     αp with α = pᵀr / pᵀA p,    ‖e‖_A² = eᵀA e falls by (pᵀr)² / pᵀA p.
 *
 * So the A-norm of the error never rises, whatever d is, and it is 0 after N directions. If d is A⁻¹r up to a
 * fixed linear error, this is the method of conjugate gradients. Each step takes one product with A.
 *
 * Source: Hestenes, Stiefel, J. Res. NBS 49 (1952), section 12; Notay, SIAM J. Sci. Comput. 22 (2000).
 */
export class ConjugateDirections {
  readonly #product: (x: Float64Array) => Float64Array<ArrayBuffer>;
  #directions: Direction[] = [];

  constructor(product: (x: Float64Array) => Float64Array<ArrayBuffer>) {
    this.#product = product;
  }

  /** The step for the residual r = `residual` along d = `reading`; undefined if d is 0. */
  step(reading: Float64Array, residual: Float64Array): Step | undefined {
    const readImage = this.#product(reading);
    const readEnergy = dot(reading, readImage);
    if (!(readEnergy > 0)) return undefined;
    let direction = this.#outside(reading, readImage);
    if (!(direction.energy > ENERGY_MIN * readEnergy)) {
      this.#directions = [];
      direction = this.#outside(reading, readImage);
    }
    this.#directions.push(direction);
    return stepAlong(direction, residual);
  }

  /**
   * The steps along all earlier directions, for a residual that was formed anew. It takes no product with A.
   */
  again(residual: Float64Array): Step {
    const step = new Float64Array(residual.length);
    const image = new Float64Array(residual.length);
    let energy = 0;
    for (const direction of this.#directions) {
      const along = stepAlong(direction, subtract(residual, image));
      addMultiple(step, 1, along.step);
      addMultiple(image, 1, along.image);
      energy += along.energy;
    }
    return { step, image, energy };
  }

  /**
   * The parts of a vector and its image that are A-orthogonal to the directions. The second sweep removes
   * rounding.
   */
  #outside(reading: Float64Array, readImage: Float64Array): Direction {
    const vector = Float64Array.from(reading);
    const image = Float64Array.from(readImage);
    for (let sweep = 0; sweep < 2; sweep++)
      for (const other of this.#directions) {
        const share = dot(vector, other.image) / other.energy;
        addMultiple(vector, -share, other.vector);
        addMultiple(image, -share, other.image);
      }
    return { vector, image, energy: dot(vector, image) };
  }
}

function stepAlong({ vector, image, energy }: Direction, residual: Float64Array): Step {
  const length = dot(vector, residual) / energy;
  return {
    step: vector.map((value) => length * value),
    image: image.map((value) => length * value),
    energy: length * length * energy,
  };
}

/** x ← x + factor·y. */
function addMultiple(x: Float64Array, factor: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] += factor * y[i];
}
