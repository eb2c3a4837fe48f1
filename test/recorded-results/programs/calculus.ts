/** Determinants, Lyapunov equations. */
import { logDeterminant } from '../../../src/algorithms/logdet/log-determinant.js';
import { solveLyapunov } from '../../../src/algorithms/lyapunov/solve-lyapunov.js';
import type { ProgramTable } from '../program.js';
import { ADDRESS, calibrationOf, factored, ofSize, problem, rowsOf, unlike } from './boards.js';

const A = rowsOf([2, 0.4, -0.3], [-0.6, 1.5, 0.2], [0.1, 0.5, 1.8]);
const S = rowsOf([1, 0.2, 0], [0.2, 0.5, 0.1], [0, 0.1, 0.8]);
const equation = { matrix: A, rhs: S, readings: 1536, address: ADDRESS };

export const CALCULUS: ProgramTable = {
  'logdet-dense': (lab) =>
    logDeterminant(lab.board('ideal-8'), {
      system: problem(4, 20).system,
      readings: 800,
      address: ADDRESS,
      onProgress: lab.listener('progress'),
    }),
  'logdet-unlike-units': (lab) =>
    logDeterminant(lab.board('ideal-8'), { system: unlike(4, 5), readings: 600, address: ADDRESS }),
  'logdet-crossbar': (lab) =>
    logDeterminant(lab.board('ideal-crossbar', ofSize(4, 6)), {
      system: factored(6, 4, 0.3),
      readings: 600,
      address: ADDRESS,
    }),
  'logdet-calibrated': (lab) =>
    logDeterminant(lab.board('prototype-8', ofSize(4)), {
      system: problem(4, 8).system,
      readings: 600,
      address: ADDRESS,
      calibration: calibrationOf('prototype-8', ofSize(4)),
    }),
  'logdet-imperfect': (lab) =>
    logDeterminant(lab.board('prototype-8', ofSize(3)), {
      system: problem(3, 8).system,
      readings: 600,
      address: ADDRESS,
    }),
  'logdet-bad-input': async (lab) => {
    const base = { system: problem(4, 20).system, address: ADDRESS };
    const board = lab.board('ideal-8');
    return [
      await lab.refused(() => logDeterminant(board, { ...base, readings: 0 })),
      await lab.refused(() => logDeterminant(board, { ...base, readings: 2 ** 50 })),
      await lab.refused(() => logDeterminant(board, { ...base, address: { ...ADDRESS, block: 65535 } })),
      await lab.refused(() => logDeterminant(board, { ...base, system: problem(9, 2).system })),
      await lab.refused(() => logDeterminant(board, { ...base, system: problem(4, 1e16).system })),
    ];
  },

  'lyapunov-dense': (lab) =>
    solveLyapunov(lab.board('ideal-8'), { ...equation, onProgress: lab.listener('progress') }),
  'lyapunov-calibrated': (lab) =>
    solveLyapunov(lab.board('prototype-8', ofSize(3)), {
      ...equation,
      calibration: calibrationOf('prototype-8', ofSize(3)),
    }),
  'lyapunov-imperfect': (lab) => solveLyapunov(lab.board('prototype-8'), equation),
  'lyapunov-coarse': (lab) => solveLyapunov(lab.board('ideal-8', { couplingBits: 6, adcBits: 12 }), equation),
  'lyapunov-bad-input': async (lab) => {
    const board = lab.board('ideal-8');
    return [
      await lab.refused(() => solveLyapunov(board, { ...equation, readings: 1535 })),
      await lab.refused(() => solveLyapunov(board, { ...equation, matrix: rowsOf([1, 2]) })),
      await lab.refused(() => solveLyapunov(board, { ...equation, rhs: rowsOf([1]) })),
      await lab.refused(() => solveLyapunov(board, { ...equation, matrix: rowsOf([-1]), rhs: rowsOf([1]) })),
      await lab.refused(() => solveLyapunov(board, { ...equation, matrix: rowsOf([1]), rhs: rowsOf([0]) })),
      await lab.refused(() => solveLyapunov(board, { ...equation, address: { ...ADDRESS, block: 65535 } })),
      await lab.refused(() =>
        solveLyapunov(lab.board('ideal-8', { couplingBits: 4 }), {
          ...equation,
          matrix: rowsOf([1, 30], [-30, 1e-3]),
          rhs: rowsOf([1, 0], [0, 1]),
        }),
      ),
    ];
  },
};
