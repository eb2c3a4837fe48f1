import { drawPosterior } from '../../src/algorithms/posterior/chain.js';
import { relax } from '../../src/algorithms/relax.js';
import { drawSamples } from '../../src/algorithms/sample.js';
import { solve } from '../../src/algorithms/solve/solve.js';
import { checkSystem } from '../../src/board/checked-system.js';
import type { BoardDevice } from '../../src/driver/device-api.js';
import type { LinearSystem } from '../../src/linalg/linear-system.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { RANDOM_STREAM, randomSource } from '../../src/linalg/random.js';
import { eigenvalues, normalVector, symmetricWith } from '../../src/linalg/random-system.js';

/** One call in both languages. The part `exact` of the results must be the same, bit for bit. */
export interface Case {
  readonly name: string;
  /** A method of `Board`, and its arguments by name. */
  readonly call: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly exact: 'x' | 'draws';
  readonly here: (device: BoardDevice) => Promise<Float64Array>;
}

/** Names the numbers of all cases. */
export const SEED = 11;
const random = randomSource({ seed: SEED, stream: RANDOM_STREAM.benchProblem });
const ADDRESS = { seed: 7, step: 3, block: 2 };

const rowsOf = ({ rows, columns, data }: Matrix): number[][] =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
const randomMatrix = (rows: number, columns: number): Matrix =>
  matrix(rows, columns, normalVector(random, rows * columns));

/** A symmetric matrix with eigenvalues from 1 to `condition`, evenly in their logarithm. */
function conditioned(cells: number, condition: number): LinearSystem {
  return { kind: 'dense', matrix: symmetricWith(eigenvalues('log-uniform', condition, cells), random) };
}

/** The same with unknowns of unlike units. */
function unlike(cells: number): LinearSystem {
  const system = conditioned(cells, 5);
  if (system.kind === 'factored') return system;
  const { data } = system.matrix;
  const unit = (i: number): number => 10 ** (i % 4);
  return {
    kind: 'dense',
    matrix: matrix(
      cells,
      cells,
      data.map((entry, at) => entry * unit(Math.floor(at / cells)) * unit(at % cells)),
    ),
  };
}

/**
 * I + 11ᵀ. Its largest eigenvalue is far above its largest entry, so the scale follows from the length of a
 * tick.
 */
function alike(cells: number): LinearSystem {
  const data = Float64Array.from({ length: cells * cells }, (_, at) => (at % (cells + 1) === 0 ? 2 : 1));
  return { kind: 'dense', matrix: matrix(cells, cells, data) };
}

const argumentOf = (system: LinearSystem): unknown =>
  system.kind === 'dense'
    ? rowsOf(system.matrix)
    : { factor: rowsOf(system.factor), damping: system.damping };

export function relaxCase(
  name: string,
  [rows, columns]: readonly [number, number],
  time: number,
  extra: {
    readonly driveFactor?: number;
    readonly couplingBits?: number;
    readonly noiseTemperature?: number;
  } = {},
): Case {
  const { driveFactor = 1, couplingBits, noiseTemperature = 0 } = extra;
  const factor = randomMatrix(rows, columns);
  const drive = normalVector(random, columns).map((value) => value * driveFactor);
  const initial = normalVector(random, columns);
  const damping = 0.125;
  return {
    name: `relax, ${name}`,
    call: 'relax',
    arguments: {
      ...{ factor: rowsOf(factor), drive: [...drive], damping, time, initial: [...initial], ...ADDRESS },
      ...(couplingBits !== undefined && { coupling_bits: couplingBits }),
      noise_temperature: noiseTemperature,
    },
    exact: 'x',
    here: async (device) => {
      const { x } = await relax(device, {
        ...{ system: { kind: 'factored', factor, damping }, drive, initial, time, address: ADDRESS },
        ...{ couplingBits, noiseTemperature },
      });
      return x;
    },
  };
}

function solveCase(name: string, system: LinearSystem, tolerance: number): Case {
  const cells = system.kind === 'dense' ? system.matrix.columns : system.factor.columns;
  const drive = normalVector(random, cells);
  return {
    name: `solve, ${name}`,
    call: 'solve',
    arguments: { A: argumentOf(system), b: [...drive], tolerance, ...ADDRESS },
    exact: 'x',
    here: async (device) => (await solve(device, { system, drive, tolerance, address: ADDRESS })).x,
  };
}

function sampleCase(name: string, system: LinearSystem, count: number, isDriven: boolean): Case {
  const cells = system.kind === 'dense' ? system.matrix.columns : system.factor.columns;
  const drive = isDriven ? normalVector(random, cells) : new Float64Array(cells);
  return {
    name: `sample, ${name}`,
    call: 'sample',
    arguments: { A: argumentOf(system), n: count, ...(isDriven && { b: [...drive] }), ...ADDRESS },
    exact: 'draws',
    here: async (device) => {
      if (!isDriven)
        return (await drawSamples(device, { precision: system, count, address: ADDRESS })).draws.data;
      const posterior = { precision: checkSystem(system), drive };
      return (await drawPosterior(device, { posterior, draws: count, address: ADDRESS })).draws.data;
    },
  };
}

const factored = (rows: number, columns: number, damping: number): LinearSystem => ({
  kind: 'factored',
  factor: randomMatrix(rows, columns),
  damping,
});

/** Cases for boards of 8 cells. */
export const SMALL_CASES: readonly Case[] = [
  relaxCase('8-bit couplings', [5, 8], 0.5, { couplingBits: 8 }),
  relaxCase('couplings of the board and noise', [8, 8], 2, { noiseTemperature: 1e-5 }),
  relaxCase('a time of 0', [3, 5], 0),
  relaxCase('a large drive, unknowns left over from four', [7, 7], 3, { driveFactor: 1e9 }),
  relaxCase('a drive that is tiny', [1, 1], 1, { driveFactor: 1e-12 }),
  solveCase('a dense system', conditioned(8, 10), 1e-2),
  solveCase('a small tolerance', conditioned(7, 30), 1e-6),
  solveCase('one unknown', conditioned(1, 1), 1e-2),
  solveCase('a factored system', factored(6, 8, 0.5), 1e-3),
  solveCase('unlike units', unlike(6), 1e-2),
  sampleCase('no drive', conditioned(5, 8), 40, false),
  sampleCase('with a drive', conditioned(6, 8), 40, true),
];

/** Further cases for longer tests. */
export const CONDITIONED_CASES: readonly Case[] = [
  solveCase('a condition that needs a damped board', conditioned(8, 2e4), 1e-2),
  solveCase('a condition beyond the couplings', conditioned(8, 1e9), 1e-2),
  solveCase('a factored system of few rows', factored(3, 8, 0.01), 1e-2),
  sampleCase('many draws', conditioned(8, 30), 600, true),
];

/** Cases for boards of 64 cells. */
export const LARGE_CASES: readonly Case[] = [
  relaxCase('64 rows', [64, 64], 1),
  solveCase('64 unknowns', conditioned(64, 50), 1e-3),
  solveCase('63 unknowns in a factored system', factored(40, 63, 0.2), 1e-2),
  solveCase('unlike units', unlike(33), 1e-2),
  solveCase('couplings that are all alike', alike(60), 1e-2),
  sampleCase('with a drive', conditioned(64, 20), 64, true),
];
