import { describe, expect, test } from 'vitest';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { invert } from '../../src/algorithms/invert.js';
import { prepare } from '../../src/algorithms/prepare.js';
import { drawSamples } from '../../src/algorithms/sample.js';
import { solve } from '../../src/algorithms/solve/solve.js';
import { connect } from '../../src/connect.js';
import { applySystem, dampedSystem, type LinearSystem } from '../../src/linalg/linear-system.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import { directSolver, inverseOf } from '../../src/linalg/woodbury.js';
import { denseOf } from '../support/dense-of.js';
import { imperfectBoard, spread } from '../support/imperfect-boards.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';
import { trueCalibration } from '../support/true-calibration.js';

const cells = 12;
const system = {
  kind: 'dense',
  matrix: symmetricWith(eigenvalues('linear', 20, cells), problemRandom(501)),
} as const;
const random = problemRandom(502);
const drives = Array.from({ length: 4 }, () => normalVector(random, cells));
const address = (step: number) => ({ seed: 5, step, block: 0 });
/** Bytes of 16-bit codes: the couplings, and drive with initial state. */
const COUPLING_BYTES = cells * cells * 2;
const DRIVE_BYTES = cells * 2 * 2;

const relativeError = (x: Float64Array, exact: Float64Array) => norm2(subtract(x, exact)) / norm2(exact);

describe('a prepared system', () => {
  test('sends its couplings once for many drives, dampings and draws, and each drive costs 4N bytes', async () => {
    const board = solverBoard('ideal-256');
    const prepared = prepare(board, { system, dampingMax: 2 });
    expect(board.uploadedBytes).toBe(0);
    let uploaded = 0;
    for (const [step, drive] of drives.entries()) {
      const { cost } = await prepared.settle({ drive, tolerance: 1e-6, address: address(step) });
      uploaded += cost.uploadBytes;
    }
    const { cost: damped } = await prepared.settle({
      drive: drives[0],
      tolerance: 1e-6,
      damping: 2,
      address: address(8),
    });
    const { cost: drawn } = await prepared.sample({ count: 3, damping: 1, address: address(9) });
    const { cost: solved } = await prepared.solve({
      drive: drives[1],
      tolerance: 1e-2,
      address: address(10),
    });
    uploaded += damped.uploadBytes + drawn.uploadBytes + solved.uploadBytes;
    expect(board.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(1);
    expect(board.uploadedBytes).toBe(COUPLING_BYTES + board.programs.length * DRIVE_BYTES);
    expect(uploaded).toBe(board.uploadedBytes);
  });

  test('settles to the requested residual, and then agrees with float64', async () => {
    const board = solverBoard('ideal-256');
    const prepared = prepare(board, { system, dampingMax: 3 });
    for (const damping of [0, 0.5, 3]) {
      const exactly = directSolver(dampedSystem(system, damping))!;
      for (const [step, drive] of drives.entries()) {
        const settled = await prepared.settle({ drive, tolerance: 1e-9, damping, address: address(step) });
        const left = subtract(drive, applySystem(dampedSystem(system, damping), settled.x));
        expect(norm2(left) / norm2(drive)).toBeLessThanOrEqual(1e-9);
        expect(settled.relativeResidual).toBeCloseTo(norm2(left) / norm2(drive), 12);
        // ‖x − A⁻¹b‖ ≤ ‖r‖/λ_min, and ‖A⁻¹b‖ ≥ ‖b‖/λ_max: the condition is 20.
        expect(relativeError(settled.x, exactly(drive))).toBeLessThanOrEqual(21e-9);
      }
    }
  });

  test('takes one pass for a residual of a tenth, and as many as allowed if more are needed', async () => {
    const prepared = prepare(solverBoard('ideal-256'), { system });
    const request = { drive: drives[0], address: address(0) };
    expect((await prepared.settle({ ...request, tolerance: 0.1 })).passes).toBe(1);
    const two = await prepared.settle({ ...request, tolerance: 1e-12, passesMax: 2 });
    expect(two.passes).toBe(2);
    expect(two.relativeResidual).toBeGreaterThan(1e-12);
    expect(two.relativeResidual).toBeLessThan(1e-3);
  });

  test('solves with the same bits as a single solve', async () => {
    const request = { drive: drives[2], tolerance: 1e-3, address: address(1) };
    const alone = await solve(solverBoard('ideal-256'), { ...request, system });
    const { x, standardError } = await prepare(solverBoard('ideal-256'), { system }).solve(request);
    expect(x).toEqual(alone.x);
    expect(standardError).toEqual(alone.standardError);
  });

  test('sends the couplings again after another use of the board, and only then', async () => {
    const board = solverBoard('ideal-256');
    const settle = (step: number) =>
      prepared.settle({ drive: drives[0], tolerance: 0.1, address: address(step) });
    const prepared = prepare(board, { system });
    const couplingsSent = () => board.programs.filter(({ isRewrite }) => !isRewrite).length;
    await settle(0);
    await settle(1);
    expect(couplingsSent()).toBe(1);
    await invert(board, { system, tolerance: 0.1, address: address(2) });
    expect(couplingsSent()).toBe(2);
    const again = await settle(0);
    expect(couplingsSent()).toBe(3);
    await settle(4);
    expect(couplingsSent()).toBe(3);
    expect(relativeError(again.x, directSolver(system)!(drives[0]))).toBeLessThan(0.1);
  });

  test('gives the same over a link, and settles again after the device has solved another system', async () => {
    const device = await connect('emulator:ideal-256');
    try {
      const prepared = prepare(device, { system });
      const here = prepare(solverBoard('ideal-256'), { system });
      const request = { drive: drives[3], tolerance: 1e-6, address: address(7) };
      const expected = await here.settle(request);
      expect((await prepared.settle(request)).x).toEqual(expected.x);
      const before = device.uploadedBytes;
      expect((await prepared.settle(request)).passes).toBe(expected.passes);
      expect(device.uploadedBytes - before).toBeLessThan(COUPLING_BYTES);
      await solve(device, {
        ...request,
        tolerance: 0.1,
        system: { kind: 'dense', matrix: symmetricWith([1, 2, 3], random) },
        drive: Float64Array.of(1, 2, 3),
      });
      const settled = await prepared.settle(request);
      expect(relativeError(settled.x, directSolver(system)!(request.drive))).toBeLessThan(1e-4);
    } finally {
      await device.close();
    }
  });

  type Tolerances = readonly [profile: string, tolerance: number];
  test.each<Tolerances>([
    ['ideal-256', 0.1],
    ['ideal-256', 1e-8],
  ])('inverts on %s: every column to the requested residual %d', expectInverse);
  test.each<Tolerances>([['prototype-256', 1e-2]])(
    'inverts on %s: every column to the requested residual %d',
    { tags: 'long' },
    expectInverse,
  );

  async function expectInverse(profile: string, tolerance: number): Promise<void> {
    const prepared = prepare(solverBoard(profile), { system, couplingBits: 8 });
    const { inverse, relativeResidual, passes } = await prepared.invert({ tolerance, address: address(6) });
    expect(relativeResidual).toBeLessThanOrEqual(tolerance);
    expect(passes).toBeGreaterThanOrEqual(cells);
    const exact = inverseOf(system.matrix)!;
    expect(norm2(subtract(inverse.data, exact.data)) / norm2(exact.data)).toBeLessThan(20 * tolerance);
    for (let i = 0; i < cells; i++)
      for (let j = 0; j < i; j++) expect(inverse.data[i * cells + j]).toBe(inverse.data[j * cells + i]);
  }

  test('inverts over a link, and sends only the codes of drives that changed', async () => {
    const device = await connect('emulator:ideal-256');
    try {
      const request = { tolerance: 0.1, address: address(0) };
      const here = await prepare(solverBoard('ideal-256'), { system }).invert(request);
      const there = await prepare(device, { system }).invert(request);
      expect(there.inverse).toEqual(here.inverse);
      expect(there.cost.uploadBytes).toBe(device.uploadedBytes);
      // All codes of the first column are sent. Each other column needs two codes. A few columns look for a
      // scale first.
      expect(device.uploadedBytes).toBeLessThan(COUPLING_BYTES + DRIVE_BYTES + 8 * cells);
    } finally {
      await device.close();
    }
  });

  test('refuses an inverse without a block for each column, and an invalid tolerance', async () => {
    const prepared = prepare(solverBoard('ideal-256'), { system });
    const code = (request: Parameters<typeof prepared.invert>[0]) =>
      prepared.invert(request).catch((error: { code?: string }) => error.code);
    const last = 2 ** 16 - cells;
    expect(await code({ tolerance: 0.1, address: { ...address(0), block: last + 1 } })).toBe('BAD_ARGUMENT');
    expect(await code({ tolerance: 0, address: address(0) })).toBe('BAD_ARGUMENT');
    const { passes } = await prepared.invert({ tolerance: 0.1, address: { ...address(0), block: last } });
    expect(passes).toBeGreaterThanOrEqual(cells);
  });

  test('draws with the covariance of its inverse', async () => {
    // In one cell, A = 4 and the damping 12 give a variance of 1/16.
    const one: LinearSystem = { kind: 'dense', matrix: { rows: 1, columns: 1, data: Float64Array.of(4) } };
    const { draws } = await prepare(solverBoard('ideal-256'), { system: one, dampingMax: 12 }).sample({
      count: 2000,
      damping: 12,
      address: address(3),
    });
    const variance = draws.data.reduce((total, x) => total + x * x, 0) / draws.rows;
    // 16·variance is χ²/n with n = 2000 draws, whose correlation is 5 %. The limit of 0.2 is six standard
    // deviations.
    expect(Math.abs(16 * variance - 1)).toBeLessThan(0.2);
  });

  test('settles ill-conditioned systems and imperfect boards too', async () => {
    const steep: LinearSystem = {
      kind: 'dense',
      matrix: symmetricWith(eigenvalues('log-uniform', 1e6, cells), problemRandom(503)),
    };
    for (const [board, of] of [
      ['ideal-256', steep],
      ['prototype-256', system],
    ] as const) {
      const settled = await prepare(solverBoard(board), { system: of }).settle({
        drive: drives[0],
        tolerance: 1e-8,
        address: address(0),
      });
      const left = subtract(drives[0], applySystem(of, settled.x));
      expect(norm2(left) / norm2(drives[0])).toBeLessThanOrEqual(1e-8);
    }
  });

  test('with unlike units settles to the residual of its own equations', async () => {
    const units = [1, 100, 1e4, 1, 1e3, 10];
    const size = units.length;
    const data = Float64Array.from({ length: size ** 2 }, (_, k) => {
      const [i, j] = [Math.floor(k / size), k % size];
      return (i === j ? 4 : Math.abs(i - j) === 1 ? 1 : 0) * units[i] * units[j];
    });
    const uneven: LinearSystem = { kind: 'dense', matrix: { rows: size, columns: size, data } };
    const prepared = prepare(solverBoard('ideal-8'), { system: uneven });
    const drive = Float64Array.of(1, 2e3, -1e4, 3, 500, 20);
    for (const tolerance of [0.1, 1e-3, 1e-6]) {
      const settled = await prepared.settle({ drive, tolerance, address: address(0) });
      const residual = norm2(subtract(drive, applySystem(uneven, settled.x))) / norm2(drive);
      expect(settled.relativeResidual / residual).toBeCloseTo(1, 6);
      expect(residual).toBeLessThanOrEqual(tolerance);
    }
  });

  test('of a calibrated board gives the draws of drawSamples, with equal noise in all cells', async () => {
    const board = () => solverBoard('prototype-8');
    const calibration = trueCalibration({ profile: findProfile('prototype-8')!, dieSeed: 1 });
    const small: LinearSystem = { kind: 'dense', matrix: symmetricWith([1, 2, 3, 4], random) };
    const request = { count: 20, address: address(4) };
    const prepared = await prepare(board(), { system: small, calibration }).sample(request);
    const drawn = await drawSamples(board(), { ...request, precision: small, calibration });
    expect(prepared.isCovarianceKnown).toBe(true);
    expect(prepared.draws).toEqual(drawn.draws);
  });

  // The programmed rows are multiplied by the noise temperatures of their cells, but the damping register is
  // not.
  test('of a calibrated board adds λI to the inverse of the covariance, although its rows have different factors', async () => {
    const die = imperfectBoard({ noiseMismatch: spread(400_000) }, { cells: 8, name: 'test-8' });
    const calibration = trueCalibration(die);
    const gains = calibration.noiseTemperature;
    expect(Math.max(...gains) / Math.min(...gains)).toBeGreaterThan(2);
    const matrix = symmetricWith(eigenvalues('linear', 3, 8), problemRandom(503));
    const precision: LinearSystem = { kind: 'dense', matrix };
    const prepared = prepare(new SolverBoard(die.profile, undefined, die.dieSeed), {
      system: precision,
      calibration,
      dampingMax: 6,
    });
    for (const damping of [0, 6]) {
      const { draws } = await prepared.sample({ count: 4000, damping, address: address(damping) });
      const exact = inverseOf(denseOf(dampedSystem(precision, damping)))!;
      for (let i = 0; i < 8; i++) {
        let square = 0;
        for (let k = i; k < draws.data.length; k += 8) square += draws.data[k] ** 2 / draws.rows;
        // The standard deviation of this ratio is at most √(2·1.1/4000) = 2.3 %. The limit is six standard
        // deviations, which one of 10⁷ random seeds exceeds. If λ were divided by the noise temperatures, the
        // worst cell would have an error of 50 %.
        expect(Math.abs(square / exact.data[9 * i] - 1)).toBeLessThan(0.14);
      }
    }
  });

  test('answers b = 0 without a byte', async () => {
    const board = solverBoard('ideal-256');
    const settled = await prepare(board, { system }).settle({
      drive: new Float64Array(cells),
      tolerance: 0.1,
      address: address(0),
    });
    expect([settled.passes, settled.relativeResidual, ...settled.x]).toEqual(new Array(cells + 2).fill(0));
    expect(board.uploadedBytes).toBe(0);
  });

  test('refuses without sending a byte', async () => {
    const board = solverBoard('ideal-256');
    const prepared = prepare(board, { system, dampingMax: 1 });
    const good = { drive: drives[0], tolerance: 0.1, address: address(0) };
    const refused = (change: object, message: RegExp) =>
      expect(prepared.settle({ ...good, ...change })).rejects.toThrow(message);
    await refused({ damping: 1.5 }, /damping is 1.5; this system was prepared for 1/);
    await refused({ drive: drives[0].subarray(1) }, /has 11 entries for a system of 12/);
    await refused({ tolerance: 0 }, /tolerance is 0/);
    await refused({ passesMax: 0 }, /passesMax is 0/);
    await refused({ drive: drives[0].map(() => Number.NaN) }, /is NaN/);
    const uneven: LinearSystem = {
      kind: 'dense',
      matrix: { rows: 2, columns: 2, data: Float64Array.of(1, 0, 0, 1e6) },
    };
    expect(() => prepare(board, { system: uneven, dampingMax: 1 })).toThrow(/uneven/);
    expect(() => prepare(solverBoard('ideal-8'), { system })).toThrow(/8 cells/);
    expect(board.uploadedBytes).toBe(0);
  });
});
