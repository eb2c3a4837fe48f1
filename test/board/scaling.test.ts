import { describe, expect, test } from 'vitest';
import { rowAttenuationOf } from '../../src/board/board-range.js';
import { checkSystem } from '../../src/board/checked-system.js';
import {
  equilibriumSolutionScale,
  equilibriumSystemScale,
  finiteTimeScaling,
  powerOfTwoAbove,
  undo,
} from '../../src/board/scaling.js';
import { measureSystem } from '../../src/board/system-measure.js';
import { matrix } from '../../src/linalg/matrix.js';
import { norm2 } from '../../src/linalg/products.js';
import { solverBoard } from '../support/solver-board.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

const crossbar = solverBoard('ideal-crossbar').identity;
const dense = solverBoard('ideal-8').identity;

describe('finite-time scaling of a factored system', () => {
  const random = problemRandom(1);
  const factor = normalMatrix(random, 4, 9);
  const system = { kind: 'factored', factor, damping: 0.3 } as const;
  const checked = checkSystem(system);
  const { measure } = checked;
  const g = normalVector(random, 9);
  const x0 = normalVector(random, 9);

  test('bounds the largest eigenvalue by ‖K‖_F² + λ', () => {
    expect(measure.eigenvalueBound).toBeCloseTo(norm2(factor.data) ** 2 + 0.3, 12);
    expect(measure.largestEntry).toBe(Math.max(...factor.data.map(Math.abs)));
    expect(measure.eigenvalueFloor).toBe(0.3);
  });

  test.each([0.1, 1, 7.3, 100])('runs a whole number of ticks that takes exactly the time t = %f', (time) => {
    const scaling = finiteTimeScaling(checked, { time, drive: g, initial: x0 }, crossbar, 8);
    const bound = measure.eigenvalueBound;
    const scaleMin = Math.max((measure.largestEntry / (127 / 128)) ** 2, bound / 32);
    const pathTicks = Math.ceil(6 * Math.min(1, bound * time));
    expect(scaling.ticks).toBe(Math.max(pathTicks, Math.ceil(time * scaleMin * 32)));
    expect(scaling.ticks / 32 / scaling.systemScale).toBeCloseTo(time, 12);
    expect(scaling.systemScale).toBeGreaterThanOrEqual(scaleMin * (1 - 1e-15));
  });

  test.each([
    ['no curvature', 0, 0.3],
    ['curvature of one direction', 1, 0],
    ['hardly any curvature', 1e-3, 2],
    ['little damping', 30, 1e-3],
  ])('lets no mode overshoot, and leaves e^(−λt) within 0.05: %s', (_, entry, damping) => {
    const one = { kind: 'factored', factor: matrix(1, 1, Float64Array.of(entry)), damping } as const;
    const zero = new Float64Array(1);
    for (let time = 1e-3; time < 1e4; time *= 1.07) {
      const { ticks } = finiteTimeScaling(
        checkSystem(one),
        { time, drive: zero, initial: zero },
        crossbar,
        8,
      );
      for (const eigenvalue of [damping, entry ** 2 / 3 + damping, entry ** 2 + damping]) {
        const left = (1 - (eigenvalue * time) / ticks) ** ticks;
        const ideal = Math.exp(-eigenvalue * time);
        expect((eigenvalue * time) / ticks).toBeLessThanOrEqual(1 + 1e-12);
        expect(left).toBeLessThanOrEqual(ideal + 1e-12);
        expect(left).toBeGreaterThan(ideal - 0.05);
      }
    }
  });

  // The host does not check the codes of a relaxation, so a drive beyond its range would be cut without an
  // error.
  test.each([1e-4, 1e-2, 0.1, 1, 10])('keeps the drive within its range for t = %f', (time) => {
    for (const size of [1, 1e2, 1e5]) {
      const drive = g.map((value) => size * value);
      const { systemScale, solutionScale } = finiteTimeScaling(
        checked,
        { time, drive, initial: x0 },
        crossbar,
        8,
      );
      const largest = Math.max(...drive.map(Math.abs)) / (systemScale * solutionScale);
      expect(largest).toBeLessThanOrEqual(crossbar.driveRange);
    }
  });

  test('takes no tick for t = 0, with s_A at its minimum', () => {
    const scaling = finiteTimeScaling(checked, { time: 0, drive: g, initial: g }, crossbar, 8);
    expect(scaling.ticks).toBe(0);
    expect(scaling.solutionScale).toBe(powerOfTwoAbove(Math.max(...g.map(Math.abs))));
  });

  test('chooses s_x from the voltage that a single cell reaches', () => {
    const drive = Float64Array.of(2);
    const initial = Float64Array.of(-5);
    const one = { kind: 'factored', factor: matrix(1, 1, Float64Array.of(1)), damping: 0.5 } as const;
    const scaling = finiteTimeScaling(checkSystem(one), { time: 2, drive, initial }, crossbar, 8);
    const reached = 5 * Math.exp(-1) + (2 * (1 - Math.exp(-1))) / 0.5;
    expect(scaling.solutionScale).toBe(powerOfTwoAbove(Math.max(reached, 5)));
  });

  test('handles λ = 0 and K = 0, where x(t) = x₀ + b t', () => {
    const zero = { kind: 'factored', factor: matrix(1, 2), damping: 0 } as const;
    const scaling = finiteTimeScaling(
      checkSystem(zero),
      { time: 3, drive: Float64Array.of(1, 0), initial: new Float64Array(2) },
      crossbar,
      8,
    );
    expect(scaling.ticks).toBe(1);
    expect(scaling.systemScale).toBeCloseTo(1 / 32 / 3, 15);
    expect(Number.isFinite(scaling.solutionScale)).toBe(true);
  });
});

describe('scaling of a dense system', () => {
  test('uses the smaller of Frobenius norm and largest row sum, and Gershgorin’s floor', () => {
    const system = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, -1, -1, 3)) } as const;
    expect(measureSystem(system)).toEqual({
      largestEntry: 4,
      rowSumMax: 5,
      eigenvalueBound: 5,
      eigenvalueFloor: 2,
    });
  });

  test('keeps the largest coupling within its code and the step stable', () => {
    const system = { kind: 'dense', matrix: matrix(1, 1, Float64Array.of(7)) } as const;
    expect(equilibriumSystemScale(system, 7, 7, 7, dense)).toBeCloseTo((7 * 32768) / 32767, 12);
    const stiff = equilibriumSystemScale(system, 1, 1, 1000, dense);
    expect((1000 / stiff) * 2 ** -4).toBeCloseTo(1.9, 12);
  });

  test.each([1, 1.5, 4, 18, 20, 100])(
    'lets no mode settle later than the mode of the smallest eigenvalue, condition %f',
    (condition) => {
      const system = { kind: 'factored', factor: matrix(1, 1), damping: 1 } as const;
      const scale = equilibriumSystemScale(system, 0, 1, condition, dense);
      const kept = (eigenvalue: number) => Math.abs(1 - (2 ** -4 * eigenvalue) / scale);
      expect(kept(condition)).toBeLessThanOrEqual(kept(1) + 1e-12);
      expect(kept(1)).toBeLessThan(1);
    },
  );

  test('gives the drive its range', () => {
    const drive = Float64Array.of(100, 0, 0, 0);
    expect(equilibriumSolutionScale(drive, 1e9, 1, dense)).toBe(32);
    expect(equilibriumSolutionScale(drive, 1, 1, dense)).toBe(64);
  });
});

test('powers of two round up exactly', () => {
  expect([1, 1.0000000000000002, 0.5, 3, 4, 1e-300].map(powerOfTwoAbove)).toEqual([
    1,
    2,
    0.5,
    4,
    4,
    2 ** -996,
  ]);
});

test('rows are attenuated as much as needed and allowed', () => {
  expect(rowAttenuationOf(80, 44, 8192)).toBe(5);
  expect(rowAttenuationOf(80, 1000, 8192)).toBe(5);
  expect(rowAttenuationOf(4, 3, 8192)).toBe(2);
  expect(rowAttenuationOf(4, 0.1, 8192)).toBe(0);
  expect(rowAttenuationOf(4096, 1000, 8192)).toBe(0);
});

test('undo gives codes the unit s_x · 2^(2−b)', () => {
  expect(Array.from(undo(Int16Array.of(16384, -1), 8, 16))).toEqual([8, -8 / 16384]);
  expect(Array.from(undo([512], 1, 12))).toEqual([0.5]);
});
