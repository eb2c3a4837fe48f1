import type { RandomSource } from './random.js';

/**
 * A permutation of 0 … count − 1 (Fisher–Yates), from count − 1 draws. The chance of any one choice differs from uniform by less
 * than count/2³².
 */
export function randomPermutation(count: number, random: RandomSource): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    const moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
  return order;
}
