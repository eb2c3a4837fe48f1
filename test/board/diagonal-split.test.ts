import { describe, expect, it } from 'vitest';
import { findProfile } from '../../emulator/index.js';
import { quietSystemScale, splitDiagonal } from '../../src/board/diagonal-split.js';
import { carryNoiseVariance } from '../../src/board/noise-register.js';
import { programmedSystem, quantizeSystem } from '../../src/board/quantize.js';
import { measureSystem } from '../../src/board/system-measure.js';
import { matrix } from '../../src/linalg/matrix.js';
import { eigenvalues, problemRandom, symmetricWith } from '../support/solver-problems.js';

const board = findProfile('prototype-64')!;

function dense(seed: number, cells: number, condition: number) {
  const values = eigenvalues('log-uniform', condition, cells);
  return { kind: 'dense', matrix: symmetricWith(values, problemRandom(seed)) } as const;
}

describe('splitDiagonal', () => {
  it('leaves the smallest possible entries to the crosspoints', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const system = dense(seed, 5, 30);
      const { damping, largestEntry } = splitDiagonal(system, measureSystem(system).largestEntry);
      const left = (lambda: number) =>
        Math.max(...system.matrix.data.map((a, k) => Math.abs(a - (k % 6 === 0 ? lambda : 0))));
      expect(largestEntry).toBeCloseTo(left(damping), 12);
      for (const other of [0, 0.5, 0.9, 1.1, 2])
        expect(left(other * damping)).toBeGreaterThanOrEqual(largestEntry - 1e-12);
    }
  });

  it('leaves only zeros for a multiple of the identity, and does not change a factored system', () => {
    const identity = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(3, 0, 0, 3)) } as const;
    expect(splitDiagonal(identity, 3)).toEqual({ damping: 3, largestEntry: 0 });
    const factored = { kind: 'factored', factor: matrix(1, 2, Float64Array.of(1, 2)), damping: 0.5 } as const;
    expect(splitDiagonal(factored, 2)).toEqual({ damping: 0, largestEntry: 2 });
  });

  it('the codes of both parts stand for A to half a step', () => {
    const system = dense(3, 16, 10);
    const { damping, largestEntry } = splitDiagonal(system, 0);
    const systemScale = (largestEntry * 2048) / 2047;
    const scaling = { systemScale, solutionScale: 1, couplingBits: 12, rowAttenuation: 0 };
    const codes = quantizeSystem(system, scaling, damping);
    const programmed = programmedSystem(codes, systemScale);
    if (programmed.kind !== 'dense') throw new Error('bug: another system');
    const halfStep = systemScale / 2 ** 12;
    for (const [k, value] of programmed.matrix.data.entries())
      expect(Math.abs(value - system.matrix.data[k])).toBeLessThanOrEqual(halfStep * (1 + 1e-9));
    // Without the split, the largest entry would be on the diagonal, and the steps would be more than twice
    // as large.
    expect(measureSystem(system).largestEntry / largestEntry).toBeGreaterThan(2);
  });
});

it('at the quiet scale carried rounding adds about 1 % to ten times the least noise', () => {
  const eigenvalue = 10 / quietSystemScale(10, board);
  const least = board.noiseTemperatureMin * 1e-12;
  const tick = 2 ** -board.tickLog2;
  const share = (carryNoiseVariance(eigenvalue, tick, undefined) * eigenvalue) / (10 * least);
  // The rule for the quiet scale leaves out the factor 1 − hλ̂/2.
  expect(share * (1 - (tick * eigenvalue) / 2)).toBeCloseTo(0.01, 6);
});
