/** Draws at equilibrium, relaxations for a finite time, truncated solves. */
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { createIdealSampler } from '../../../src/algorithms/ideal-sampler.js';
import { type BoardRelaxRequest, relax } from '../../../src/algorithms/relax.js';
import { drawSamples } from '../../../src/algorithms/sample.js';
import { createExactSolver, createNoSolver } from '../../../src/algorithms/truncated.js';
import { normalVector, problemRandom } from '../../support/solver-problems.js';
import type { Lab, ProgramTable } from '../program.js';
import { ADDRESS, calibrationOf, effects, factored, ofSize, problem, unlike } from './boards.js';

const vector = (length: number, seed: number): Float64Array => normalVector(problemRandom(seed), length);
const { system, drive } = problem(8, 6);
const relaxation = { system, drive, initial: vector(8, 840), time: 0.4, address: ADDRESS };

const relaxed = (lab: Lab, request: Partial<BoardRelaxRequest> = {}, profile = 'ideal-8') =>
  relax(lab.board(profile), { ...relaxation, ...request });

/** A board with rails at ½ V_fs, far nearer than on emulated boards, so runs overload. */
const narrow = { rail: 2 ** 23 };

export const SAMPLING: ProgramTable = {
  'draw-dense': (lab) =>
    drawSamples(lab.board('ideal-8'), {
      precision: system,
      count: 40,
      address: ADDRESS,
      onProgress: lab.listener('progress'),
    }),
  'draw-several-board-runs': (lab) =>
    drawSamples(lab.board('ideal-8', ofSize(2)), {
      precision: problem(2, 2).system,
      count: 600,
      address: ADDRESS,
      onProgress: lab.listener('progress'),
    }),
  'draw-unlike-units': (lab) =>
    drawSamples(lab.board('ideal-8'), { precision: unlike(6, 5), count: 12, address: ADDRESS }),
  'draw-crossbar': (lab) =>
    drawSamples(lab.board('ideal-crossbar', ofSize(6, 9)), {
      precision: factored(9, 6, 0.4),
      count: 12,
      address: ADDRESS,
    }),
  'draw-imperfect': (lab) =>
    drawSamples(lab.board('prototype-8'), { precision: system, count: 12, address: ADDRESS }),
  'draw-unequal-noise': (lab) =>
    drawSamples(lab.board('ideal-8', effects({ noiseMismatch: { spreadPpm: 200_000, source: 'test' } })), {
      precision: system,
      count: 12,
      address: ADDRESS,
    }),
  'draw-calibrated': (lab) =>
    drawSamples(lab.board('prototype-8'), {
      precision: system,
      count: 12,
      address: ADDRESS,
      calibration: calibrationOf('prototype-8'),
    }),
  'draw-calibrated-crossbar': (lab) =>
    drawSamples(lab.board('prototype-crossbar', ofSize(6, 9)), {
      precision: factored(9, 6, 0.4),
      count: 12,
      address: ADDRESS,
      calibration: calibrationOf('prototype-crossbar', ofSize(6, 9)),
    }),
  'draw-narrow-rails': (lab) =>
    drawSamples(lab.board('ideal-8', { rail: 2 ** 21 }), { precision: system, count: 12, address: ADDRESS }),
  'draw-fails': async (lab) => {
    const base = { precision: system, count: 4, address: ADDRESS };
    return [
      await lab.refused(() => drawSamples(lab.board('ideal-8'), { ...base, count: 0 })),
      await lab.refused(() => drawSamples(lab.board('ideal-8'), { ...base, count: 2 ** 24 })),
      await lab.refused(() => drawSamples(lab.board('ideal-8', ofSize(4)), base)),
      await lab.refused(() =>
        drawSamples(lab.board('ideal-8'), { ...base, precision: problem(8, 1e15).system }),
      ),
      await lab.refused(() =>
        drawSamples(lab.board('ideal-8', {}, { tamper: (codes) => codes.fill(5) }), { ...base, count: 50 }),
      ),
      await lab.refused(() =>
        drawSamples(lab.board('prototype-8'), { ...base, calibration: calibrationOf('spu-8') }),
      ),
    ];
  },

  'relax-dense': (lab) => relaxed(lab),
  'relax-bytes': (lab) => relaxed(lab, { couplingBits: 8 }),
  'relax-short': (lab) => relaxed(lab, { time: 0.02, nextTime: 0.1 }),
  'relax-long': (lab) => relaxed(lab, { time: 12, couplingBits: 16 }),
  'relax-no-time': (lab) => relaxed(lab, { time: 0 }),
  'relax-with-noise': (lab) => relaxed(lab, { noiseTemperature: 1e-5 }),
  'relax-chopped': (lab) => relaxed(lab, { chopped: true }, 'prototype-8'),
  'relax-rounded-often': (lab) => relaxed(lab, { roundings: 3, couplingBits: 5 }),
  'relax-chopped-and-rounded': (lab) => relaxed(lab, { roundings: 2, chopped: true, noiseTemperature: 1e-5 }),
  'relax-crossbar': (lab) =>
    relax(lab.board('ideal-crossbar', ofSize(12, 16)), {
      ...relaxation,
      system: factored(16, 12, 0.2),
      drive: async () => vector(12, 841),
      initial: vector(12, 842),
    }),
  'relax-nothing': async (lab) => {
    const zero = new Float64Array(8);
    return [
      await relaxed(lab, { drive: zero, initial: zero }),
      await relaxed(lab, { drive: async () => zero, initial: zero }),
    ];
  },
  'relax-grows': async (lab) => {
    const { data } = system.matrix;
    const matrix = { rows: 8, columns: 8, data: data.map((value, k) => (k % 9 === 0 ? value - 4 : value)) };
    return [
      await relaxed(lab, { system: { kind: 'dense', matrix }, time: 1.5 }),
      await lab.refused(() => relaxed(lab, { system: { kind: 'dense', matrix }, time: 40 })),
    ];
  },
  'relax-narrow-rails': async (lab) => [
    await relax(lab.board('ideal-8', narrow), { ...relaxation, time: 2 }),
    await relax(lab.board('ideal-8', { ...narrow, driveRange: 1 }), { ...relaxation, time: 0.05 }),
  ],
  'relax-bad-input': async (lab) => [
    await lab.refused(() => relaxed(lab, { time: -1 })),
    await lab.refused(() => relaxed(lab, { time: Number.NaN })),
    await lab.refused(() => relaxed(lab, { couplingBits: 3 })),
    await lab.refused(() => relaxed(lab, { roundings: 0 })),
    await lab.refused(() => relaxed(lab, { noiseTemperature: 10 })),
    await lab.refused(() => relaxed(lab, { noiseTemperature: 1e-16 })),
    await lab.refused(() => relaxed(lab, { ticksMax: 3 })),
    await lab.refused(() => relaxed(lab, { ticksMax: 20, nextTime: 90 })),
    await lab.refused(() => relaxed(lab, { initial: vector(7, 1) })),
    await lab.refused(() => relaxed(lab, { drive: async () => vector(7, 1) })),
  ],
  'relax-ideal-sampler': async (lab) => {
    const exact = createIdealSampler();
    const noisy = createIdealSampler({ noiseTemperature: 0.01 });
    const crossbar = { ...relaxation, system: factored(4, 8, 0.2) };
    return [
      await exact.relax(relaxation),
      await noisy.relax(relaxation),
      await noisy.relax({ ...relaxation, time: 0 }),
      await noisy.relax(crossbar),
      await exact.relax({ ...crossbar, drive: async () => drive, time: 3 }),
      await lab.refused(() => exact.relax({ ...relaxation, time: -1 })),
    ];
  },

  'truncated-solves': (lab) => {
    const { factor } = factored(16, 12, 0);
    const solver = createAnalogSolver(lab.board('ideal-crossbar', ofSize(12, 16)));
    const b = vector(12, 843);
    return solver.truncated({ factor, address: ADDRESS }, async (loaded) => {
      const first = await loaded.run({ drive: b, damping: 0.01, ticks: 60, scale: 0 });
      const second = await loaded.run({ drive: b, damping: 0.01, ticks: 60, scale: first.nextScale });
      const small = b.map((value) => value * 1e-4);
      const far = await loaded.run({ drive: small, damping: 0.01, ticks: 60, scale: first.nextScale });
      const stiff = await loaded.run({ drive: b, damping: 2, ticks: 20, scale: 2 ** -20 });
      const zero = await loaded.run({ drive: new Float64Array(12), damping: 1, ticks: 5, scale: 0.3 });
      const refused = await lab.refused(() => loaded.run({ drive: b, damping: -1, ticks: 5, scale: 0 }));
      const { eigenvalueMax, cost } = loaded;
      return { first, second, far, stiff, zero, refused, eigenvalueMax, cost };
    });
  },
  'truncated-held-chopped': async (lab) => {
    const { factor } = factored(16, 12, 0);
    const board = lab.board('prototype-crossbar', ofSize(12, 16));
    const options = { relaxChopped: true, relaxCouplingBits: 6, relaxNoiseTemperature: 1e-6 };
    const solver = createAnalogSolver(board, options);
    const held = { isCounted: false };
    const results: unknown[] = [];
    for (const seed of [844, 845]) {
      const run = { drive: vector(12, seed), damping: 0.02, ticks: 40, scale: 0 };
      results.push(
        await solver.truncated({ factor, held, address: ADDRESS }, async (loaded) => [
          await loaded.run(run),
          loaded.cost,
        ]),
      );
    }
    return results;
  },
  'truncated-digital': async (lab) => {
    const { factor } = factored(6, 4, 0);
    const run = { drive: vector(4, 846), damping: 0.1, ticks: 9, scale: 3 };
    const { system: square } = problem(4, 9);
    const inverse = { matrix: square.matrix, tolerance: 0.1, address: ADDRESS };
    const results: unknown[] = [];
    for (const solver of [createExactSolver(), createNoSolver()]) {
      results.push(
        await solver.truncated({ factor, address: ADDRESS }, async (loaded) => [
          loaded.eigenvalueMax,
          await loaded.run(run),
        ]),
        await solver.invert(inverse),
      );
    }
    const singular = factored(2, 4, 0).factor;
    results.push(
      await lab.refused(() =>
        createExactSolver().truncated({ factor: singular, address: ADDRESS }, (loaded) =>
          loaded.run({ ...run, damping: 0 }),
        ),
      ),
    );
    return results;
  },
};
