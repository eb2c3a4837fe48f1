import { randomSource } from '../../src/linalg/random.js';

const SEED = 20261201;

/** Values of every size, a few of them zeros of either sign. */
export function wild(length: number, step: number): Float64Array {
  const random = randomSource({ seed: SEED, stream: 1, step });
  return Float64Array.from({ length }, () => {
    const kind = random.uniform();
    if (kind < 0.1) return kind < 0.05 ? 0 : -0;
    return (2 * random.uniform() - 1) * 2 ** Math.floor(20 * random.uniform() - 10);
  });
}
