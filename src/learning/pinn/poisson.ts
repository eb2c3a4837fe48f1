import type { Equation, Points } from './equation.js';
import {
  cellCentres,
  gridWithEdges,
  onSides,
  POINT_SET,
  uniformFacePoints,
  uniformPoints,
} from './points.js';

/** Seed of the random points of a high-dimensional problem. They are the same in every training. */
const POINTS_SEED = 99;
const TEST_SEED = 7;
const TEST_POINTS = 4000;

/**
 * Δu = −π² Σ_k cos πx_k on the unit cube of d dimensions; the solution is u = Σ_k cos πx_k. Interior points
 * are uniform, and boundary points lie on randomly chosen faces. Both are drawn once, with a fixed seed.
 * Source: Müller, Zeinhofer, arXiv 2302.13163, section 4.
 */
export function poissonCube(dimensions = 5, interiorCount = 500, boundaryCount = 124): Equation {
  const interior = uniformPoints(interiorCount, dimensions, POINTS_SEED, POINT_SET.interior);
  const exact = (points: Float64Array, start: number): number => {
    let sum = 0;
    for (let k = 0; k < dimensions; k++) sum += Math.cos(Math.PI * points[start + k]);
    return sum;
  };
  /** A point with first coordinate `first`; all other coordinates are `value`. */
  const filled = (value: number, first = value): number[] =>
    Array.from({ length: dimensions }, (_, k) => (k === 0 ? first : value));
  const source = sourceOf(interior, dimensions, (points, start) => -(Math.PI ** 2) * exact(points, start));
  return {
    name: 'poisson',
    settings: { equation: 'poisson', dimensions, interiorCount, boundaryCount },
    dimensions,
    along: Array.from({ length: dimensions }, (_, k) => k),
    interior,
    boundary: uniformFacePoints(boundaryCount, dimensions, POINTS_SEED),
    boundaryWeight: 1,
    hidden: [48],
    start: 'wide',
    residual: laplaceResidual(source),
    exact,
    drawnLines: [
      { name: 'diagonal', from: filled(0), to: filled(1) },
      { name: 'x₁, the others 1/2', from: filled(0.5, 0), to: filled(0.5, 1) },
    ],
    lineAxis: 'place on the line',
    test: () => uniformPoints(TEST_POINTS, dimensions, TEST_SEED, POINT_SET.test),
  };
}

/** Δu = −2π² sin πx sin πy on the unit square, u = 0 on its sides; the solution is u = sin πx sin πy. */
export function poissonSquare(n = 20): Equation {
  const interior = cellCentres(n);
  const exact = (points: Float64Array, start: number): number =>
    Math.sin(Math.PI * points[start]) * Math.sin(Math.PI * points[start + 1]);
  const source = sourceOf(interior, 2, (points, start) => -2 * Math.PI ** 2 * exact(points, start));
  return {
    name: 'poisson-2d',
    settings: { equation: 'poisson-2d', grid: n },
    dimensions: 2,
    along: [0, 1],
    interior,
    boundary: onSides(n, [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]),
    boundaryWeight: 4,
    hidden: [32],
    start: 'wide',
    residual: laplaceResidual(source),
    exact,
    drawnLines: [0.1, 0.25, 0.5].map((y) => ({ name: `y = ${y}`, from: [0, y], to: [1, y] })),
    lineAxis: 'x',
    test: () => gridWithEdges(80),
  };
}

/** The right-hand side f at each interior point. */
function sourceOf(
  { count, coordinates }: Points,
  dimensions: number,
  f: (points: Float64Array, start: number) => number,
): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => f(coordinates, i * dimensions));
}

/** r = Δu − f. */
function laplaceResidual(source: Float64Array): Equation['residual'] {
  return (index, jet, partials) => {
    let laplacian = 0;
    for (let k = 0; k < jet.second.length; k++) laplacian += jet.second[k];
    partials.value = 0;
    partials.first.fill(0);
    partials.second.fill(1);
    return laplacian - source[index];
  };
}
