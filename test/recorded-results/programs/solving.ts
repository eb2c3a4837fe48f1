/** Linear systems: the equilibrium with its error bars, finite times, inverses, digital solvers, refusals. */
import type { BoardProfile } from '../../../emulator/profiles/board-profile.js';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createCholeskySolver } from '../../../src/algorithms/cholesky-solver.js';
import { createIdealSampler } from '../../../src/algorithms/ideal-sampler.js';
import { invert } from '../../../src/algorithms/invert.js';
import { prepare } from '../../../src/algorithms/prepare.js';
import { type BoardSolveRequest, solve } from '../../../src/algorithms/solve/solve.js';
import { normalVector, problemRandom } from '../../support/solver-problems.js';
import type { Lab, ProgramTable } from '../program.js';
import { ADDRESS, calibrationOf, factored, ofSize, problem, rowsOf, unlike } from './boards.js';

type Solve = Pick<BoardSolveRequest, 'system' | 'drive' | 'tolerance'> & Partial<BoardSolveRequest>;
type Tamper = (codes: Int16Array, cells: number) => void;

/** One solve on a new board, with its progress. */
function solved(
  lab: Lab,
  profile: string,
  request: Solve,
  overrides?: Partial<BoardProfile>,
  tamper?: Tamper,
) {
  const board = lab.board(profile, overrides, tamper && { tamper });
  return solve(board, { address: ADDRESS, onProgress: lab.listener('progress'), ...request });
}

const refusedSolve = (lab: Lab, profile: string, request: Solve, overrides?: object, tamper?: Tamper) =>
  lab.refused(() => solved(lab, profile, request, overrides, tamper));

const easy = problem(8, 3);
const drive = (length: number, seed = 830): Float64Array => normalVector(problemRandom(seed), length);
const holdingCells =
  (...dead: readonly number[]): Tamper =>
  (codes, cells) => {
    for (let at = 0; at < codes.length; at++) if (dead.includes(at % cells)) codes[at] = 0;
  };

const hard = problem(4, 1e4);

/** A board whose fluctuations have a tenth of the right size. */
function quieter(): Tamper {
  let still: Int16Array | undefined;
  return (codes, cells) => {
    if (codes.length === cells) return;
    still ??= codes.slice(0, cells);
    for (let at = 0; at < codes.length; at++)
      codes[at] = still[at % cells] + Math.round((codes[at] - still[at % cells]) / 10);
  };
}

/** Cells that return the readings of their neighbours. */
const shuffled: Tamper = (codes, cells) => {
  for (let at = 0; at < codes.length; at += cells)
    codes.set([...codes.subarray(at + 1, at + cells), codes[at]], at);
};

export const SOLVING: ProgramTable = {
  'solve-one-pass': (lab) => solved(lab, 'ideal-8', { ...easy, tolerance: 0.05 }),
  'solve-refined': (lab) => solved(lab, 'ideal-8', { ...problem(8, 30), tolerance: 1e-6 }),
  'solve-damped': (lab) => solved(lab, 'ideal-8', { ...problem(8, 1e6), tolerance: 1e-2 }),
  'solve-damped-unlike-units': async (lab) => {
    const { system, drive: right } = problem(8, 3e5, 'x');
    const units = Float64Array.from(right, (_, i) => 10 ** (i - 4));
    const { data } = system.matrix;
    const scaled = data.map((value, k) => value * units[k % 8] * units[Math.floor(k / 8)]);
    const b = right.map((value, i) => value * units[i]);
    const matrix = { rows: 8, columns: 8, data: scaled };
    return solved(lab, 'ideal-8', { system: { kind: 'dense', matrix }, drive: b, tolerance: 1e-2 });
  },
  'solve-coarse-board': (lab) =>
    solved(
      lab,
      'ideal-8',
      { ...problem(8, 12), tolerance: 1e-2 },
      { couplingBits: 6, adcBits: 10, driveBits: 10 },
    ),
  'solve-one-unknown': (lab) =>
    solved(lab, 'ideal-8', {
      system: { kind: 'dense', matrix: rowsOf([7]) },
      drive: Float64Array.of(-3),
      tolerance: 0.1,
    }),
  'solve-unlike-units': (lab) =>
    solved(lab, 'ideal-8', { system: unlike(6, 8), drive: drive(6), tolerance: 1e-3 }),
  'solve-crossbar': (lab) =>
    solved(
      lab,
      'ideal-crossbar',
      { system: factored(16, 12, 0.3), drive: drive(12), tolerance: 1e-2 },
      ofSize(12, 16),
    ),
  'solve-crossbar-no-damping': (lab) =>
    solved(
      lab,
      'ideal-crossbar',
      { system: factored(24, 6, 0), drive: drive(6), tolerance: 2e-2 },
      ofSize(6, 24),
    ),
  'solve-imperfect': (lab) => solved(lab, 'prototype-8', { ...problem(8, 10), tolerance: 1e-2 }),
  'solve-imperfect-damped': (lab) => solved(lab, 'prototype-8', { ...problem(8, 3e4), tolerance: 3e-2 }),
  'solve-harsh': (lab) => solved(lab, 'harsh-64', { ...problem(8, 10), tolerance: 3e-2 }, ofSize(8)),
  'solve-calibrated': (lab) =>
    solved(lab, 'prototype-8', {
      ...problem(8, 10),
      tolerance: 1e-2,
      calibration: calibrationOf('prototype-8'),
    }),
  'solve-calibrated-crossbar': (lab) => {
    const size = ofSize(12, 16);
    const calibration = calibrationOf('prototype-crossbar', size);
    const request = { system: factored(16, 12, 0.3), drive: drive(12), tolerance: 2e-2, calibration };
    return solved(lab, 'prototype-crossbar', request, size);
  },
  'solve-wandering': (lab) => {
    const random = problemRandom(17);
    const wander: Tamper = (codes, cells) => {
      const offsets = Array.from({ length: cells }, () => Math.round(60 * random.normal()));
      for (let at = 0; at < codes.length; at++) codes[at] += offsets[at % cells];
    };
    return solved(lab, 'ideal-8', { ...easy, tolerance: 3e-2 }, {}, wander);
  },
  'solve-noisier-than-it-says': (lab) => {
    const random = problemRandom(18);
    const louder: Tamper = (codes) => {
      for (let at = 0; at < codes.length; at++) codes[at] += Math.round(200 * random.normal());
    };
    return solved(lab, 'ideal-8', { ...easy, tolerance: 5e-2 }, {}, louder);
  },
  'solve-nothing': (lab) => solved(lab, 'ideal-8', { ...easy, drive: new Float64Array(8), tolerance: 0.1 }),
  'solve-large-numbers': async (lab) => {
    const { system, drive: right } = problem(8, 5);
    const data = system.matrix.data.map((value) => value * 1e30);
    const b = right.map((value) => value * 1e-20);
    const matrix = { rows: 8, columns: 8, data };
    return solved(lab, 'ideal-8', { system: { kind: 'dense', matrix }, drive: b, tolerance: 1e-2 });
  },
  'solve-fails': async (lab) => [
    await refusedSolve(lab, 'ideal-8', { ...hard, tolerance: 0.5 }, {}, (codes) => codes.fill(0)),
    await refusedSolve(lab, 'ideal-8', { ...hard, tolerance: 1e-2 }, {}, (codes, cells) => {
      if (codes.length > cells) for (let at = 0; at < codes.length; at++) codes[at] += 8000;
    }),
    await refusedSolve(lab, 'ideal-8', { ...easy, tolerance: 0.1 }, {}, quieter()),
    await refusedSolve(lab, 'ideal-8', { ...hard, tolerance: 0.1 }, {}, quieter()),
    await refusedSolve(lab, 'ideal-8', { ...problem(8, 30), tolerance: 0.5 }, {}, shuffled),
    await refusedSolve(lab, 'ideal-8', { ...problem(8, 200), tolerance: 1e-2 }, {}, (codes) => codes.fill(0)),
    await refusedSolve(lab, 'ideal-8', { ...easy, tolerance: 1e-2 }, {}, holdingCells(3)),
    await refusedSolve(lab, 'ideal-8', { ...easy, tolerance: 1e-2 }, {}, holdingCells(0, 5)),
    await refusedSolve(lab, 'ideal-8', { ...easy, tolerance: 1e-2 }, {}, (codes) => codes.fill(900)),
    await refusedSolve(lab, 'ideal-8', { ...problem(8, 1e14), tolerance: 1e-3 }),
    await refusedSolve(lab, 'ideal-8', { ...problem(8, 1e9), tolerance: 1e-8 }),
    await refusedSolve(lab, 'ideal-8', { ...easy, tolerance: 1e-2, ticksMax: 100 }),
    await refusedSolve(lab, 'prototype-8', { ...easy, tolerance: 1e-2, calibration: calibrationOf('spu-8') }),
  ],
  'solve-stands-still': async (lab) => {
    let kept: Int16Array | undefined;
    const stuck: Tamper = (codes, cells) => {
      kept ??= codes.slice(0, cells);
      for (let at = 0; at < codes.length; at++) codes[at] = kept[at % cells];
    };
    return [
      await refusedSolve(lab, 'ideal-8', { ...easy, tolerance: 0.1 }, {}, stuck),
      await refusedSolve(lab, 'ideal-8', { ...easy, tolerance: 0.1 }, {}, (codes) => {
        for (let at = 0; at < codes.length; at++) codes[at] = Math.round(0.3 * codes[at]);
      }),
    ];
  },
  'solve-bad-input': async (lab) => {
    const base = { ...easy, tolerance: 0.1 };
    const dense = (...rows: number[][]) => ({ kind: 'dense', matrix: rowsOf(...rows) }) as const;
    const two = Float64Array.of(1, 2);
    const cases: readonly Solve[] = [
      { ...base, tolerance: 0 },
      { ...base, tolerance: 1 },
      { ...base, drive: two },
      { ...base, drive: easy.drive.map((value, i) => (i === 3 ? Number.NaN : value)) },
      { ...base, drive: easy.drive.map((value) => value * 1e60) },
      { ...base, ticksMax: 0 },
      { ...base, address: { seed: -1, step: 0, block: 0 } },
      { ...base, address: { seed: 1, step: 2 ** 33, block: 0 } },
      { ...base, system: dense([1, 2], [2, 1]), drive: two },
      { ...base, system: dense([1, 0.5], [0.4, 1]), drive: two },
      { ...base, system: dense([0, 0], [0, 1]), drive: two },
      { ...base, system: dense([1, 0, 0], [0, 1, 0]), drive: two },
      { ...base, system: dense([1, Number.NaN], [0, 1]), drive: two },
      { ...base, system: dense([1e60, 0], [0, 1e60]), drive: two },
      { ...base, system: factored(4, 2, 0.1), drive: two },
      { ...problem(9, 2), tolerance: 0.1 },
    ];
    const errors: unknown[] = [];
    for (const request of cases)
      errors.push(await refusedSolve(lab, 'ideal-8', request, { factored: false }));
    errors.push(
      await refusedSolve(lab, 'ideal-crossbar', base),
      await refusedSolve(
        lab,
        'ideal-crossbar',
        { ...base, system: factored(9, 4, 0.1), drive: drive(4) },
        ofSize(8),
      ),
      await refusedSolve(lab, 'ideal-crossbar', { ...base, system: factored(2, 2, -0.1), drive: two }),
      await refusedSolve(lab, 'ideal-crossbar', { ...base, system: factored(1, 2, 0), drive: two }),
    );
    return errors;
  },
  'solve-aborted': async (lab) => {
    const controller = new AbortController();
    const board = lab.board('ideal-8');
    const stopping = () =>
      solve(board, {
        ...{ ...problem(8, 30), tolerance: 1e-4, address: ADDRESS, signal: controller.signal },
        onProgress: ({ pass }) => pass === 2 && controller.abort(),
      });
    return [await lab.refused(stopping), await lab.refused(stopping)];
  },

  'invert-dense': (lab) =>
    invert(lab.board('ideal-8'), {
      system: problem(4, 8).system,
      tolerance: 2e-2,
      address: ADDRESS,
      onProgress: lab.listener('progress'),
    }),
  'invert-imperfect': (lab) =>
    invert(lab.board('prototype-8', ofSize(4)), {
      system: unlike(4, 3),
      tolerance: 3e-2,
      address: ADDRESS,
      calibration: calibrationOf('prototype-8', ofSize(4)),
    }),
  'invert-damped': (lab) =>
    invert(lab.board('ideal-8'), { system: problem(2, 4e3).system, tolerance: 0.2, address: ADDRESS }),
  'invert-crossbar': (lab) =>
    invert(lab.board('ideal-crossbar', ofSize(5, 8)), {
      system: factored(8, 5, 0.4),
      tolerance: 3e-2,
      address: ADDRESS,
    }),
  'invert-bad-input': async (lab) => {
    const base = { system: problem(4, 8).system, tolerance: 0.1, address: ADDRESS };
    return [
      await lab.refused(() => invert(lab.board('ideal-8'), { ...base, tolerance: 2 })),
      await lab.refused(() =>
        invert(lab.board('ideal-8'), { ...base, address: { ...ADDRESS, block: 2 ** 16 - 2 } }),
      ),
      await lab.refused(() => invert(lab.board('ideal-8', ofSize(3)), base)),
    ];
  },
  'solver-inverts': async (lab) => {
    const board = lab.board('ideal-8');
    const { system } = problem(5, 6);
    const request = { matrix: system.matrix, tolerance: 0.1, address: ADDRESS };
    const solver = createAnalogSolver(board);
    return [
      await solver.invert(request),
      await createAnalogSolver(board, { relaxCouplingBits: 6 }).invert(request),
      await lab.refused(() =>
        createAnalogSolver(lab.board('ideal-8', {}, { tamper: (codes) => codes.fill(900) })).invert(request),
      ),
    ];
  },

  'prepared-solves': async (lab) => {
    const { system, drive: b } = problem(8, 20);
    const prepared = prepare(lab.board('ideal-8'), { system, dampingMax: 2 });
    const to = { tolerance: 1e-2, address: ADDRESS };
    return [
      await prepared.solve({ drive: b, ...to, onProgress: lab.listener('progress') }),
      await prepared.settle({ drive: b, ...to }),
      await prepared.settle({ drive: drive(8), ...to, tolerance: 1e-6 }),
      await prepared.settle({ drive: b, ...to, damping: 1.5 }),
      await prepared.settle({ drive: b, ...to, tolerance: 1e-9, passesMax: 2 }),
      await prepared.settle({ drive: new Float64Array(8), ...to }),
      await prepared.solve({ drive: new Float64Array(8), ...to }),
      await prepared.sample({ count: 3, address: ADDRESS, damping: 0.5 }),
      await prepared.invert({ tolerance: 0.05, address: ADDRESS }),
      await lab.refused(() => prepared.settle({ drive: b, ...to, damping: 2.5 })),
      await lab.refused(() => prepared.settle({ drive: b, ...to, tolerance: 1e-17 })),
      await lab.refused(() => prepared.settle({ drive: b.slice(1), ...to })),
      await lab.refused(() => prepared.invert({ ...to, passesMax: 0 })),
    ];
  },
  'prepared-coarse': async (lab) => {
    const { system, drive: b } = problem(8, 60);
    const prepared = prepare(lab.board('ideal-8', { adcBits: 10 }), { system, couplingBits: 6 });
    const to = { drive: b, address: ADDRESS };
    return [
      await prepared.settle({ ...to, tolerance: 0.2 }),
      await prepared.settle({ ...to, tolerance: 1e-5 }),
      await prepared.invert({ tolerance: 0.5, address: ADDRESS, passesMax: 3 }),
    ];
  },
  'prepared-unlike-units': async (lab) => {
    const prepared = prepare(lab.board('ideal-8'), { system: unlike(6, 4) });
    return [
      await prepared.settle({ drive: drive(6), tolerance: 1e-3, address: ADDRESS }),
      await prepared.sample({ count: 2, address: ADDRESS }),
      await prepared.invert({ tolerance: 1e-2, address: ADDRESS }),
      await lab.refused(() => prepare(lab.board('ideal-8'), { system: unlike(6, 4), dampingMax: 1 })),
    ];
  },
  'prepared-calibrated': async (lab) => {
    const calibration = calibrationOf('prototype-8');
    const { system, drive: b } = problem(8, 6);
    const prepared = prepare(lab.board('prototype-8'), { system, calibration, dampingMax: 1 });
    return [
      await prepared.settle({ drive: b, tolerance: 1e-3, address: ADDRESS }),
      await prepared.sample({ count: 2, address: ADDRESS, damping: 1 }),
      await prepared.settle({ drive: b, tolerance: 1e-3, address: ADDRESS, damping: 0.3 }),
    ];
  },

  'solve-by-cholesky': async (lab) => {
    const solver = createCholeskySolver();
    const to = { tolerance: 1e-6, address: ADDRESS };
    return [
      await solver.solve({ ...problem(8, 100), ...to }),
      await solver.solve({ system: unlike(6, 8), drive: drive(6), ...to }),
      await solver.solve({ system: factored(3, 7, 0.2), drive: drive(7), ...to }),
      await solver.solve({ ...easy, ...to, drive: new Float64Array(8) }),
      await lab.refused(() => solver.solve({ ...problem(8, 1e13), ...to })),
    ];
  },
  'solve-by-ideal-sampler': async (lab) => {
    const exact = createIdealSampler();
    const noisy = createIdealSampler({ noiseTemperature: 1e-3 });
    const to = { address: ADDRESS, onProgress: lab.listener('progress') };
    return [
      await exact.solve({ ...problem(8, 10), ...to, tolerance: 1e-6 }),
      await noisy.solve({ ...problem(8, 10), ...to, tolerance: 2e-2 }),
      await noisy.solve({ system: unlike(4, 2), drive: drive(4), ...to, tolerance: 1e-1 }),
      await noisy.solve({ system: factored(4, 6, 0.5), drive: drive(6), ...to, tolerance: 5e-2 }),
      await noisy.solve({ ...easy, ...to, drive: new Float64Array(8), tolerance: 0.1 }),
      await lab.refused(() => noisy.solve({ ...problem(8, 10), ...to, tolerance: 1e-5 })),
      await lab.refused(() => createIdealSampler({ noiseTemperature: -1 })),
    ];
  },
};
