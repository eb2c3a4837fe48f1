import { describe, expect, it } from 'vitest';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import type { LoadedFactor } from '../../src/algorithms/contract.js';
import { createNoSolver } from '../../src/algorithms/truncated.js';
import { adcStep, driveStep } from '../../src/board/board-range.js';
import { factorEigenvalueMax } from '../../src/board/spectrum.js';
import { boardWith } from '../../src/cli/commands/study/boards.js';
import { applySystem } from '../../src/linalg/linear-system.js';
import type { Matrix } from '../../src/linalg/matrix.js';
import { dot, norm2, normInf, subtract } from '../../src/linalg/products.js';
import { directSolver } from '../../src/linalg/woodbury.js';
import { hiddenTop } from '../support/hidden-eigenvalue.js';
import { SolverBoard } from '../support/solver-board.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

const address = { seed: 3, step: 0, block: 0 };
const board = (): SolverBoard => new SolverBoard(findProfile('ideal-crossbar')!);

/** A factor whose singular values fall as 0.9ⁱ, like those of a curvature. */
function steepFactor(rows: number, columns: number, seed: number): Matrix {
  const factor = normalMatrix(problemRandom(seed), rows, columns);
  for (let r = 0; r < rows; r++) for (let i = 0; i < columns; i++) factor.data[r * columns + i] *= 0.9 ** i;
  return factor;
}

describe('truncated solves', () => {
  const factor = steepFactor(40, 24, 1);
  const drive = normalVector(problemRandom(2), 24);
  const damping = 0.05;
  const system = { kind: 'factored', factor, damping } as const;
  const exact = directSolver(system)!(drive);
  const errorOf = (x: Float64Array): number => {
    const error = subtract(x, exact);
    return Math.sqrt(dot(error, applySystem(system, error)) / dot(exact, applySystem(system, exact)));
  };

  const solved = async (
    device: SolverBoard,
    work: (loaded: LoadedFactor) => Promise<Float64Array>,
    couplingBits = 8,
  ): Promise<Float64Array> =>
    createAnalogSolver(device, { relaxCouplingBits: couplingBits }).truncated({ factor, address }, work);

  it('tend to the equilibrium with more ticks', async () => {
    const errors: number[] = [];
    for (const ticks of [16, 256, 65_536]) {
      const x = await solved(
        board(),
        async (loaded) => (await loaded.run({ drive, damping, ticks, scale: 0 })).x,
        16,
      );
      errors.push(errorOf(x));
    }
    expect(errors[1]).toBeLessThan(errors[0]);
    // The remaining error is rounding: couplings and ADC of 16 bits, λ in steps of 2⁻¹⁵ s_A.
    expect(errors[2]).toBeLessThan(1e-2);
  });

  it('are (1 − hA)ⁿ of the codes as programmed, at the largest stable step', async () => {
    const device = board();
    const ticks = 200;
    // With 1000 rows the scale follows from λ_max and not from the largest entry.
    const tall = steepFactor(1000, 24, 4);
    await createAnalogSolver(device).truncated({ factor: tall, address }, (loaded) =>
      loaded.run({ drive, damping, ticks, scale: 0 }),
    );
    const {
      couplings,
      couplingBits,
      damping: dampingCode,
      drive: driveCodes,
    } = device.programs.at(-1)!.image;
    const codes = Float64Array.from(couplings, (code) => code * 2 ** (1 - couplingBits));
    const programmed = {
      kind: 'factored',
      factor: { ...tall, data: codes },
      damping: dampingCode * 2 ** -15,
    } as const;
    const h = 2 ** -device.identity.tickLog2;
    const top = factorEigenvalueMax(programmed.factor);
    expect(h * top).toBeGreaterThan(1.8);
    expect(h * top).toBeLessThan(1.94);
    const step = driveStep(device.identity);
    const v = new Float64Array(24);
    for (let tick = 0; tick < ticks; tick++) {
      const av = applySystem(programmed, v);
      for (let i = 0; i < v.length; i++) v[i] += h * (driveCodes[i] * step - av[i]);
    }
    const read = Float64Array.from(device.lastCodes, (code) => code * adcStep(device.identity.adcBits));
    // Carried rounding of a tick is up to 2·h·λ_max steps of a 16-bit ADC.
    expect(normInf(subtract(read, v)) / adcStep(16)).toBeLessThan(2 * h * top + 1);
  });

  it('several runs send the couplings once', async () => {
    const device = board();
    await solved(device, async (loaded) => {
      for (const lambda of [0.05, 0.02, 0.1])
        await loaded.run({ drive, damping: lambda, ticks: 64, scale: 0 });
      return drive;
    });
    const isRewrite = device.programs.map((program) => program.isRewrite);
    expect(isRewrite[0]).toBe(false);
    expect(isRewrite.slice(1).every(Boolean)).toBe(true);
    expect(device.runs.length).toBeGreaterThanOrEqual(3);
  });

  it('a damping that is much larger than λ_max enters the scale, and the couplings are sent again', async () => {
    const device = board();
    const strong = 1000;
    const { x } = await createAnalogSolver(device).truncated({ factor, address }, async (loaded) => {
      await loaded.run({ drive, damping, ticks: 64, scale: 0 });
      return loaded.run({ drive, damping: strong, ticks: 512, scale: 0 });
    });
    const expected = directSolver({ kind: 'factored', factor, damping: strong })!(drive);
    expect(norm2(subtract(x, expected)) / norm2(expected)).toBeLessThan(0.02);
    expect(device.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(2);
  });

  it('the scale is found from a bad guess, and the next run starts at that scale', {
    tags: 'long',
  }, async () => {
    for (const scale of [2 ** -12, 2 ** 12]) {
      const device = board();
      const nextScale = await createAnalogSolver(device).truncated(
        { factor, address },
        async (loaded) => (await loaded.run({ drive, damping, ticks: 1024, scale })).nextScale,
      );
      expect(device.runs.length).toBeGreaterThan(1);
      const again = board();
      await createAnalogSolver(again).truncated({ factor, address }, (loaded) =>
        loaded.run({ drive, damping, ticks: 1024, scale: nextScale }),
      );
      expect(again.runs).toHaveLength(1);
      expect(normInf(Float64Array.from(again.lastCodes)) / 2 ** 15).toBeGreaterThan(1 / 8);
    }
  });

  it('a system without a drive is solved without the board', async () => {
    const device = board();
    const { x } = await createAnalogSolver(device).truncated({ factor, address }, (loaded) =>
      loaded.run({ drive: new Float64Array(24), damping, ticks: 1024, scale: 0 }),
    );
    expect(x).toEqual(new Float64Array(24));
    expect(device.programs).toHaveLength(0);
  });

  it('the control returns its input, at no cost', async () => {
    const { x, cost } = await createNoSolver().truncated({ factor, address }, async (loaded) => ({
      ...(await loaded.run({ drive, damping, ticks: 1024, scale: 0 })),
      cost: loaded.cost,
    }));
    expect(x).toEqual(drive);
    expect([cost.ticks, cost.uploadBytes]).toEqual([0, 0]);
  });

  it('are stable on a board with offsets, even if one start of Lanczos’ method misses λ_max', async () => {
    // If λ_max were missed, offsets would excite a growing mode at every scale, and no scale would be found.
    const shape = { cells: 32, rows: 512, dense: false, tickLog2: 5 } as const;
    const device = new SolverBoard(boardWith(shape, { adcBits: 12, offset: 0.001 }));
    const top = hiddenTop(32);
    const b = normalVector(problemRandom(6), 32);
    // Codes of 8 bits would change the eigenvector, and the start of Lanczos' method would no longer miss it.
    const solver = createAnalogSolver(device, { relaxCouplingBits: 16 });
    const { x } = await solver.truncated({ factor: top, address }, (loaded) =>
      loaded.run({ drive: b, damping, ticks: 4096, scale: 0 }),
    );
    const expected = directSolver({ kind: 'factored', factor: top, damping })!(b);
    expect(norm2(subtract(x, expected)) / norm2(expected)).toBeLessThan(0.2);
  });

  it.each([4, 5, 6, 8])('with couplings of %i bits are stable', async (bits) => {
    // Equal entries have equal rounding errors, so λ_max rises by the full rounding error.
    const data = new Float64Array(960).fill(1.45 / 2 ** (bits - 1));
    data[0] = 1;
    const device = board();
    await createAnalogSolver(device, { relaxCouplingBits: bits }).truncated(
      { factor: { rows: 40, columns: 24, data }, address },
      (loaded) => loaded.run({ drive, damping: 0, ticks: 4096, scale: 0 }),
    );
    const codes = Float64Array.from(
      device.programs.at(-1)!.image.couplings,
      (code) => code * 2 ** (1 - bits),
    );
    const top = factorEigenvalueMax({ rows: 40, columns: 24, data: codes });
    expect(2 ** -device.identity.tickLog2 * top).toBeLessThan(1.94);
  });
});
