import { describe, expect, it } from 'vitest';
import { planBatches } from '../../../src/learning/batches.js';

/** Each example's only input is its own number. */
const numbered = {
  count: 25,
  inputs: Float32Array.from({ length: 25 }, (_, i) => i),
  labels: Uint8Array.from({ length: 25 }, (_, i) => i % 3),
};

describe('planBatches', () => {
  const plan = planBatches(numbered, 4, 3, 9);
  const epoch = (e: number): number[] =>
    Array.from({ length: 6 }, (_, i) => Array.from(plan.batchOf(6 * e + i).inputs)).flat();

  it('shows each example at most once per epoch, with its label', () => {
    expect([plan.stepsPerEpoch, plan.totalSteps]).toEqual([6, 18]);
    for (const e of [0, 1, 2]) expect(new Set(epoch(e)).size).toBe(24);
    const { inputs, labels } = plan.batchOf(7);
    expect(Array.from(labels)).toEqual(Array.from(inputs, (value) => value % 3));
  });

  it('draws a new order for every epoch and seed', () => {
    expect(epoch(0)).not.toEqual(epoch(1));
    expect(epoch(1)).not.toEqual(epoch(2));
    const other = planBatches(numbered, 4, 3, 10);
    expect(other.batchOf(0)).not.toEqual(plan.batchOf(0));
  });

  it('is a function of seed and step, for any order of requests', () => {
    const again = planBatches(numbered, 4, 3, 9);
    for (const step of [17, 0, 9, 3]) expect(again.batchOf(step)).toEqual(plan.batchOf(step));
  });

  it('refuses more steps than can be numbered, and says how many epochs they are', () => {
    // 6 steps an epoch.
    const epochsMax = Math.floor(2 ** 32 / 6);
    expect(planBatches(numbered, 4, epochsMax, 9).totalSteps).toBeLessThanOrEqual(2 ** 32);
    expect(() => planBatches(numbered, 4, epochsMax + 1, 9)).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', data: expect.objectContaining({ epochsMax }) }),
    );
  });

  it('puts every example into the first place with the same probability', () => {
    const counts = new Array<number>(25).fill(0);
    const seeds = 2000;
    for (let seed = 0; seed < seeds; seed++)
      counts[planBatches(numbered, 25, 1, seed).batchOf(0).inputs[0]]++;
    const expected = seeds / 25;
    const chiSquared = counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
    // 24 degrees of freedom: P(χ² > 71) < 2e-6.
    expect(chiSquared).toBeLessThan(71);
  });
});
