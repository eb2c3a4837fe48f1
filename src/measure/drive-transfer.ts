import { DAMPING_STEP } from '../board/board-range.js';
import { type AdcTransfer, correctedVoltage } from './adc-transfer.js';
import { type Estimates, noEstimates, setEstimate } from './estimates.js';
import type { LabBoard } from './lab-board.js';
import { fitLinear } from './least-squares.js';

/**
 * The transfer of the drive of a cell, and its leakage: a requested drive of x V_fs·G_fs gives e = offset +
 * gain·x + curvature·x².
 */
export interface DriveTransfer {
  /** Offset of amplifier and converter together, in V_fs·G_fs. */
  readonly offset: Estimates;
  readonly gain: Estimates;
  /** 1/(V_fs·G_fs). */
  readonly curvature: Estimates;
  /** G_fs. */
  readonly leakage: Estimates;
  /**
   * Variance of single drives about that curve, one entry per cell, in (V_fs·G_fs)². It describes the errors
   * of single codes. The scatter of the ADC readings is subtracted, so it may be negative by chance; NaN if
   * nothing was measured.
   */
  readonly codeVariance: Float64Array;
}

/** Number of drives per damping. Each needs a rewrite and a board run of a few τ. */
const LEVELS = 48;
export const DRIVE_RUNS = 2 * LEVELS;
const STAGE = 2;

/**
 * Measures equilibria of uncoupled cells, (λ + L)·v = e. Two dampings λ separate the leakage L from the gain
 * of the drive: λ·v is fitted by least squares on 1, x, x², −v. The standard errors allow a different scatter
 * for each damping. They also contain the remaining error of the ADC correction, and the rounding of λ + L to
 * 2⁻¹⁵ G_fs on the board.
 */
export async function measureDriveTransfer(
  board: LabBoard,
  adc: AdcTransfer,
  onStep: (done: number) => void = () => undefined,
): Promise<DriveTransfer> {
  const { cells } = board;
  const random = board.random(STAGE);
  const dampings = dampingsOf(board);
  const asked: Float64Array[] = [];
  const read: Float64Array[] = [];
  const dampingOf: number[] = [];
  for (const damping of dampings)
    for (let level = 0; level < LEVELS; level++) {
      const largest = (damping * board.voltageMax) / board.driveStep;
      const drive = Int16Array.from({ length: cells }, () =>
        Math.round((2 * random.uniform() - 1) * largest),
      );
      await board.program({ damping, drive });
      asked.push(Float64Array.from(drive, (code) => code * board.driveStep));
      read.push(await board.readOnce(board.settleTicks(damping)));
      dampingOf.push(damping);
      onStep(read.length);
    }
  const offset = noEstimates(cells);
  const gain = noEstimates(cells);
  const curvature = noEstimates(cells);
  const leakage = noEstimates(cells);
  const codeVariance = new Float64Array(cells).fill(Number.NaN);
  const groups = Int32Array.from(read.keys());
  const lambda = Float64Array.from(dampingOf);
  const unit = DAMPING_STEP / Math.sqrt(12) / (dampings[1] - dampings[0]);
  for (let cell = 0; cell < cells; cell++) {
    const x = Float64Array.from(asked, (drives) => drives[cell]);
    const v = Float64Array.from(read, (volts) => correctedVoltage(adc, cell, volts[cell]));
    if (!v.every(Number.isFinite)) continue;
    const columns = [x.map(() => 1), x, x.map((e) => e * e), v.map((volt) => -volt)];
    const floor = (dampings[0] * board.adcStep) / Math.sqrt(12);
    const fit = fitLinear(
      columns,
      v.map((volt, n) => lambda[n] * volt),
      { floor, groups },
    );
    if (fit === undefined) continue;
    const [o, g, c, l] = fit.coefficients;
    const [oError, gError, cError, lError] = fit.standardErrors;
    const middle = (dampings[0] + dampings[1]) / 2;
    const readings = Math.hypot(...dampings) * Math.SQRT1_2 * adc.scatter[cell];
    codeVariance[cell] = fit.scatter ** 2 - readings ** 2;
    setEstimate(offset, cell, o, Math.hypot(oError, middle * adc.offset.standardErrors[cell]));
    setEstimate(gain, cell, g, Math.hypot(gError, g * adc.gain.standardErrors[cell], unit * Math.SQRT2));
    setEstimate(curvature, cell, c, cError);
    setEstimate(leakage, cell, l, Math.hypot(lError, unit * Math.hypot(...dampings)));
  }
  return { offset, gain, curvature, leakage, codeVariance };
}

/**
 * Two dampings; the smaller is a third of the larger. They are 1 and 3 G_fs if the range of the drives is
 * large enough.
 */
function dampingsOf(board: LabBoard): readonly [number, number] {
  const reach = (0.95 * board.identity.driveRange) / board.voltageMax;
  const large = Math.min(3, reach, 0.8 / board.tick);
  const small = Math.floor(large / 3 / DAMPING_STEP) * DAMPING_STEP;
  return [small, 3 * small];
}
