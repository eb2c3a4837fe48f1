/** Cases that the other tables do not have: overloads, defective boards, too coarse codes, refusals. */
import type { BoardProfile } from '../../../emulator/profiles/board-profile.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createCholeskySolver } from '../../../src/algorithms/cholesky-solver.js';
import { createIdealSampler } from '../../../src/algorithms/ideal-sampler.js';
import { invert } from '../../../src/algorithms/invert.js';
import { logDeterminant } from '../../../src/algorithms/logdet/log-determinant.js';
import { solveLyapunov } from '../../../src/algorithms/lyapunov/solve-lyapunov.js';
import { prepare } from '../../../src/algorithms/prepare.js';
import { relax } from '../../../src/algorithms/relax.js';
import { drawSamples } from '../../../src/algorithms/sample.js';
import { solve } from '../../../src/algorithms/solve/solve.js';
import { createExactSolver } from '../../../src/algorithms/truncated.js';
import { type CheckedSystem, checkSystem } from '../../../src/board/checked-system.js';
import { driveCodes, driveVolts, readingVolts, stateCodes, stateVolts } from '../../../src/board/volts.js';
import type { LinearSystem } from '../../../src/linalg/linear-system.js';
import { matrix } from '../../../src/linalg/matrix.js';
import { normalVector, problemRandom } from '../../support/solver-problems.js';
import type { Lab, ProgramTable } from '../program.js';
import { ADDRESS, calibrationOf, effects, factored, ofSize, problem, rowsOf, unlike } from './boards.js';

const easy = problem(8, 6);
const vector = (length: number, seed = 850): Float64Array => normalVector(problemRandom(seed), length);
const to = (tolerance: number) => ({ tolerance, address: ADDRESS });
const deadCells = (...cells: number[]): Partial<BoardProfile> => ({
  ...effects({ deadCells: { sharePpm: 125_000, source: 'test' } }),
  measured: { source: 'test', deadCells: { cells } },
});
const runs =
  (...which: readonly number[]) =>
  (run: number): boolean =>
    which.includes(run);

/** The same call fails on a board that overloads in every run from `first` on. */
function overloading(lab: Lab, profile: string, first: number, overrides?: Partial<BoardProfile>) {
  return lab.board(profile, overrides, { overloads: (run) => run >= first });
}

/** A factor whose columns have very different units. */
function unlikeFactor(rows: number, columns: number, damping: number): LinearSystem {
  const { factor } = factored(rows, columns, 0);
  const data = factor.data.map((value, k) => value * 10 ** (k % columns));
  return { kind: 'factored', factor: matrix(rows, columns, data), damping };
}

/** The result of a check of a system. */
function checkedAs(checked: CheckedSystem): unknown {
  const { measure, dimension, spectrum, evened } = checked;
  return { measure, dimension, spectrum, weights: evened.weights, evened: evened.checked.spectrum };
}

export const RARE_PATHS: ProgramTable = {
  'overload-solve': async (lab) => [
    await solve(lab.board('ideal-8', {}, { overloads: runs(0, 1) }), { ...easy, ...to(0.05) }),
    await solve(lab.board('ideal-8', {}, { overloads: runs(1) }), { ...easy, ...to(0.05) }),
    await solve(lab.board('ideal-8', {}, { overloads: runs(2) }), { ...easy, ...to(0.05) }),
    await solve(lab.board('prototype-8', {}, { overloads: runs(6) }), { ...easy, ...to(0.05) }),
    await solve(lab.board('ideal-8', {}, { overloads: runs(8, 9) }), { ...problem(8, 2e4), ...to(0.1) }),
  ],
  'overload-for-ever': async (lab) => [
    await lab.refused(() => solve(overloading(lab, 'ideal-8', 0), { ...easy, ...to(0.05) })),
    await lab.refused(() => solve(overloading(lab, 'ideal-8', 1), { ...easy, ...to(0.05) })),
    await lab.refused(() => solve(overloading(lab, 'ideal-8', 9), { ...problem(8, 2e4), ...to(0.1) })),
    await lab.refused(() =>
      drawSamples(overloading(lab, 'ideal-8', 0), { precision: easy.system, count: 3, address: ADDRESS }),
    ),
    await lab.refused(() =>
      relax(overloading(lab, 'ideal-8', 0), { ...easy, initial: vector(8), time: 0.2, address: ADDRESS }),
    ),
    await lab.refused(() =>
      createAnalogSolver(overloading(lab, 'ideal-crossbar', 0, ofSize(4, 6))).truncated(
        { factor: factored(6, 4, 0).factor, address: ADDRESS },
        (loaded) => loaded.run({ drive: vector(4), damping: 0.1, ticks: 9, scale: 0 }),
      ),
    ),
    await lab.refused(() =>
      prepare(overloading(lab, 'ideal-8', 0), { system: easy.system }).settle({ ...easy, ...to(0.05) }),
    ),
  ],
  'overload-others': async (lab) => [
    await drawSamples(lab.board('ideal-8', {}, { overloads: runs(0) }), {
      precision: easy.system,
      count: 5,
      address: ADDRESS,
    }),
    await relax(lab.board('ideal-8', {}, { overloads: runs(0, 1, 2) }), {
      ...{ ...easy, initial: vector(8), time: 0.2, address: ADDRESS, chopped: true, roundings: 2 },
    }),
    await createAnalogSolver(lab.board('ideal-crossbar', ofSize(4, 6), { overloads: runs(0, 1) })).truncated(
      { factor: factored(6, 4, 0).factor, address: ADDRESS },
      (loaded) => loaded.run({ drive: vector(4), damping: 0.1, ticks: 9, scale: 0 }),
    ),
    await prepare(lab.board('ideal-8', {}, { overloads: runs(0, 3) }), { system: easy.system }).settle({
      ...{ ...easy, ...to(1e-4) },
    }),
    await invert(lab.board('ideal-8', {}, { overloads: runs(2, 7) }), {
      system: problem(3, 4).system,
      ...to(0.05),
    }),
  ],
  'dead-cells': async (lab) => [
    await lab.refused(() => solve(lab.board('ideal-8', deadCells(3)), { ...easy, ...to(0.01) })),
    await lab.refused(() => solve(lab.board('ideal-8', deadCells(0, 6)), { ...easy, ...to(0.01) })),
    await lab.refused(() => solve(lab.board('ideal-8', deadCells(3)), { ...problem(8, 2e4), ...to(0.1) })),
    await lab.refused(() =>
      drawSamples(lab.board('ideal-8', deadCells(0, 6)), {
        ...{ precision: easy.system, count: 100, address: ADDRESS },
      }),
    ),
  ],
  'codes-too-coarse': async (lab) => {
    const coarse = { couplingBits: 4 };
    const stiff = problem(8, 900);
    const settling = (tolerance: number, couplingBits: number) =>
      prepare(lab.board('ideal-8'), { system: stiff.system, couplingBits }).settle({
        drive: stiff.drive,
        ...to(tolerance),
      });
    return [
      await lab.refused(() =>
        drawSamples(lab.board('ideal-8', coarse), {
          ...{ precision: problem(8, 3e4).system, count: 2, address: ADDRESS },
        }),
      ),
      await settling(0.3, 5),
      await settling(1e-3, 8),
      await lab.refused(() => solve(lab.board('ideal-8', coarse), { ...stiff, ...to(0.1) })),
      await lab.refused(() => solve(lab.board('ideal-8', { driveBits: 4 }), { ...stiff, ...to(1e-6) })),
      await lab.refused(() =>
        solve(lab.board('ideal-8', { driveBits: 4, adcBits: 4, couplingBits: 4 }), {
          ...problem(8, 2e6),
          ...to(0.1),
        }),
      ),
    ];
  },
  'off-under-noise': async (lab) => {
    const off = (codesOff: number) =>
      lab.board(
        'ideal-8',
        {},
        {
          tamper: (codes, cells) => {
            if (codes.length === cells) return;
            for (let at = 0; at < codes.length; at++) codes[at] += at % 3 === 0 ? codesOff : -codesOff;
          },
        },
      );
    const errors: unknown[] = [];
    for (const codesOff of [300, 3000])
      for (const condition of [6, 4e3])
        errors.push(
          await solve(off(codesOff), { ...problem(8, condition), ...to(0.02) }).catch(
            (error: unknown) => error,
          ),
        );
    return errors;
  },
  'noise-too-weak-register': async (lab) => [
    await solve(lab.board('ideal-8', { noiseTemperatureMin: 10 ** 8 }), { ...easy, ...to(0.05) }),
    await solve(lab.board('ideal-8', { noiseTemperatureMin: 10 ** 9 }), { ...easy, ...to(1e-5) }),
    await drawSamples(lab.board('ideal-8', { noiseShiftMin: 12 }), {
      ...{ precision: easy.system, count: 3, address: ADDRESS },
    }),
  ],
  'spu-solve': async (lab) => [
    await solve(lab.board('spu-8'), { ...problem(8, 40), ...to(0.05) }),
    await createAnalogSolver(lab.board('spu-8'), { calibration: calibrationOf('spu-8') }).solve({
      ...{ ...easy, ...to(0.05) },
    }),
    await drawSamples(lab.board('spu-8'), {
      ...{ precision: easy.system, count: 4, address: ADDRESS, calibration: calibrationOf('spu-8') },
    }),
    await lab.refused(() =>
      createAnalogSolver(lab.board('ideal-8'), { calibration: calibrationOf('spu-8') }),
    ),
  ],
  'unlike-factor': async (lab) => [
    await solve(lab.board('ideal-crossbar', ofSize(4, 9)), {
      ...{ system: unlikeFactor(9, 4, 0), drive: vector(4), ...to(0.02) },
    }),
    await drawSamples(lab.board('ideal-crossbar', ofSize(4, 9)), {
      ...{ precision: unlikeFactor(9, 4, 0), count: 3, address: ADDRESS },
    }),
    await createCholeskySolver().solve({ system: unlikeFactor(9, 4, 0), drive: vector(4), ...to(0.02) }),
    await createIdealSampler({ noiseTemperature: 1e-6 }).solve({
      ...{ system: unlikeFactor(9, 4, 0), drive: vector(4), ...to(0.1) },
    }),
    await relax(lab.board('ideal-crossbar', ofSize(4, 9)), {
      ...{ system: factored(9, 4, 0.1), drive: vector(4), initial: vector(4, 851), time: 0.7 },
      ...{ address: ADDRESS, roundings: 2, couplingBits: 5 },
    }),
    await relax(lab.board('ideal-crossbar', ofSize(4, 9)), {
      ...{ system: factored(9, 4, 0.1), drive: vector(4), initial: vector(4, 851), time: 0 },
      ...{ address: ADDRESS },
    }),
  ],
  'checked-systems': async (lab) => {
    const dense = (...rows: readonly (readonly number[])[]): LinearSystem => ({
      kind: 'dense',
      matrix: rowsOf(...rows),
    });
    const bad = (system: unknown) =>
      lab.refused(() => checkedAs(checkSystem(system as Parameters<typeof checkSystem>[0])));
    const factor = rowsOf([1, 2], [3, Number.NaN]);
    return [
      checkedAs(checkSystem(easy.system)),
      checkedAs(checkSystem(unlike(5, 6))),
      checkedAs(checkSystem(factored(3, 5, 0.4))),
      checkedAs(checkSystem(factored(7, 5, 0))),
      checkedAs(checkSystem(unlikeFactor(9, 4, 0))),
      await bad({ kind: 'sparse' }),
      await bad({ kind: 'factored', factor, damping: 0.1 }),
      await bad({ kind: 'factored', factor: rowsOf([1, 2]), damping: Infinity }),
      await bad({ kind: 'factored', factor: rowsOf([1, 2]), damping: '1' }),
      await bad({ kind: 'factored', factor: rowsOf([1e-40, 0]), damping: 0 }),
      await bad(dense([2, 0], [1, 2])),
      await bad(dense([2, 1], [0, 2])),
      await bad(dense([2, 1], [1.0001, 2])),
      await bad(dense([1, 0], [0, -1])),
      await bad(dense([1, 1], [1, 1])),
      await bad(dense([0, 0], [0, 0])),
      await bad(dense([1e300, 0], [0, 1e300])),
      await bad({ kind: 'dense', matrix: matrix(0, 0) }),
      await bad({ kind: 'dense', matrix: { rows: 2, columns: 2, data: new Float64Array(3) } }),
    ];
  },
  'volts-and-codes': async (lab) => {
    const { identity } = lab.board('prototype-8');
    const volts = Float64Array.of(-9, -0.5, 0, 1e-5, 0.3, 9);
    const codes = Int16Array.of(-2047, -3, 0, 1, 500);
    return [
      [readingVolts, stateVolts, driveVolts].map((of) => of(codes, identity)),
      [stateCodes, driveCodes].map((of) => of(volts, { ...identity, fullScaleMicrovolts: 250_000 })),
    ];
  },
  'logdet-and-lyapunov-rare': async (lab) => {
    const small = lab.board('ideal-8', ofSize(2));
    const [a, s] = [rowsOf([1, 5], [-5, 1.2]), rowsOf([1, 0.9], [0.9, 1])];
    const equation = { readings: 1536, address: ADDRESS };
    return [
      await lab.refused(() => logDeterminant(small, { system: problem(2, 5e4).system, address: ADDRESS })),
      await solveLyapunov(small, { ...equation, matrix: a, rhs: s }),
      await lab.refused(() =>
        solveLyapunov(small, { ...equation, matrix: matrix(257, 257), rhs: matrix(257, 257) }),
      ),
    ];
  },
  'solvers-rare': async (lab) => {
    const close = problem(8, 1e9);
    const singular = { matrix: rowsOf([1, 1], [1, 1]), ...to(0.1) };
    const answers: unknown[] = [];
    for (const tolerance of [3e-5, 1e-6])
      answers.push(
        await createCholeskySolver()
          .solve({ ...close, ...to(tolerance) })
          .catch((error: unknown) => error),
      );
    answers.push(
      await createIdealSampler().relax({
        ...{ ...easy, drive: new Float64Array(8), initial: new Float64Array(8), time: 1, address: ADDRESS },
      }),
      await lab.refused(() => createExactSolver().invert(singular)),
      await lab.refused(() => drawSamples(lab.board('ideal-8'), { count: 1, address: ADDRESS } as never)),
    );
    return answers;
  },
};
