import {
  COUPLING_BITS_MIN,
  DAMPING_MAX,
  NOISE_CODE_MAX,
  ROW_ATTENUATION_MAX,
  ROW_TABLE_NODES,
} from '../../firmware-protocol/limits.js';
import {
  linearRowsOf,
  PROGRAM_MODE,
  type ProgramImage,
  type ProgramMode,
} from '../../firmware-protocol/program-image.js';
import { scaled } from '../imperfections/gain.js';
import type { BoardProfile } from '../profiles/board-profile.js';
import { convertCouplings, type EffectiveCouplings } from './coupling-dac.js';
import type { Die } from './die.js';
import { diePartsOf } from './die-parts.js';
import { convertDrive } from './drive-dac.js';
import { usedAgain } from './used-again.js';

/**
 * A committed program in the integers that the array computes with. Converters and imperfections of the die
 * are already applied.
 */
export interface EffectiveProgram extends EffectiveCouplings {
  readonly mode: ProgramMode;
  readonly cells: number;
  readonly rows: number;
  /** ρ. */
  readonly rowAttenuation: number;
  /** Rows from this one on have the row element. It is `rows` if no row has it. */
  readonly linearRows: number;
  /** The table of the row element, with the last node twice. Undefined: no row has it. */
  readonly rowTable: Int16Array | undefined;
  /** The amount that each row subtracts from T(y) or y, in 2⁻¹⁴ V_fs. Undefined: 0 for all rows. */
  readonly rowDrive: Int32Array | undefined;
  /** e_i in 2⁻²⁴ V_fs·G_fs. */
  readonly drive: Int32Array;
  /** λ_i, u32, in 2⁻¹⁵ G_fs. */
  readonly damping: Float64Array;
  /** a_i, 0…32767. */
  readonly noiseAmplitude: Int32Array;
  /** s: a_i · 2^(13−s) LSB is a cell's V_fs·√(2κh). */
  readonly noiseShift: number;
  /** How many a_i were clamped to their range. */
  readonly clampedNoiseCodes: number;
  readonly noiseCodeMin: number;
  readonly noiseCodeMax: number;
}

/** The part of a program that is stored with its arrays of couplings. */
export type ProgramArrays = Pick<
  EffectiveProgram,
  keyof EffectiveCouplings | 'mode' | 'cells' | 'rows' | 'linearRows'
>;

/** Why a board refuses a program. */
export type ProgramRefusal =
  | 'mode'
  | 'size'
  | 'coupling-bits'
  | 'row-scale'
  | 'row-element'
  | 'length'
  | 'register';

/** The first reason why this board type can't hold the program; undefined: it can. */
export function refuseProgram(profile: BoardProfile, image: ProgramImage): ProgramRefusal | undefined {
  const dense = image.mode === PROGRAM_MODE.dense;
  const factored = image.mode === PROGRAM_MODE.factored;
  if (!((dense && profile.dense) || (factored && profile.factored))) return 'mode';
  if (!isWithin(image.cells, 1, profile.cells) || !isWithin(image.rows, 1, profile.rows)) return 'size';
  if (dense && image.rows !== image.cells) return 'size';
  if (!isWithin(image.couplingBits, COUPLING_BITS_MIN, profile.couplingBits)) return 'coupling-bits';
  if (!isWithin(image.rowAttenuation, 0, dense ? 0 : ROW_ATTENUATION_MAX)) return 'row-scale';
  if (factored && image.rows * (1 << image.rowAttenuation) > profile.rowScaleMax) return 'row-scale';
  const { rowElement } = image;
  if (rowElement && (dense || !profile.rowElement || !isWithin(rowElement.linearRows, 0, image.rows)))
    return 'row-element';
  const lengths = [image.couplings.length, image.drive.length, image.initialState.length];
  const wanted = [image.rows * image.cells, image.cells, image.cells];
  if (rowElement) {
    lengths.push(rowElement.table.length, rowElement.drive.length);
    wanted.push(ROW_TABLE_NODES, image.rows);
  }
  if (lengths.some((length, i) => length !== wanted[i])) return 'length';
  const noiseOn = isWithin(image.noiseAmplitude, profile.noiseAmplitudeMin, profile.noiseAmplitudeMax);
  if (!noiseOn && image.noiseAmplitude !== 0) return 'register';
  if (!isWithin(image.noiseShift, profile.noiseShiftMin, profile.noiseShiftMax)) return 'register';
  if (!isWithin(image.damping, 0, DAMPING_MAX)) return 'register';
  return undefined;
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

/**
 * Turns codes into the integers that the array computes with. The result shares no memory with the image,
 * which may be rewritten while the program runs. `couplings` may be those of an earlier commit if only the
 * drive or registers changed since. `unused` is a program that will not run again; the result takes the
 * memory of its registers if the size fits.
 */
export function commitProgram(
  die: Die,
  image: ProgramImage,
  couplings: EffectiveCouplings = convertCouplings(die, image),
  unused?: EffectiveProgram,
): EffectiveProgram {
  const refusal = refuseProgram(die.profile, image);
  if (refusal !== undefined) throw new RangeError(`bug: commit of a program refused for its ${refusal}`);
  const { mode, cells, rows, rowAttenuation, noiseShift } = image;
  return {
    ...couplings,
    mode,
    cells,
    rows,
    rowAttenuation,
    linearRows: linearRowsWithin(image),
    ...effectiveRows(die, image),
    drive: convertDrive(die, image.drive, unused?.drive),
    damping: effectiveDamping(die, image, unused?.damping),
    noiseShift,
    ...effectiveNoise(die, image, unused?.noiseAmplitude),
  };
}

/** The number of rows without the row element, which come first. */
export function linearRowsWithin(image: Pick<ProgramImage, 'rows' | 'rowElement'>): number {
  return Math.min(image.rows, linearRowsOf(image));
}

/** T and d_r − o_r (device-model.md, "Row element" and "Draws and roundings"). */
function effectiveRows(
  die: Die,
  { mode, rows, rowElement }: ProgramImage,
): Pick<EffectiveProgram, 'rowTable' | 'rowDrive'> {
  const offsets = mode === PROGRAM_MODE.factored ? diePartsOf(die).rowOffset : undefined;
  let rowTable: Int16Array | undefined;
  if (rowElement && rowElement.linearRows < rows) {
    rowTable = new Int16Array(ROW_TABLE_NODES + 1);
    rowTable.set(rowElement.table);
    rowTable[ROW_TABLE_NODES] = rowTable[ROW_TABLE_NODES - 1];
  }
  const rowDrive = Int32Array.from(
    { length: rows },
    (_, r) => (rowElement?.drive[r] ?? 0) - (offsets?.[r] ?? 0),
  );
  return { rowTable, rowDrive: rowDrive.some((d) => d !== 0) ? rowDrive : undefined };
}

/** λ_i = γ_i·(λ + leakage) (device-model.md, "Draws and roundings"). */
function effectiveDamping(die: Die, { cells, damping }: ProgramImage, unused?: Float64Array): Float64Array {
  const { cells: parts } = diePartsOf(die);
  const out = new Float64Array(usedAgain(unused, 8 * cells)).fill(damping);
  if (parts)
    for (let i = 0; i < cells; i++) {
      const sum = Math.min(DAMPING_MAX, damping + parts.leakage[i]);
      out[i] = Math.min(DAMPING_MAX, scaled(sum, parts.rate[i]));
    }
  return out;
}

/** a_i = √γ_i·(1 + ν_i)·a, clamped (device-model.md, "Draws and roundings"). */
function effectiveNoise(die: Die, { cells, noiseAmplitude: code }: ProgramImage, unused?: Int32Array) {
  const { cells: parts } = diePartsOf(die);
  const noiseAmplitude = new Int32Array(usedAgain(unused, 4 * cells)).fill(code);
  if (!parts && code <= NOISE_CODE_MAX)
    return { noiseAmplitude, clampedNoiseCodes: 0, noiseCodeMin: code, noiseCodeMax: code };
  if (parts)
    for (let i = 0; i < cells; i++) noiseAmplitude[i] = scaled(noiseAmplitude[i], parts.noiseGain[i]);
  let clampedNoiseCodes = 0;
  let noiseCodeMin = NOISE_CODE_MAX;
  let noiseCodeMax = 0;
  for (let i = 0; i < cells; i++) {
    if (noiseAmplitude[i] > NOISE_CODE_MAX) {
      noiseAmplitude[i] = NOISE_CODE_MAX;
      clampedNoiseCodes++;
    }
    noiseCodeMin = Math.min(noiseCodeMin, noiseAmplitude[i]);
    noiseCodeMax = Math.max(noiseCodeMax, noiseAmplitude[i]);
  }
  return { noiseAmplitude, clampedNoiseCodes, noiseCodeMin, noiseCodeMax };
}
