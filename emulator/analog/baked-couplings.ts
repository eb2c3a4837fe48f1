import { COUPLING_MAX } from '../../firmware-protocol/limits.js';
import { GAIN_LOG2, roundShift, UNIT_GAIN } from '../imperfections/gain.js';
import type { CellParts } from '../imperfections/imperfection.js';

/** Couplings are kept to 2⁻¹² of a code until every effect of the die has acted on them. */
const FINE_LOG2 = 12;
const GAIN_TO_FINE_LOG2 = GAIN_LOG2 - FINE_LOG2;
const FINE_GAIN_UNIT = 4294967296;

/** One array of a program on a die. */
export interface CrosspointArray {
  readonly codes: Int8Array | Int16Array;
  readonly rows: number;
  readonly cells: number;
  /** Codes are shifted left by this many bits. */
  readonly shift: number;
  /** Writes 1 + ε of a row in 2⁻²⁰. Undefined: all crosspoints have the gain 1. */
  readonly gains: ((row: number, out: Int32Array) => void) | undefined;
  /** The direction of the lines that lead to the cells; null: they lead to row amplifiers. */
  readonly cellLines: 'rows' | 'columns' | null;
  /** The numbers of the cells at those lines. Undefined: all these cells are ideal. */
  readonly parts: Pick<CellParts, 'rate' | 'fromNext' | 'fromBefore'> | undefined;
}

/**
 * g = round(γ_i · (g̃_i + x⁺_i·g̃_{i+1} + x⁻_i·g̃_{i−1})) with g̃ = code · 2^(16−b) · (1 + ε), where i is the
 * cell that the crosspoint's line leads to; half to even, clamped (device-model.md, "Draws and roundings").
 * Lines beyond the program carry nothing. Returns how many couplings were clamped.
 */
export function bakeArray(array: CrosspointArray, out: Int16Array): number {
  const { rows, cells, cellLines, parts } = array;
  let before = new Float64Array(cells);
  let line = new Float64Array(cells);
  let next = new Float64Array(cells);
  let clamped = 0;
  const put = (at: number, value: number): void => {
    out[at] = value > COUPLING_MAX ? COUPLING_MAX : value < -COUPLING_MAX ? -COUPLING_MAX : value;
    if (out[at] !== value) clamped++;
  };
  const gains = array.gains && new Int32Array(cells);
  readRow(array, 0, gains, next);
  for (let r = 0; r < rows; r++) {
    [before, line, next] = [line, next, before];
    if (r + 1 < rows) readRow(array, r + 1, gains, next);
    else next.fill(0);
    const first = r * cells;
    for (let j = 0; j < cells; j++) {
      if (parts === undefined || cellLines === null) put(first + j, halfToEven(line[j] * UNIT_GAIN));
      else if (cellLines === 'rows') put(first + j, atCell(parts, r, before[j], line[j], next[j]));
      else {
        const left = j > 0 ? line[j - 1] : 0;
        const right = j + 1 < cells ? line[j + 1] : 0;
        put(first + j, atCell(parts, j, left, line[j], right));
      }
    }
  }
  return clamped;
}

/** g̃ of a row in 2⁻¹², |g̃| < 2³⁰. */
function readRow(array: CrosspointArray, r: number, gains: Int32Array | undefined, out: Float64Array): void {
  const { codes, cells, shift } = array;
  if (gains) array.gains!(r, gains);
  for (let j = 0; j < cells; j++) {
    const gain = gains ? gains[j] : UNIT_GAIN;
    out[j] = roundShift((codes[r * cells + j] << shift) * gain, GAIN_TO_FINE_LOG2);
  }
}

function atCell(
  parts: NonNullable<CrosspointArray['parts']>,
  cell: number,
  before: number,
  own: number,
  next: number,
): number {
  const picked = parts.fromNext[cell] * next + parts.fromBefore[cell] * before;
  return halfToEven((own + roundShift(picked, GAIN_LOG2)) * parts.rate[cell]);
}

/** x / 2³², half to even. */
function halfToEven(x: number): number {
  const low = Math.floor(x / FINE_GAIN_UNIT);
  const doubledRest = 2 * (x - low * FINE_GAIN_UNIT);
  if (doubledRest === FINE_GAIN_UNIT) return low + (low & 1);
  return doubledRest > FINE_GAIN_UNIT ? low + 1 : low;
}
