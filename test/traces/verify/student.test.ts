import { describe, expect, it } from 'vitest';
import { studentLimit, studentTails } from '../../../src/traces/verify/student.js';

/** [t, degrees of freedom, P(|T| ≥ t)] by mpmath 1.3 with 40 digits: betainc(ν/2, 1/2, 0, ν/(ν+t²)). */
const TAILS = [
  [0.5, 1, 0.7048327646991],
  [1, 1, 0.5],
  [3, 2, 0.0954659662667],
  [12.5, 3, 0.001103631331],
  [2.1, 15, 0.053055256152],
  [7.7, 15, 1.3742898287561e-6],
  [4.73, 63, 1.3086748555334e-5],
  [6, 255, 6.7345934766497e-9],
  [9, 1023, 1.0755926568484e-18],
  [40, 63, 1.6974279920901e-46],
  [0.001, 1000000, 0.9992021157716],
] as const;

describe("Student's distribution", () => {
  it.each(TAILS)('P(|T| ≥ %d) of %d degrees of freedom', (t, dof, tails) => {
    expect(Math.abs(studentTails(t, dof) / tails - 1)).toBeLessThan(1e-7);
    expect(studentTails(-t, dof)).toBe(studentTails(t, dof));
  });

  it('has limits that are the inverse function of its tails', () => {
    for (const dof of [1, 7, 63, 1023])
      for (const tails of [0.5, 1e-3, 1e-9])
        expect(studentTails(studentLimit(tails, dof), dof) / tails).toBeCloseTo(1, 6);
  });

  it('is not the normal distribution: at 15 degrees of freedom 1e-6 lies at 7.9, not at 4.9', () => {
    expect(studentLimit(1e-6, 15)).toBeGreaterThan(7.5);
    expect(studentLimit(1e-6, 1e6)).toBeCloseTo(4.892, 3);
  });
});
