import { dot, norm2, subtract } from '../../linalg/products.js';

/** A direction p, its image A p and its energy pᵀA p. */
interface Direction {
  readonly vector: Float64Array<ArrayBuffer>;
  readonly image: Float64Array<ArrayBuffer>;
  readonly energy: number;
}

/** A step αp and what it takes off the residual, αA p. */
export interface Step {
  readonly step: Float64Array<ArrayBuffer>;
  readonly image: Float64Array<ArrayBuffer>;
  /** By how much ‖e‖_A² falls: (pᵀr)²/pᵀA p. */
  readonly energy: number;
}

/** So many steps that take off less than this part of what is left, all together, lead nowhere. */
const STALL_WINDOW = 16;
const STALL_GAIN = 0.1;

/**
 * Whether the last steps, which made ‖e‖_A² smaller by `energies`, lead nowhere. ‖e‖_A² = rᵀA⁻¹r is at least
 * ‖r‖₂²/λ₊ for the residual r and the largest eigenvalue λ₊.
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
 * A reading with less than this part of its energy outside the directions so far is spanned by them up to
 * rounding.
 */
const ENERGY_MIN = 1e-12;

/**
 * A-orthogonal directions of a symmetric positive definite A, made of vectors that come from elsewhere, such
 * as readings of a board. For a residual r = A e and a vector d, p is d made A-orthogonal to all directions
 * before, and the step is
 *
 *     αp with α = pᵀr / pᵀA p,    ‖e‖_A² = eᵀA e falls by (pᵀr)² / pᵀA p.
 *
 * So the A-norm of the error never rises, whatever d is, and N directions end it. Where d is A⁻¹r up to a
 * fixed linear error this is the method of conjugate gradients. One product with A a step.
 *
 * Source: Hestenes, Stiefel, J. Res. NBS 49 (1952), section 12; Notay, SIAM J. Sci. Comput. 22 (2000).
 */
export class ConjugateDirections {
  readonly #product: (x: Float64Array) => Float64Array<ArrayBuffer>;
  #directions: Direction[] = [];

  constructor(product: (x: Float64Array) => Float64Array<ArrayBuffer>) {
    this.#product = product;
  }

  /** The step for residual r = `residual` along d = `reading`; undefined when d is 0. */
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

  /** The steps along all directions so far, for a residual that did not come from them. No product. */
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

  /** What of a vector and its image is A-orthogonal to the directions. The second sweep removes rounding. */
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
