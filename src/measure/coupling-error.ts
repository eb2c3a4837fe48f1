import { DAMPING_STEP } from '../board/board-range.js';
import type { RandomSource } from '../linalg/random.js';
import { type AdcTransfer, correctedVoltage } from './adc-transfer.js';
import type { DriveTransfer } from './drive-transfer.js';
import { type Estimates, noEstimates, setEstimate } from './estimates.js';
import { arrayOfBits, type LabBoard } from './lab-board.js';
import { fitLinear } from './least-squares.js';

/** Errors of the dense array's crosspoints, and the crosstalk of its lines. */
export interface CouplingErrors {
  /** Row of each crosspoint: crosspoint k lies at (rows[k], columns[k]). */
  readonly rows: Int32Array;
  /** Column of each crosspoint, one entry per crosspoint. */
  readonly columns: Int32Array;
  /** ε: the conductance of a crosspoint is (1 + ε) times the programmed one. */
  readonly errors: Estimates;
  /**
   * Share of the next line that the line of a cell picks up, and share of the line before; NaN at the edges.
   */
  readonly fromNext: Estimates;
  readonly fromBefore: Estimates;
}

/** Number of drives per set of crosspoints. Each needs a rewrite and a board run of a few τ. */
export const PATTERNS = 32;
const DAMPING = 2;
/** Conductance of the measured crosspoints, in G_fs. It is below the damping, so the board is stable. */
const COUPLING = 0.75;
const STAGE = 4;
/** Relative standard deviation of a measured crosspoint caused by the rounding to 2⁻¹⁵ G_fs on the board. */
const ROUNDING = DAMPING_STEP / Math.sqrt(12) / COUPLING;

/**
 * Measures sets of N crosspoints. In a set, row i couples only to cell p(i) = (i + s) mod N, and every set
 * has another shift s. The drives d are random. The gain g_i and the leakage L_i were measured before. k_i is
 * the conductance of the crosspoint of row i, o_i the offset and c_i the curvature of the drive. The
 * equilibrium is
 *
 *     g_i·d_i − (λ + L_i)·v_i = k_i·v_p(i) + x⁺_i·k_{i+1}·v_p(i+1) + x⁻_i·k_{i−1}·v_p(i−1) − o_i − c_i·d_i²
 *
 * Least squares over the drives gives k_i = (1 + ε)·k. Over the sets it gives the crosstalk x⁺, x⁻.
 */
export async function measureCouplingErrors(
  board: LabBoard,
  adc: AdcTransfer,
  drive: DriveTransfer,
  sets: number,
  onStep: (done: number) => void = () => undefined,
): Promise<CouplingErrors> {
  const { cells } = board;
  const shifts = chooseShifts(board.random(STAGE), cells, sets);
  const rows = Int32Array.from({ length: shifts.length * cells }, (_, k) => k % cells);
  const columns = rows.map((row, k) => (row + shifts[Math.floor(k / cells)]) % cells);
  const errors = noEstimates(rows.length);
  const picked = { fromNext: noSums(cells), fromBefore: noSums(cells) };
  for (const [set, shift] of shifts.entries()) {
    const fits = await board.part(`crosspoints, shift ${shift}`, async () => {
      const readings = await readSet(board, adc, shift, (done) => onStep(set * PATTERNS + done));
      return Array.from({ length: cells }, (_, cell) => fitLine(board, readings, cell, shift, drive));
    });
    for (const [cell, fit] of fits.entries()) {
      if (fit === undefined) continue;
      const at = set * cells + cell;
      setCoupling(errors, adc, at, [cell, columns[at]], fit.own);
      // A line picks up a share of the real conductance of the neighbouring crosspoint.
      if (fit.next) picked.fromNext.add(cell, fit.next, fits[cell + 1]?.own.value ?? 1);
      if (fit.before) picked.fromBefore.add(cell, fit.before, fits[cell - 1]?.own.value ?? 1);
    }
  }
  return {
    rows,
    columns,
    errors,
    fromNext: picked.fromNext.means(),
    fromBefore: picked.fromBefore.means(),
  };
}

/** `sets` different random shifts, or all N. */
function chooseShifts(random: RandomSource, cells: number, sets: number): number[] {
  const shifts = [...Array(cells).keys()];
  for (let i = 0; i < Math.min(sets, cells); i++) {
    const other = i + Math.floor(random.uniform() * (cells - i));
    [shifts[i], shifts[other]] = [shifts[other], shifts[i]];
  }
  return shifts.slice(0, sets);
}

interface SetReadings {
  /** k, in G_fs. */
  readonly coupling: number;
  /** Drives d and voltages v of every cell, one entry per pattern. */
  readonly drives: readonly Float64Array[];
  readonly volts: readonly Float64Array[];
}

async function readSet(
  board: LabBoard,
  adc: AdcTransfer,
  shift: number,
  onPattern: (done: number) => void,
): Promise<SetReadings> {
  const { cells } = board;
  const bits = board.identity.couplingBits;
  const code = Math.round(COUPLING * 2 ** (bits - 1));
  const codes = arrayOfBits(bits, cells * cells);
  for (let i = 0; i < cells; i++) codes[i * cells + ((i + shift) % cells)] = code;
  const random = board.random(STAGE + 1 + shift);
  const margin = DAMPING - COUPLING;
  const largest = Math.min(margin * board.voltageMax, 0.95 * board.identity.driveRange) / board.driveStep;
  const drives = Array.from({ length: cells }, () => new Float64Array(PATTERNS));
  const volts = Array.from({ length: cells }, () => new Float64Array(PATTERNS));
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    const drive = Int16Array.from({ length: cells }, () => Math.round((2 * random.uniform() - 1) * largest));
    await board.program({ damping: DAMPING, drive }, { codes, bits });
    const read = await board.readOnce(board.settleTicks(margin));
    for (let i = 0; i < cells; i++) {
      drives[i][pattern] = drive[i] * board.driveStep;
      volts[i][pattern] = correctedVoltage(adc, i, read[i]);
    }
    onPattern(pattern + 1);
  }
  return { coupling: code * 2 ** (1 - bits), drives, volts };
}

/**
 * Sets an estimate. Its standard error combines the error of the fit, the errors of the gains of both
 * channels, and the rounding on the board.
 */
function setCoupling(
  errors: Estimates,
  adc: AdcTransfer,
  at: number,
  [row, column]: readonly [number, number],
  { value, standardError }: Coefficient,
): void {
  const gains =
    row === column ? 0 : Math.hypot(adc.gain.standardErrors[row], adc.gain.standardErrors[column]);
  setEstimate(errors, at, value - 1, Math.hypot(standardError, gains, ROUNDING));
}

/** The coefficient of a line in the equation of a cell, divided by k. */
interface Coefficient {
  readonly value: number;
  readonly standardError: number;
}

/**
 * Fits the equation of a cell: the coefficients of its own line and of the neighbouring lines. A line is
 * omitted if it does not exist or its source cannot be read.
 */
function fitLine(
  board: LabBoard,
  { coupling, drives, volts }: SetReadings,
  cell: number,
  shift: number,
  { gain, leakage }: DriveTransfer,
): { own: Coefficient; next: Coefficient | undefined; before: Coefficient | undefined } | undefined {
  const sourceOf = (line: number) => (line + shift) % board.cells;
  const isRead = (line: number) =>
    line >= 0 && line < board.cells && volts[sourceOf(line)].every((v) => Number.isFinite(v));
  const total = DAMPING + leakage.values[cell];
  if (!isRead(cell) || !Number.isFinite(total)) return undefined;
  const d = drives[cell];
  const y = d.map((drive, n) => gain.values[cell] * drive - total * volts[cell][n]);
  const lines = [cell, cell + 1, cell - 1].filter(isRead);
  const columns = [...lines.map((line) => volts[sourceOf(line)]), d.map(() => 1), d.map((x) => x * x)];
  const fit = fitLinear(columns, y, { floor: (DAMPING * board.adcStep) / Math.sqrt(12) });
  if (fit === undefined) return undefined;
  // y contains the measured gain and leakage. These two fits tell how much an error of the gain, or of the
  // leakage, changes the coefficients. The change is largest if the source of a line is the cell itself.
  const ofGain = fitLinear(columns, d, { floor: 0 })?.coefficients;
  const ofLeakage = fitLinear(columns, volts[cell], { floor: 0 })?.coefficients;
  if (ofGain === undefined || ofLeakage === undefined) return undefined;
  const found = lines.map((_, k) => {
    const error = Math.hypot(
      fit.standardErrors[k],
      ofGain[k] * gain.standardErrors[cell],
      ofLeakage[k] * leakage.standardErrors[cell],
    );
    return { value: fit.coefficients[k] / coupling, standardError: error / coupling };
  });
  const [next, before] = [found[lines.indexOf(cell + 1)], found[lines.indexOf(cell - 1)]];
  return { own: found[0], next, before };
}

/** Collects estimates and averages them, weighted by their precision. */
function noSums(cells: number) {
  const weights = new Float64Array(cells);
  const sums = new Float64Array(cells);
  return {
    /** Adds a coefficient, divided by the coefficient of the neighbour itself. */
    add(cell: number, { value, standardError }: Coefficient, neighbour: number): void {
      const weight = standardError ** -2;
      weights[cell] += weight;
      sums[cell] += (weight * value) / neighbour;
    },
    means(): Estimates {
      return {
        values: sums.map((sum, i) => sum / weights[i]),
        // The rounding of the crosstalk on the board is the same in every set, so the mean keeps this error.
        standardErrors: weights.map((weight) =>
          weight === 0 ? Number.NaN : Math.hypot(weight ** -0.5, ROUNDING),
        ),
      };
    },
  };
}
