import { STATE_STEP } from '../board/board-range.js';
import { type Estimates, noEstimates, setEstimate } from './estimates.js';
import { type LabBoard, randomStates } from './lab-board.js';
import { fitLinear } from './least-squares.js';

/**
 * The transfer of an ADC channel: a cell's voltage v is read as r = offset + gain·v + curvature·v², in V_fs.
 */
export interface AdcTransfer {
  /** V_fs. */
  readonly offset: Estimates;
  readonly gain: Estimates;
  /** 1/V_fs. */
  readonly curvature: Estimates;
  /**
   * Standard deviation of single readings about that curve, one per cell, in V_fs. It contains rounding and
   * the errors of single codes.
   */
  readonly scatter: Float64Array;
  /**
   * Cells, ascending, whose readings do not follow the loaded voltage: the cell is dead, or its channel is
   * stuck.
   */
  readonly silent: readonly number[];
}

/** Number of loaded voltages. Each needs a rewrite and a board run of 0 ticks. */
export const ADC_LEVELS = 256;
/** Largest difference of the gain from 1 of a channel that follows its cell. */
const GAIN_DEVIATION_MAX = 0.5;
const STAGE = 1;

/**
 * Loads random voltages and reads them before the first tick. The array then has no effect, and the
 * initial-state register is the reference. Every cell has its own levels, to average the errors of single
 * codes. The readings are fitted by least squares on 1, v, v².
 */
export async function measureAdcTransfer(
  board: LabBoard,
  onStep: (done: number) => void = () => undefined,
): Promise<AdcTransfer> {
  const { cells } = board;
  const random = board.random(STAGE);
  const loaded: Int16Array[] = [];
  const read: Float64Array[] = [];
  for (let level = 0; level < ADC_LEVELS; level++) {
    const initialState = randomStates(random, 1.2 * board.voltageMax, cells);
    await board.program({ damping: 0, initialState });
    loaded.push(initialState);
    read.push(await board.readOnce(0));
    onStep(level + 1);
  }
  const offset = noEstimates(cells);
  const gain = noEstimates(cells);
  const curvature = noEstimates(cells);
  const scatter = new Float64Array(cells).fill(Number.NaN);
  const silent: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const v = Float64Array.from(loaded, (states) => states[cell] * STATE_STEP);
    const r = Float64Array.from(read, (volts) => volts[cell]);
    const columns = [v.map(() => 1), v, v.map((x) => x * x)];
    const fit = fitLinear(columns, r, { floor: board.adcStep / Math.sqrt(12) });
    if (fit === undefined || !(Math.abs(fit.coefficients[1] - 1) <= GAIN_DEVIATION_MAX)) silent.push(cell);
    else {
      scatter[cell] = fit.scatter;
      for (const [i, estimates] of [offset, gain, curvature].entries())
        setEstimate(estimates, cell, fit.coefficients[i], fit.standardErrors[i]);
    }
  }
  return { offset, gain, curvature, scatter, silent };
}

/** The voltage at which `cell` reads `r`, both in V_fs; NaN for a cell that does not follow. */
export function correctedVoltage({ offset, gain, curvature }: AdcTransfer, cell: number, r: number): number {
  const straight = (r - offset.values[cell]) / gain.values[cell];
  const bend = curvature.values[cell] / gain.values[cell];
  // The curvature term is about one LSB. A second correction would be far smaller.
  return straight - bend * (straight - bend * straight * straight) ** 2;
}
