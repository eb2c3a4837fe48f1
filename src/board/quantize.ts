import { DAMPING_MAX } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import { FastMatrix, type Matrix, matrix, type RoundedCodes } from '../linalg/matrix.js';
import { type BoardRange, DAMPING_STEP, driveStep, STATE_STEP } from './board-range.js';
import type { NoiseRegister } from './noise-register.js';
import type { Scaling, SystemScaling } from './scaling.js';

/**
 * The part of a program that belongs to A. It stays on the board while drive and initial state are rewritten.
 */
export interface SystemCodes {
  readonly mode: ProgramImage['mode'];
  readonly cells: number;
  readonly rows: number;
  readonly couplingBits: number;
  /** ρ, a whole number: row amplifiers divide by 2^ρ; 0 for a dense system. */
  readonly rowAttenuation: number;
  /** Codes [rows × cells], row-major, within ±(2^(couplingBits−1) − 1). */
  readonly couplings: Int8Array | Int16Array;
  /** λ register, in 2⁻¹⁵ G_fs. */
  readonly damping: number;
}

// Adding and subtracting 1.5·2⁵² rounds |x| < 2⁵¹ half to even. Math.round would round −0.5 up.
const ROUNDER = 1.5 * 2 ** 52;

/** x rounded half to even, for |x| < 2⁵¹. */
export function roundHalfEven(x: number): number {
  return x + ROUNDER - ROUNDER;
}

/**
 * clamp(roundHalfEven(factor · entry), ±(2^(bits−1) − 1)) row by row, for |factor · entry| < 2³¹. Codes of up
 * to 8 bits are an Int8Array, as on the line. Training calls this with 620,000 entries per step, so the loop
 * is unrolled. It assumes that no code saturates, as the scaling promises. If a code saturates, a second loop
 * clamps the codes.
 */
export function quantizeCouplings(
  source: Matrix,
  factor: number,
  bits: number,
): Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer> {
  const limit = 2 ** (bits - 1) - 1;
  const bytes = bits <= 8 ? 1 : 2;
  const fast = source instanceof FastMatrix ? source.roundedCodes(factor, bytes) : undefined;
  const { codes, bitsUsed } = fast ?? roundedHere(source.data, factor, bytes);
  // Only a magnitude above 2^(b−1) − 1 sets a bit above that limit.
  if (bitsUsed > limit) fillClamped(source.data, factor, limit, codes);
  return codes;
}

function roundedHere(values: Float64Array, factor: number, bytes: 1 | 2): RoundedCodes {
  if (bytes === 2) {
    const codes = new Int16Array(values.length);
    return { codes, bitsUsed: fill16(values, factor, codes) };
  }
  const codes = new Int8Array(values.length);
  return { codes, bitsUsed: fill8(values, factor, codes) };
}

// There are two equal loops, because one loop for both kinds of array compiles to slower code. Both return
// the bits that the magnitudes of the codes use.
function fill8(values: Float64Array, factor: number, codes: Int8Array): number {
  let bitsUsed = 0;
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    const code0 = (factor * values[i] + ROUNDER - ROUNDER) | 0;
    const code1 = (factor * values[i + 1] + ROUNDER - ROUNDER) | 0;
    const code2 = (factor * values[i + 2] + ROUNDER - ROUNDER) | 0;
    const code3 = (factor * values[i + 3] + ROUNDER - ROUNDER) | 0;
    bitsUsed |= Math.abs(code0) | Math.abs(code1) | Math.abs(code2) | Math.abs(code3);
    codes[i] = code0;
    codes[i + 1] = code1;
    codes[i + 2] = code2;
    codes[i + 3] = code3;
  }
  for (let i = whole; i < values.length; i++) {
    const code = roundHalfEven(factor * values[i]) | 0;
    bitsUsed |= Math.abs(code);
    codes[i] = code;
  }
  return bitsUsed;
}

function fill16(values: Float64Array, factor: number, codes: Int16Array): number {
  let bitsUsed = 0;
  for (let i = 0; i < values.length; i++) {
    const code = (factor * values[i] + ROUNDER - ROUNDER) | 0;
    bitsUsed |= Math.abs(code);
    codes[i] = code;
  }
  return bitsUsed;
}

/** Fills `codes` with clamped codes of any values. */
function fillClamped(
  values: Float64Array,
  factor: number,
  limit: number,
  codes: Int8Array | Int16Array,
): void {
  for (let i = 0; i < values.length; i++) {
    const code = roundHalfEven(factor * values[i]);
    codes[i] = Math.max(-limit, Math.min(limit, code));
  }
}

/** clamp(roundHalfEven(factor · values[i]), ± limit). */
export function quantizeVector(values: Float64Array, factor: number, limit: number): Int16Array<ArrayBuffer> {
  const codes = new Int16Array(values.length);
  fillClamped(values, factor, limit, codes);
  return codes;
}

/**
 * Codes of K/√s_A (or (A − λI)/s_A) and of λ/s_A: code = roundHalfEven(value · 2^(b−1)), damping =
 * roundHalfEven(2¹⁵ λ/s_A). `damping` is the λ of a dense system that the register takes over from the
 * crosspoints; a factored system has its own damping. Errors: none; callers such as `solve` have checked the
 * system before.
 */
export function quantizeSystem(system: LinearSystem, scaling: SystemScaling, damping = 0): SystemCodes {
  const { systemScale, couplingBits, rowAttenuation } = scaling;
  const unit = 2 ** (couplingBits - 1);
  const isDense = system.kind === 'dense';
  const lambda = isDense ? damping : system.damping;
  const dampingCode = dampingCodeOf(lambda, systemScale);
  const source = isDense
    ? withoutDamping(system.matrix, dampingCode * DAMPING_STEP * systemScale)
    : system.factor;
  const factor = isDense ? unit / systemScale : unit / Math.sqrt(systemScale);
  const couplings = quantizeCouplings(source, factor, couplingBits);
  return {
    mode: isDense ? PROGRAM_MODE.dense : PROGRAM_MODE.factored,
    cells: source.columns,
    rows: source.rows,
    couplingBits,
    rowAttenuation,
    couplings,
    damping: dampingCode,
  };
}

/**
 * Releases the couplings of `codes`: nobody may use them after this call, and new couplings may get their
 * memory.
 */
export function releaseCouplings(system: LinearSystem, { couplings }: SystemCodes): void {
  if (system.kind === 'factored' && system.factor instanceof FastMatrix)
    system.factor.releaseCodes(couplings);
}

/** roundHalfEven(2¹⁵ λ/s_A), clamped. */
export function dampingCodeOf(damping: number, systemScale: number): number {
  return Math.min(DAMPING_MAX, roundHalfEven(damping / (DAMPING_STEP * systemScale)));
}

/** A − λI. */
function withoutDamping(a: Matrix, damping: number): Matrix {
  if (damping === 0) return a;
  const out = matrix(a.rows, a.columns, Float64Array.from(a.data));
  for (let i = 0; i < a.rows; i++) out.data[i * a.columns + i] -= damping;
  return out;
}

/**
 * Drive codes of b: roundHalfEven(b/(s_A·s_x) / LSB_drive), clamped. `programmedDrive` gives the values that
 * they stand for, so clamping is treated like rounding.
 */
export function quantizeDrive(
  drive: Float64Array,
  scaling: Scaling,
  range: BoardRange,
): Int16Array<ArrayBuffer> {
  const factor = 1 / (scaling.systemScale * scaling.solutionScale * driveStep(range));
  return quantizeVector(drive, factor, 2 ** (range.driveBits - 1) - 1);
}

/**
 * State codes [N] of x₀ [N]: roundHalfEven(2¹⁴·x₀/s_x), clamped to ±32767. `solutionScale` is s_x. Errors:
 * none.
 */
export function quantizeInitialState(initial: Float64Array, solutionScale: number): Int16Array<ArrayBuffer> {
  return quantizeVector(initial, 1 / (solutionScale * STATE_STEP), 32767);
}

/**
 * A whole program with drive codes [N] and state codes [N]. It shares the couplings of `system`, so later
 * images of the same system have the same array. Errors: none; a device checks the image when it is loaded.
 */
export function programImage(
  system: SystemCodes,
  drive: Int16Array,
  initialState: Int16Array,
  noise: NoiseRegister,
): ProgramImage {
  const { mode, cells, rows, couplingBits, rowAttenuation, couplings, damping } = system;
  return {
    mode,
    cells,
    rows,
    couplingBits,
    rowAttenuation,
    couplings,
    drive,
    initialState,
    damping,
    noiseAmplitude: noise.amplitude,
    noiseShift: noise.shift,
  };
}

/** A_q: the system that the codes stand for, in units of the problem. Rounding has the error A − A_q. */
export function programmedSystem(codes: SystemCodes, systemScale: number): LinearSystem {
  const unit = 2 ** (1 - codes.couplingBits);
  const factor = codes.mode === PROGRAM_MODE.dense ? unit * systemScale : unit * Math.sqrt(systemScale);
  const values = matrix(codes.rows, codes.cells, Float64Array.from(codes.couplings));
  for (let i = 0; i < values.data.length; i++) values.data[i] *= factor;
  const damping = codes.damping * DAMPING_STEP * systemScale;
  if (codes.mode === PROGRAM_MODE.dense) return { kind: 'dense', matrix: withoutDamping(values, -damping) };
  return { kind: 'factored', factor: values, damping };
}

/** b_q: the drive that the codes stand for, in units of the problem. */
export function programmedDrive(
  codes: Int16Array,
  scaling: Scaling,
  range: BoardRange,
): Float64Array<ArrayBuffer> {
  const unit = scaling.systemScale * scaling.solutionScale * driveStep(range);
  const drive = new Float64Array(codes.length);
  for (let i = 0; i < codes.length; i++) drive[i] = unit * codes[i];
  return drive;
}
