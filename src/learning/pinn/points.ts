import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import type { Points } from './equation.js';

/** n² points of the unit square, in the middle of the cells of an n × n grid. */
export function cellCentres(n: number): Points {
  const coordinates = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) coordinates.set([(i + 0.5) / n, (j + 0.5) / n], 2 * (i * n + j));
  return { count: n * n, coordinates };
}

/** n² points of the unit square that include its edges and corners, n ≥ 2. */
export function gridWithEdges(n: number): Points {
  const coordinates = new Float64Array(2 * n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) coordinates.set([i / (n - 1), j / (n - 1)], 2 * (i * n + j));
  return { count: n * n, coordinates };
}

/** A side of the unit square: the coordinate that is fixed there, and its value. */
export type Side = readonly [dimension: 0 | 1, value: 0 | 1];

/** n points on each side, in the middle of n equal pieces. All points of a side follow one another. */
export function onSides(n: number, sides: readonly Side[]): Points {
  const coordinates = new Float64Array(2 * n * sides.length);
  sides.forEach(([dimension, value], side) => {
    for (let i = 0; i < n; i++) {
      const start = 2 * (side * n + i);
      coordinates[start + dimension] = value;
      coordinates[start + 1 - dimension] = (i + 0.5) / n;
    }
  });
  return { count: n * sides.length, coordinates };
}

/** The set of random points that is drawn. Each set uses different random numbers. */
export const POINT_SET = { interior: 0, boundary: 1, test: 2 } as const;

/** Uniform points of the unit cube of d dimensions, a pure function of the seed (u32) and the set. */
export function uniformPoints(count: number, dimensions: number, seed: number, set: number): Points {
  const random = randomSource({ seed, stream: RANDOM_STREAM.collocation, block: set });
  const coordinates = Float64Array.from({ length: count * dimensions }, () => random.uniform());
  return { count, coordinates };
}

/** Uniform points on randomly chosen faces of the unit cube of d dimensions. */
export function uniformFacePoints(count: number, dimensions: number, seed: number): Points {
  const random = randomSource({ seed, stream: RANDOM_STREAM.collocation, block: POINT_SET.boundary });
  const coordinates = new Float64Array(count * dimensions);
  for (let point = 0; point < count; point++) {
    const start = point * dimensions;
    for (let k = 0; k < dimensions; k++) coordinates[start + k] = random.uniform();
    const face = Math.floor(2 * dimensions * random.uniform());
    coordinates[start + (face >> 1)] = face & 1;
  }
  return { count, coordinates };
}
