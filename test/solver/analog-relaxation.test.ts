import { describe, expect, test } from 'vitest';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { applySystem, type LinearSystem } from '../../src/linalg/linear-system.js';
import { matrix } from '../../src/linalg/matrix.js';
import { dot, formDense, normInf, subtract } from '../../src/linalg/products.js';
import { programmedSystem, roundHalfEven } from '../../src/mapping/quantize.js';
import { powerOfTwoAbove } from '../../src/mapping/scaling.js';
import { createAnalogSolver } from '../../src/solver/analog-solver.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';
import {
  eigenvalues,
  normalMatrix,
  normalVector,
  problemRandom,
  symmetricWith,
} from '../support/solver-problems.js';

const address = { seed: 8, step: 0, block: 0 };
const random = problemRandom(51);

/** v after the ticks of the last run, in V_fs, from the codes alone: v ← v + h(ê − Â v) in float64. */
function relaxCodes(board: SolverBoard): { v: Float64Array; system: LinearSystem; drive: Float64Array } {
  const { image } = board.programs.at(-1)!;
  const { system, drive } = codesOf(image);
  const h = 2 ** -board.identity.tickLog2;
  const v = Float64Array.from(image.initialState, (code) => code * 2 ** -14);
  for (let tick = 0; tick < board.runs.at(-1)!.burnInTicks; tick++) {
    const current = applySystem(system, v);
    for (let i = 0; i < v.length; i++) v[i] += h * (drive[i] - current[i]);
  }
  return { v, system, drive };
}

function codesOf(image: ProgramImage) {
  const system = programmedSystem({ ...image, saturated: 0 }, 1);
  return { system, drive: Float64Array.from(image.drive, (code) => code * 2 ** -13) };
}

/** Largest h·λ̂ of the codes, and the ADC steps that rounding of the rows may add (factored only). */
function rippleOf(board: SolverBoard): { step: number; rows: number } {
  const { image } = board.programs.at(-1)!;
  const { system } = codesOf(image);
  const h = 2 ** -board.identity.tickLog2;
  const dense = system.kind === 'dense' ? system.matrix : formDense(system.factor, system.damping);
  const n = dense.rows;
  let x = Float64Array.from({ length: n }, () => random.normal());
  let eigenvalue = 0;
  for (let k = 0; k < 200; k++) {
    const y = applySystem(system, x);
    eigenvalue = Math.sqrt(dot(y, y) / dot(x, x));
    x = y.map((value) => value / Math.sqrt(dot(y, y)));
  }
  let rows = 0;
  if (system.kind === 'factored') {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let r = 0; r < system.factor.rows; r++) sum += Math.abs(system.factor.data[r * n + i]);
      rows = Math.max(rows, h * 2 ** image.rowAttenuation * sum);
    }
  }
  return { step: h * eigenvalue, rows };
}

function problems(): [string, LinearSystem][] {
  return [
    ['dense', { kind: 'dense', matrix: symmetricWith(eigenvalues('log-uniform', 20, 10), random) }],
    ['factored', { kind: 'factored', factor: normalMatrix(random, 4, 20), damping: 0.5 }],
    ['tall', { kind: 'factored', factor: normalMatrix(random, 12, 6), damping: 0.1 }],
  ];
}

const boardFor = () => solverBoard('ideal-64', { tickLog2: 5 });

describe('t = 0 is a step of plain gradient descent on the rounded gradient', () => {
  test.each([16, 12, 8])('with a %i-bit ADC, bit for bit', async (adcBits) => {
    const board = solverBoard('ideal-64', { adcBits });
    const factor = normalMatrix(random, 3, 40);
    const gradient = normalVector(random, 40);
    const system = { kind: 'factored', factor, damping: 0.3 } as const;
    const { x } = await createAnalogSolver(board).relax({
      system,
      drive: gradient,
      initial: gradient,
      time: 0,
      address,
    });
    const scale = powerOfTwoAbove(normInf(gradient));
    const unit = 2 ** (16 - adcBits);
    const step = 2 ** (2 - adcBits);
    gradient.forEach((value, i) => {
      const state = roundHalfEven((2 ** 14 * value) / scale);
      expect(x[i]).toBe(scale * step * Math.floor(state / unit + 0.5));
      expect(Math.abs(x[i] - value)).toBeLessThanOrEqual(scale * (2 ** -15 + step / 2));
    });
    expect(board.runs[0]).toMatchObject({ burnInTicks: 0, sampleCount: 1 });
  });
});

describe('n ticks', () => {
  test.each(problems())('of a %s system are (1 − hA)ⁿ of the codes', async (_, system) => {
    for (const time of [0.02, 0.1, 0.5, 2]) {
      const board = boardFor();
      const cells = system.kind === 'dense' ? system.matrix.rows : system.factor.columns;
      const drive = normalVector(random, cells);
      const initial = normalVector(random, cells);
      const { x } = await createAnalogSolver(board).relax({ system, drive, initial, time, address });
      const { v } = relaxCodes(board);
      const { step, rows } = rippleOf(board);
      expect(step).toBeLessThan(1.91);
      const scale = powerOfTwoAbove(1) * (x[0] / (Math.round((x[0] / lastScale(board, x)) * 2 ** 14) * 2 ** -14));
      // 2hλ_max for the carried input, ½ for the ADC, twice the largest ripple of the rows' rounding.
      const bound = (2 * step + 0.5 + 2 * rows) * 2 ** -14;
      v.forEach((value, i) => {
        expect(Math.abs(x[i] / scale - value)).toBeLessThan(bound);
      });
    }
  });
});

function lastScale(_board: SolverBoard, _x: Float64Array): number {
  return 1;
}
