import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import type { DenseSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { DAMPING_STEP } from './board-range.js';
import type { BoardCalibration } from './calibration.js';
import { dampingCodeOf, roundHalfEven, type SystemCodes } from './quantize.js';
import type { SystemScaling } from './scaling.js';

/**
 * Factor of each row. Row i of A is programmed multiplied by `rowGains[i]`. The equilibrium stays the same,
 * and the cell relaxes faster by that factor.
 */
export type RowGains = Float64Array | undefined;

/**
 * The codes whose crosspoints on the measured board are nearest to A. The rows are coded in order, because a
 * line picks up current from the line before it, and this current depends on the rounding of that line.
 *
 *     s_i·Â_ij = g_ij + x⁺_i·g_{i+1,j} + x⁻_i·g_{i−1,j} + (λ + L_i)·δ_ij,   g_ij = code_ij·2^(1−b)·(1 + ε_ij)
 */
export function quantizeForBoard(
  { matrix: a }: DenseSystem,
  { systemScale, couplingBits, rowAttenuation }: SystemScaling,
  damping: number,
  calibration: BoardCalibration,
  rowGains: RowGains,
): SystemCodes {
  const size = a.columns;
  const dampingCode = dampingCodeOf(damping, systemScale);
  const unit = 2 ** (couplingBits - 1);
  const limit = unit - 1;
  const couplings = couplingBits <= 8 ? new Int8Array(size * size) : new Int16Array(size * size);
  const { fromNext, fromBefore, leakage } = calibration;
  const wanted = (row: number, out: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
    if (row < 0 || row >= size) return out.fill(0);
    const factor = (rowGains?.[row] ?? 1) / systemScale;
    for (let j = 0; j < size; j++) out[j] = factor * a.data[row * size + j];
    out[row] -= dampingCode * DAMPING_STEP + leakage[row];
    return out;
  };
  let own = wanted(0, new Float64Array(size));
  let next = new Float64Array(size);
  const before = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    wanted(i + 1, next);
    for (let j = 0; j < size; j++) {
      const gain = crosspointGain(calibration, i, j);
      const value = own[j] - fromNext[i] * next[j] - fromBefore[i] * before[j];
      const code = Math.max(-limit, Math.min(limit, roundHalfEven((value / gain) * unit)));
      couplings[i * size + j] = code;
      before[j] = (code / unit) * gain;
    }
    [own, next] = [next, own];
  }
  return {
    mode: PROGRAM_MODE.dense,
    cells: size,
    rows: size,
    couplingBits,
    rowAttenuation,
    couplings,
    damping: dampingCode,
  };
}

/**
 * The matrix that the codes stand for on the measured board, in units of the problem, without the row gains.
 */
export function matrixOnBoard(
  { cells: size, couplingBits, couplings, damping }: SystemCodes,
  systemScale: number,
  calibration: BoardCalibration,
  rowGains: RowGains,
): Matrix {
  const step = 2 ** (1 - couplingBits);
  const g = matrix(size, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      g.data[i * size + j] = step * couplings[i * size + j] * crosspointGain(calibration, i, j);
  const out = matrix(size, size);
  const { fromNext, fromBefore, leakage } = calibration;
  for (let i = 0; i < size; i++) {
    const factor = systemScale / (rowGains?.[i] ?? 1);
    for (let j = 0; j < size; j++) {
      const at = i * size + j;
      const next = i + 1 < size ? g.data[at + size] : 0;
      const before = i > 0 ? g.data[at - size] : 0;
      const ground = i === j ? damping * DAMPING_STEP + leakage[i] : 0;
      out.data[at] = factor * (g.data[at] + fromNext[i] * next + fromBefore[i] * before + ground);
    }
  }
  return out;
}

/** 1 + ε of one crosspoint. */
function crosspointGain({ board, couplingErrors }: BoardCalibration, row: number, column: number): number {
  return 1 + (couplingErrors?.[row * board.cells + column] ?? 0);
}
