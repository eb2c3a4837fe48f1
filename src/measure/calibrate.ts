import { checkDevice, checkObject, checkOptionalFlag } from '../argument-checks.js';
import { type BoardCalibration, boardName, CELL_QUANTITIES, nominalValue } from '../board/calibration.js';
import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { type Characterization, characterize, checkCharacterizeRequest } from './characterize.js';
import type { Estimates } from './estimates.js';
import { type FinishedParts, measureInSession } from './lab-board.js';
import { measureResiduals, type Residuals } from './residuals.js';

/** A request for a calibration. */
export interface CalibrateRequest {
  /** Seed of the levels that are loaded and driven, and of the noise; u32. */
  readonly seed: number;
  /** Samples with noise, from which the noise temperatures are measured; 1,000 to 10⁷. */
  readonly samples: number;
  /**
   * Whether all N² crosspoints of the dense array are measured. If false, only cells and their lines are
   * measured. Default: true on boards with a dense array of up to 256 cells.
   */
  readonly crosspoints?: boolean;
  readonly signal?: AbortSignal;
  /** Called with the finished share of the work, 0…1, and the name of the stage. */
  readonly onProgress?: (fraction: number, stage: string) => void;
  /** As in `CharacterizeRequest`. */
  readonly finished?: FinishedParts;
}

/** A calibration, its measurements, and its residuals on the board. */
export interface CalibrationResult {
  readonly calibration: BoardCalibration;
  readonly measured: Characterization;
  /** Undefined if the board has no dense array. */
  readonly residuals: Residuals | undefined;
  /** Cells, ascending, that have nominal values because their readings do not follow the loaded voltage. */
  readonly uncalibrated: readonly number[];
}

/**
 * Largest number of cells of a board whose crosspoints are measured. On a larger board N² programs of N²
 * codes would take hours.
 */
export const CROSSPOINT_CELLS_MAX = 256;
/**
 * Number of sets of N crosspoints that are measured if `crosspoints` is false. So many sets suffice for the
 * crosstalk of the lines.
 */
const LINE_SETS = 8;

/**
 * Measures a board to compensate its errors, using only programs, board runs and samples. Then measures the
 * remaining errors of the calibrated board. Uses of one device take turns. No other use should come between
 * the two parts.
 *
 * Errors: BAD_ARGUMENT, UNSUPPORTED (crosspoints of a board without a dense array), TOO_LARGE (crosspoints of
 * more than 256 cells) before any byte is sent; ABORTED; those of the device.
 */
export async function calibrate(device: BoardDevice, request: CalibrateRequest): Promise<CalibrationResult> {
  checkDevice(device);
  checkCalibrateRequest(request);
  const { identity } = device;
  const { seed, samples, signal, finished, onProgress = () => undefined } = request;
  const crosspoints = request.crosspoints ?? (identity.hasDense && identity.cells <= CROSSPOINT_CELLS_MAX);
  if (crosspoints) refuseCrosspoints(identity);
  const measured = await characterize(device, {
    seed,
    samples,
    crosspointsPerRow: crosspoints ? identity.cells : LINE_SETS,
    signal,
    finished,
    onProgress: (fraction, stage) => onProgress(0.95 * fraction, stage),
  });
  const calibration = calibrationFrom(measured, crosspoints);
  onProgress(0.95, 'residuals');
  const residuals = identity.hasDense
    ? await measureInSession(device, { seed, signal }, (board) =>
        measureResiduals(board, calibration, measured.silent),
      )
    : undefined;
  onProgress(1, 'done');
  return { calibration, measured, residuals, uncalibrated: measured.silent };
}

/** Throws BAD_ARGUMENT for a request that `calibrate` refuses on every board. */
export function checkCalibrateRequest(request: CalibrateRequest): void {
  checkObject('The request', request, '{ seed: 0, samples: 20000 }');
  checkOptionalFlag('crosspoints', request.crosspoints);
  checkCharacterizeRequest({ ...request, crosspointsPerRow: 0 });
}

function refuseCrosspoints({ hasDense, cells, model }: BoardDevice['identity']): void {
  const hint = 'Calibrate only its cells (`crosspoints: false`).';
  if (!hasDense)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `${model} has no dense array, so it has no crosspoints to measure.`,
      {
        hint,
      },
    );
  if (cells > CROSSPOINT_CELLS_MAX)
    throw new ThermolinkError(
      'TOO_LARGE',
      `Crosspoints are measured on boards of up to ${CROSSPOINT_CELLS_MAX} cells; ${model} has ${cells}.`,
      { hint, data: { cells, cellsMax: CROSSPOINT_CELLS_MAX } },
    );
}

/** Makes the calibration from the measurements. A value that was not measured is nominal. */
function calibrationFrom(measured: Characterization, crosspoints: boolean): BoardCalibration {
  const { identity, adc, drive, timeConstant, noiseTemperature, couplings } = measured;
  const { cells } = identity;
  const estimates: Readonly<Record<(typeof CELL_QUANTITIES)[number], Estimates | undefined>> = {
    adcOffset: adc.offset,
    adcGain: adc.gain,
    adcCurvature: adc.curvature,
    driveOffset: drive.offset,
    driveGain: drive.gain,
    driveCurvature: drive.curvature,
    leakage: drive.leakage,
    timeConstant,
    noiseTemperature,
    fromNext: couplings?.fromNext,
    fromBefore: couplings?.fromBefore,
  };
  const lists = Object.fromEntries(
    CELL_QUANTITIES.map((quantity) => {
      const nominal = nominalValue(quantity);
      const values = estimates[quantity]?.values ?? new Float64Array(cells).fill(nominal);
      return [quantity, values.map((value) => (Number.isFinite(value) ? value : nominal))];
    }),
  ) as Record<(typeof CELL_QUANTITIES)[number], Float64Array>;
  let couplingErrors: Float64Array | undefined;
  if (crosspoints && couplings !== undefined) {
    couplingErrors = new Float64Array(cells * cells);
    for (const [k, row] of couplings.rows.entries()) {
      const value = couplings.errors.values[k];
      couplingErrors[row * cells + couplings.columns[k]] = Number.isFinite(value) ? value : 0;
    }
  }
  return { board: boardName(identity), ...lists, couplingErrors };
}
