import { describe, expect, test } from 'vitest';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { programmedSystem, roundHalfEven } from '../../src/board/quantize.js';
import { powerOfTwoAbove } from '../../src/board/scaling.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { applySystem, dimensionOf, type LinearSystem } from '../../src/linalg/linear-system.js';
import { matrix } from '../../src/linalg/matrix.js';
import { dot, formDense, normInf, subtract } from '../../src/linalg/products.js';
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
  const system = programmedSystem(image, 1);
  return { system, drive: Float64Array.from(image.drive, (code) => code * 2 ** -13) };
}

/**
 * Largest h·λ̂ of the codes, and the number of ADC steps that the rounding of rows may add in a factored
 * system.
 */
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
    ['flat', { kind: 'factored', factor: matrix(1, 6), damping: 0.3 }],
    ['overdamped', { kind: 'factored', factor: normalMatrix(random, 2, 9), damping: 300 }],
    ['single-row', { kind: 'factored', factor: normalMatrix(random, 1, 9), damping: 0.2 }],
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

/**
 * The allowed difference from `relaxCodes`, in V_fs. In ADC steps it has three parts: 2hλ_max for the carried
 * input, ½ for the ADC, and the ripple of the rows before and after a carry.
 */
function relaxationBound(board: SolverBoard): number {
  const { step, rows } = rippleOf(board);
  expect(step).toBeLessThan(1.01);
  return (2 * step + 0.5 + 2 * rows) * 2 ** -14;
}

function volts(board: SolverBoard): Float64Array {
  return Float64Array.from(board.lastCodes, (code) => code * 2 ** -14);
}

describe('n ticks', () => {
  test.each(problems())('of a %s system are (1 − hA)ⁿ of the codes', async (_, system) => {
    for (const time of [0.02, 0.1, 0.5, 2]) {
      const board = boardFor();
      const drive = normalVector(random, dimensionOf(system));
      const initial = normalVector(random, dimensionOf(system));
      const { x } = await createAnalogSolver(board).relax({ system, drive, initial, time, address });
      expect(normInf(subtract(volts(board), relaxCodes(board).v))).toBeLessThan(relaxationBound(board));
      const scale = x[0] / volts(board)[0];
      expect(scale).toBe(powerOfTwoAbove(scale));
    }
  });

  test('take the requested time t = n·h/s_A up to rounding, so that the share e^(−At) is left', async () => {
    const system = { kind: 'dense', matrix: matrix(1, 1, Float64Array.of(3)) } as const;
    const board = boardFor();
    const { x } = await createAnalogSolver(board, { relaxCouplingBits: 16 }).relax({
      system,
      drive: new Float64Array(1),
      initial: Float64Array.of(1),
      time: 0.7,
      address,
    });
    const n = board.runs[0].burnInTicks;
    // The error is at most one ADC step and the rounding of the one coupling, 3, to 16 bits.
    expect(Math.abs(x[0] - (1 - (3 * 0.7) / n) ** n)).toBeLessThan(2 ** -14 + 2 ** -15);
  });
});

describe('λt ≥ 15', () => {
  test.each(problems())('is exact natural gradient of the programmed codes (%s)', async (_, system) => {
    const board = boardFor();
    const slowest = system.kind === 'dense' ? 1 : system.damping;
    const drive = normalVector(random, dimensionOf(system));
    await createAnalogSolver(board).relax({ system, drive, initial: drive, time: 16 / slowest, address });
    const { system: programmed, drive: codes } = relaxCodes(board);
    const outcome = cholesky(
      programmed.kind === 'dense' ? programmed.matrix : formDense(programmed.factor, programmed.damping),
    );
    if (!outcome.ok) throw new Error('definite');
    const exact = choleskySolve(outcome.factor, codes);
    // The tolerance is one ADC step and e⁻¹⁶ of a start below V_fs.
    expect(normInf(subtract(volts(board), exact))).toBeLessThan(2 ** -14 + Math.exp(-16));
  });
});

describe('the board and its scales', () => {
  test('the loss of a fixed quadratic never rises with time, except by rounding', async () => {
    const system = problems()[1][1];
    const drive = normalVector(random, 20);
    let last = Infinity;
    for (const time of [0, 0.05, 0.2, 1, 4, 20]) {
      const { x } = await createAnalogSolver(boardFor(), { relaxCouplingBits: 16 }).relax({
        system,
        drive,
        initial: drive,
        time,
        address,
      });
      const loss = dot(x, applySystem(system, x)) / 2 - dot(drive, x);
      expect(loss).toBeLessThan(last + 1e-3 * Math.abs(last));
      last = loss;
    }
  });

  test('send 8-bit couplings by default in a training and count their bytes', async () => {
    const board = boardFor();
    const { cost } = await createAnalogSolver(board).relax({
      system: problems()[1][1],
      drive: normalVector(random, 20),
      initial: new Float64Array(20),
      time: 1,
      address,
    });
    expect(board.programs[0].image.couplings).toBeInstanceOf(Int8Array);
    expect(cost.uploadBytes).toBe(4 * 20 + 2 * 20 + 2 * 20);
    expect(cost.ticks).toBe(board.runs[0].burnInTicks);
    expect(cost.boardSeconds).toBeCloseTo((cost.ticks / 32) * 1e-6, 15);
    expect(cost.overloadRetries).toBe(0);
    expect(board.programs[0].image.noiseAmplitude).toBe(0);
  });

  test('scale with the problem: 1024·b and 1024·x₀ give exactly 1024·x', async () => {
    const system = problems()[1][1];
    const drive = normalVector(random, 20);
    const [one, many] = await Promise.all(
      [1, 1024].map((factor) =>
        createAnalogSolver(boardFor()).relax({
          system,
          drive: drive.map((value) => factor * value),
          initial: drive.map((value) => -factor * value),
          time: 1,
          address,
        }),
      ),
    );
    expect(many.x).toEqual(one.x.map((value) => 1024 * value));
  });

  test('send nothing for x₀ = b = 0, and for a problem that is refused', async () => {
    const board = boardFor();
    const solver = createAnalogSolver(board, { ticksMax: 1000 });
    const zero = new Float64Array(20);
    const system = problems()[1][1];
    await solver.relax({ system, drive: zero, initial: zero, time: 1, address });
    const wide = { kind: 'factored', factor: normalMatrix(random, 2, 65), damping: 1 } as const;
    const drive = normalVector(random, 65);
    await expect(solver.relax({ system: wide, drive, initial: drive, time: 1, address })).rejects.toThrow(
      /65 unknowns.*64 cells/,
    );
    const tall = { kind: 'factored', factor: normalMatrix(random, 70, 2), damping: 1 } as const;
    const two = Float64Array.of(1, 2);
    await expect(
      solver.relax({ system: tall, drive: two, initial: two, time: 1, address }),
    ).rejects.toMatchObject({ code: 'TOO_LARGE' });
    await expect(
      solver.relax({ system: tall, drive: two, initial: two, time: 1e9, address }),
    ).rejects.toMatchObject({ code: expect.stringMatching('TOO_LARGE|UNSUPPORTED') });
    await expect(
      solver.relax({ system, drive: drive.slice(0, 20), initial: zero, time: 1e5, address }),
    ).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(
      solver.relax({ system, drive: drive.slice(0, 20), initial: zero, time: 1, nextTime: 1e5, address }),
    ).rejects.toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining('delay') });
    expect(board.programs).toEqual([]);
  });

  test('add noise on request, with other noise in each step', async () => {
    const system = problems()[1][1];
    const drive = normalVector(random, 20);
    const run = async (step: number, relaxNoiseTemperature: number) => {
      const solver = createAnalogSolver(boardFor(), { relaxNoiseTemperature });
      const request = { system, drive, initial: drive, time: 1 };
      return (await solver.relax({ ...request, address: { ...address, step } })).x;
    };
    expect(await run(1, 1e-4)).toEqual(await run(1, 1e-4));
    expect(await run(1, 1e-4)).not.toEqual(await run(2, 1e-4));
    expect(await run(1, 0)).toEqual(await run(2, 0));
    await expect(run(1, 10)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(run(1, Number.NaN)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  });
});

describe('a drive that comes late', () => {
  const own = problemRandom(52);
  const system = { kind: 'factored', factor: normalMatrix(own, 4, 20), damping: 0.5 } as const;
  const drive = normalVector(own, 20);
  const initial = normalVector(own, 20);

  test('gives the same answer and cost as a drive that is given at once, and is requested after the couplings', async () => {
    const [board, other] = [boardFor(), boardFor()];
    const there = await createAnalogSolver(board).relax({ system, drive, initial, time: 2, address });
    let uploadedBefore = 0;
    const late = async (): Promise<Float64Array> => {
      uploadedBefore = other.uploadedBytes;
      return drive;
    };
    const found = await createAnalogSolver(other).relax({ system, drive: late, initial, time: 2, address });
    expect(found.x).toEqual(there.x);
    expect(other.programs.map(({ image }) => image)).toEqual(board.programs.map(({ image }) => image));
    expect(other.runs).toEqual(board.runs);
    expect(found.cost.uploadBytes).toBe(there.cost.uploadBytes);
    expect(uploadedBefore).toBe(other.programs[0].image.couplings.byteLength);
  });

  test('repeats after an overload without sending couplings again', async () => {
    // This is the problem of the first test of 'an overload'. A⁻¹ removes the mean of b.
    const cells = 32;
    const factor = matrix(1, cells, new Float64Array(cells).fill(4));
    const b = new Float64Array(cells).fill(0.99);
    b[cells - 1] = -0.99;
    const request = {
      system: { kind: 'factored', factor, damping: 1 } as const,
      initial: new Float64Array(cells),
      time: 12,
      address,
    };
    const [board, other] = [boardFor(), boardFor()];
    const options = { relaxCouplingBits: 16 };
    const there = await createAnalogSolver(board, options).relax({ ...request, drive: b });
    const found = await createAnalogSolver(other, options).relax({ ...request, drive: async () => b });
    expect(found.x).toEqual(there.x);
    expect(found.cost.overloadRetries).toBe(1);
    expect(found.cost.uploadBytes).toBe(there.cost.uploadBytes);
    expect(other.runs).toEqual(board.runs);
  });

  test('that never comes, fails or is invalid ends the use, and the board answers the next use', async () => {
    const board = boardFor();
    const solver = createAnalogSolver(board);
    const ask = { system, initial, time: 2, address };
    const broken = new Error('no gradient');
    const failing = async (): Promise<Float64Array> => {
      throw broken;
    };
    await expect(solver.relax({ ...ask, drive: failing })).rejects.toBe(broken);
    await expect(solver.relax({ ...ask, drive: async () => drive.subarray(1) })).rejects.toMatchObject({
      code: 'BAD_MATRIX',
    });
    const stop = new AbortController();
    const never = (): Promise<Float64Array> => {
      stop.abort();
      return new Promise(() => undefined);
    };
    await expect(solver.relax({ ...ask, drive: never, signal: stop.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(board.programs).toEqual([]);
    const { x } = await solver.relax({ ...ask, drive });
    expect(x).toEqual((await createAnalogSolver(boardFor()).relax({ ...ask, drive })).x);
  });

  test('of zeros gives 0 from 0 with nothing sent but the couplings', async () => {
    const board = boardFor();
    const zero = new Float64Array(20);
    const request = { system, drive: async () => zero, initial: zero, time: 2, address };
    const { x, cost } = await createAnalogSolver(board).relax(request);
    expect(x).toEqual(zero);
    expect(cost).toMatchObject({ ticks: 0, uploadBytes: 80 });
    expect([board.programs, board.runs]).toEqual([[], []]);
  });
});

describe('an overload', () => {
  test('repeats the problem with s_x doubled and only drive and state rewritten', async () => {
    // A⁻¹ removes the mean of b. The last entry of x is then −2/λ, twice the value that a cell alone would
    // reach.
    const cells = 32;
    const factor = matrix(1, cells, new Float64Array(cells).fill(4));
    const drive = new Float64Array(cells).fill(0.99);
    drive[cells - 1] = -0.99;
    const system = { kind: 'factored', factor, damping: 1 } as const;
    const board = boardFor();
    const { x, cost } = await createAnalogSolver(board, { relaxCouplingBits: 16 }).relax({
      system,
      drive,
      initial: new Float64Array(cells),
      time: 12,
      address,
    });
    expect(cost.overloadRetries).toBe(1);
    expect(board.programs.map(({ isRewrite }) => isRewrite)).toEqual([false, true]);
    expect(board.programs[1].image.couplings).toBe(board.programs[0].image.couplings);
    expect(board.runs[0].runSeed).not.toBe(board.runs[1].runSeed);
    expect(board.runs[0].burnInTicks).toBe(board.runs[1].burnInTicks);
    expect(x[cells - 1]).toBeCloseTo(-0.99 * (2 - 2 / cells), 1);
  });

  test('of a diverging system ends in OVERLOAD after six runs, of which the last four are slower', async () => {
    const system = { kind: 'dense', matrix: matrix(1, 1, Float64Array.of(-1)) } as const;
    const board = boardFor();
    const answer = createAnalogSolver(board).relax({
      system,
      drive: Float64Array.of(1),
      initial: Float64Array.of(1),
      time: 40,
      address,
    });
    await expect(answer).rejects.toMatchObject({ code: 'OVERLOAD', hint: expect.any(String) });
    expect(board.programs.map(({ isRewrite }) => isRewrite)).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
    const ticks = board.runs.map(({ burnInTicks }) => burnInTicks / board.runs[0].burnInTicks);
    expect(ticks).toEqual([1, 1, 2, 4, 8, 16]);
    expect(new Set(board.runs.map(({ runSeed }) => runSeed)).size).toBe(6);
  });
});
