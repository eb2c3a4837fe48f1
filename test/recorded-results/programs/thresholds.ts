/**
 * Faults of growing size, in steps of a quarter. The size at which a verdict changes shows its threshold. The
 * systems have two or three unknowns: each of the dozens of solves takes only milliseconds.
 */
import type { BoardProfile } from '../../../emulator/profiles/board-profile.js';
import { drawSamples } from '../../../src/algorithms/sample.js';
import { solve } from '../../../src/algorithms/solve/solve.js';
import { ThermolinkError } from '../../../src/errors.js';
import { norm2 } from '../../../src/linalg/products.js';
import { characterize } from '../../../src/measure/characterize.js';
import { problemRandom } from '../../support/solver-problems.js';
import type { Lab, ProgramTable } from '../program.js';
import { ADDRESS, effects, ofSize, problem } from './boards.js';

type Tamper = (codes: Int16Array, cells: number) => void;

const sizes = (first: number, count: number, ratio = 1.25): number[] =>
  Array.from({ length: count }, (_, k) => first * ratio ** k);

/** The outcome of a solve as a short text. */
async function outcome(
  lab: Lab,
  cells: number,
  condition: number,
  tolerance: number,
  { tamper, ...overrides }: Partial<BoardProfile> & { readonly tamper?: Tamper },
): Promise<unknown> {
  const board = lab.board('ideal-8', overrides, tamper && { tamper });
  const request = { ...problem(cells, condition), tolerance, address: ADDRESS };
  try {
    const { x, standardError, quantizationError, passes, samples, cost } = await solve(board, request);
    return [passes, samples, cost.overloadRetries, norm2(x), norm2(standardError), quantizationError];
  } catch (error) {
    if (!(error instanceof ThermolinkError)) throw error;
    const { reason } = error.data;
    return `${error.code} ${typeof reason === 'string' ? reason : error.message}`;
  }
}

/** The outcomes for faults of growing size. */
async function outcomes(
  lab: Lab,
  cells: number,
  condition: number,
  tolerance: number,
  faults: readonly (Partial<BoardProfile> & { readonly tamper?: Tamper })[],
): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const fault of faults) all.push(await outcome(lab, cells, condition, tolerance, fault));
  return all;
}

/** While noise is on, this number of codes is added to every reading. */
const offUnderNoise =
  (codesOff: number): Tamper =>
  (codes, cells) => {
    if (codes.length === cells) return;
    for (let at = 0; at < codes.length; at++) codes[at] += (at % cells) % 2 === 0 ? codesOff : -codesOff;
  };

/** Fluctuations are multiplied by this factor. */
function fluctuating(factor: number): Tamper {
  let still: Int16Array | undefined;
  return (codes, cells) => {
    if (codes.length === cells) return;
    still ??= codes.slice(0, cells);
    for (let at = 0; at < codes.length; at++)
      codes[at] = still[at % cells] + Math.round(factor * (codes[at] - still[at % cells]));
  };
}

/** Readings are multiplied by this factor. */
const withGain =
  (gain: number): Tamper =>
  (codes) => {
    for (let at = 0; at < codes.length; at++) codes[at] = Math.round(gain * codes[at]);
  };

/** Each board run has an offset of its own, of this size in codes. */
function wandering(codesOff: number): Tamper {
  const random = problemRandom(890);
  return (codes, cells) => {
    const offsets = Array.from({ length: cells }, () => Math.round(codesOff * random.normal()));
    for (let at = 0; at < codes.length; at++) codes[at] += offsets[at % cells];
  };
}

/** One cell reads differently. */
const inCell =
  (cell: number, read: (code: number) => number): Tamper =>
  (codes, cells) => {
    for (let at = cell; at < codes.length; at += cells) codes[at] = read(codes[at]);
  };

export const THRESHOLDS: ProgramTable = {
  'threshold-off-under-noise': (lab) =>
    outcomes(
      lab,
      3,
      4,
      0.1,
      sizes(40, 20).map((size) => ({ tamper: offUnderNoise(Math.round(size)) })),
    ),
  'threshold-off-under-noise-damped': (lab) =>
    outcomes(
      lab,
      2,
      4e3,
      0.1,
      sizes(40, 6, 2).map((size) => ({ tamper: offUnderNoise(Math.round(size)) })),
    ),
  'threshold-fluctuations': (lab) =>
    outcomes(
      lab,
      3,
      4,
      0.1,
      sizes(0.02, 24).map((size) => ({ tamper: fluctuating(size) })),
    ),
  'threshold-fluctuations-damped': (lab) =>
    outcomes(
      lab,
      2,
      4e3,
      0.1,
      sizes(0.2, 4).map((size) => ({ tamper: fluctuating(size) })),
    ),
  'threshold-gain': (lab) =>
    outcomes(
      lab,
      3,
      4,
      0.01,
      sizes(0.2, 12).map((size) => ({ tamper: withGain(size) })),
    ),
  'threshold-wandering': (lab) =>
    outcomes(
      lab,
      3,
      4,
      0.05,
      sizes(2, 20, 1.4).map((size) => ({ tamper: wandering(size) })),
    ),
  'threshold-adc-bits': (lab) =>
    outcomes(
      lab,
      3,
      12,
      0.01,
      [4, 5, 6, 7, 8, 9, 10, 12].map((adcBits) => ({ adcBits })),
    ),
  'threshold-drive-bits': (lab) =>
    outcomes(
      lab,
      3,
      12,
      0.01,
      [4, 5, 6, 7, 8, 9, 10, 12].map((driveBits) => ({ driveBits })),
    ),
  'threshold-coupling-bits': (lab) =>
    outcomes(
      lab,
      3,
      30,
      0.01,
      [4, 5, 6, 7, 8, 9, 10, 12].map((couplingBits) => ({ couplingBits })),
    ),
  'threshold-quiet-boards': (lab) =>
    outcomes(
      lab,
      3,
      4,
      0.01,
      sizes(1e4, 14, 4).map((noiseTemperatureMin) => ({ noiseTemperatureMin })),
    ),
  'threshold-conditions': async (lab) => {
    const all: unknown[] = [];
    for (const condition of sizes(500, 12, 1.5)) all.push(await outcome(lab, 2, condition, 0.1, {}));
    return all;
  },
  'threshold-offsets': (lab) =>
    outcomes(
      lab,
      3,
      4,
      0.05,
      sizes(100, 16, 2).map((spreadPpm) => effects({ inputOffset: { spreadPpm, source: 'test' } })),
    ),
  'threshold-coupling-errors': (lab) =>
    outcomes(
      lab,
      3,
      4,
      0.02,
      sizes(1000, 14, 1.6).map((spreadPpm) =>
        effects({ couplingMismatch: { spreadPpm: Math.round(spreadPpm), source: 'test' } }),
      ),
    ),
  'threshold-still-draws': async (lab) => {
    const all: unknown[] = [];
    for (const count of [30, 31, 32, 33]) {
      const board = lab.board(
        'ideal-8',
        {},
        {
          tamper: inCell(1, () => 5),
        },
      );
      const request = { precision: problem(2, 3).system, count, address: ADDRESS };
      all.push(
        await drawSamples(board, request).then(
          ({ draws }) => norm2(draws.data),
          (error: unknown) => error,
        ),
      );
    }
    return all;
  },
  'threshold-silent-cells': async (lab) => {
    const all: unknown[] = [];
    for (const gain of [0.45, 0.55, 1.55]) {
      const board = lab.board('ideal-8', ofSize(2), {
        tamper: inCell(1, (code) => Math.round(gain * code)),
      });
      const { silent, adc } = await characterize(board, { seed: 891, samples: 1000, crosspointsPerRow: 0 });
      all.push([silent, adc]);
    }
    return all;
  },
};
