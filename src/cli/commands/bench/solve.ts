import type { SolveResult } from '../../../algorithms/contract.js';
import { solve } from '../../../algorithms/solve/solve.js';
import type { BoardDevice } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import { cholesky, choleskySolve } from '../../../linalg/cholesky.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { dot, matVec, norm2, subtract } from '../../../linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../../linalg/random.js';
import {
  eigenvalues,
  normalVector,
  type SpectrumShape,
  symmetricWith,
} from '../../../linalg/random-system.js';

/** The systems to solve. */
export interface SolveBenchCase {
  readonly cells: number;
  readonly condition: number;
  readonly tolerance: number;
  readonly spectrum: SpectrumShape;
  readonly systems: number;
  readonly seed: number;
}

/**
 * The cost of the solves of one case. Figures are means over the solved systems; they are absent if no system
 * was solved.
 */
export interface SolveBench extends Omit<SolveBenchCase, 'systems' | 'seed'> {
  readonly systems: number;
  readonly solved: number;
  readonly figures?: {
    readonly passes: number;
    readonly ticks: number;
    /** Products with A by which the host combines readings. Absent if no solve combined readings. */
    readonly hostProducts?: number;
    /**
     * Products with A after which conjugate gradients in float64 have the true error of the board's answer.
     */
    readonly conjugateGradientProducts: number;
    /** Largest and smallest ‖x̂ − x‖₂/‖x‖₂, each divided by the tolerance. */
    readonly worstError: number;
    readonly smallestError: number;
    /** Mean of (error/standard error)² over all entries: the variance of z. */
    readonly zVariance: number;
  };
  /** The reasons of refusals, each once. */
  readonly refusals: readonly string[];
}

interface Solved {
  readonly result: SolveResult;
  /** ‖x̂ − x‖₂/‖x‖₂ divided by the tolerance. */
  readonly error: number;
  readonly conjugateGradientProducts: number;
  readonly zSquares: number[];
}

/**
 * Solves random systems of one kind and compares the answers with Cholesky's in float64. A system has a
 * random basis of eigenvectors and a random right-hand side; both follow from the seed, the size and its
 * number. Refusals are counted; other errors are thrown. `onSolve` is called before each solve.
 */
export async function benchSolve(
  device: BoardDevice,
  { cells, condition, tolerance, spectrum, systems, seed }: SolveBenchCase,
  signal: AbortSignal,
  onSolve: () => void,
): Promise<SolveBench> {
  const solved: Solved[] = [];
  const refusals = new Set<string>();
  for (let number = 0; number < systems; number++) {
    onSolve();
    const random = randomSource({ seed, stream: RANDOM_STREAM.benchProblem, step: cells, block: number });
    const matrix = symmetricWith(eigenvalues(spectrum, condition, cells), random);
    const drive = normalVector(random, cells);
    const address = { seed, step: 0, block: number };
    try {
      const system = { kind: 'dense', matrix } as const;
      const result = await solve(device, { system, drive, tolerance, address, signal });
      solved.push(judged(result, matrix, drive, tolerance));
    } catch (error) {
      if (!(error instanceof ThermolinkError) || !REFUSALS.includes(error.code)) throw error;
      refusals.add(`${error.code}: ${error.message}`);
    }
  }
  return {
    cells,
    condition,
    tolerance,
    spectrum,
    systems,
    solved: solved.length,
    ...(solved.length > 0 && { figures: figuresOf(solved) }),
    refusals: [...refusals],
  };
}

/** Codes of the errors that only mean that a board cannot solve a system. */
const REFUSALS: readonly string[] = ['TOLERANCE_NOT_MET', 'OVERLOAD', 'UNSUPPORTED', 'NOT_POSITIVE_DEFINITE'];

function judged(result: SolveResult, matrix: Matrix, drive: Float64Array, tolerance: number): Solved {
  const outcome = cholesky(matrix);
  if (!outcome.ok) throw new Error('bug: a system that was solved is not positive definite');
  const exact = choleskySolve(outcome.factor, drive);
  const difference = subtract(result.x, exact);
  const error = norm2(difference);
  return {
    result,
    error: error / norm2(exact) / tolerance,
    conjugateGradientProducts: conjugateGradientProducts(matrix, drive, exact, error),
    zSquares: Array.from(difference, (value, i) => (value / result.standardError[i]) ** 2),
  };
}

function figuresOf(solved: readonly Solved[]): NonNullable<SolveBench['figures']> {
  const combined = solved.flatMap(({ result }) => (result.combined ? [result.combined.products] : []));
  return {
    passes: meanOf(solved.map(({ result }) => result.passes)),
    ticks: meanOf(solved.map(({ result }) => result.cost.ticks)),
    ...(combined.length > 0 && { hostProducts: meanOf(combined) }),
    conjugateGradientProducts: meanOf(solved.map((one) => one.conjugateGradientProducts)),
    worstError: Math.max(...solved.map(({ error }) => error)),
    smallestError: Math.min(...solved.map(({ error }) => error)),
    zVariance: meanOf(solved.flatMap(({ zSquares }) => zSquares)),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** In float64 conjugate gradients may need many times N products. The count ends at this multiple of N. */
const PRODUCTS_PER_UNKNOWN_MAX = 40;

/**
 * The number of products with A after which plain conjugate gradients have ‖x_k − `exact`‖₂ ≤ `error`. They
 * know the exact answer, so they stop at the first such k.
 */
export function conjugateGradientProducts(
  matrix: Matrix,
  drive: Float64Array,
  exact: Float64Array,
  error: number,
): number {
  const size = drive.length;
  const x = new Float64Array(size);
  const residual = Float64Array.from(drive);
  const direction = Float64Array.from(drive);
  let square = dot(residual, residual);
  let products = 0;
  while (norm2(subtract(x, exact)) > error && products < PRODUCTS_PER_UNKNOWN_MAX * size) {
    const image = matVec(matrix, direction);
    products++;
    const length = square / dot(direction, image);
    for (let i = 0; i < size; i++) {
      x[i] += length * direction[i];
      residual[i] -= length * image[i];
    }
    const next = dot(residual, residual);
    for (let i = 0; i < size; i++) direction[i] = residual[i] + (next / square) * direction[i];
    square = next;
  }
  return products;
}
