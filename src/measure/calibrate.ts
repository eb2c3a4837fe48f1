import { checkObject, checkOptionalFlag } from '../argument-checks.js';
import { type BoardCalibration, boardName, CELL_QUANTITIES, nominalValue } from '../board/calibration.js';
import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { type Characterization, characterize, checkCharacterizeRequest } from './characterize.js';
import type { Estimates } from './estimates.js';
import { measureInSession } from './lab-board.js';
import { measureResiduals, type Residuals } from './residuals.js';

/** How much is measured for a calibration. */
export interface CalibrateRequest {
  /** u32: names what is loaded and driven, and the noise. */
  readonly seed: number;
  /** Readings of every cell with noise, for its noise temperature; 1,000 to 10⁷. */
  readonly samples: number;
  /**
   * Whether every crosspoint of the dense array is measured, N² of them; else cells and their lines alone.
   * Default: on boards of up to 256 cells that have one.
   */
  readonly crosspoints?: boolean;
  readonly signal?: AbortSignal;
  /** Share of the work that is done, 0…1, and what goes on. */
  readonly onProgress?: (fraction: number, stage: string) => void;
}

/** A calibration as it was measured, with what it was measured by and how well it does. */
export interface CalibrationResult {
  readonly calibration: BoardCalibration;
  readonly measured: Characterization;
  /** Undefined on a board without a dense array. */
  readonly residuals: Residuals | undefined;
  /** Cells, ascending, that have nominal values because they do not follow what is loaded. */
  readonly uncalibrated: readonly number[];
}

/** N² programs of N² codes: above, crosspoints would take hours. */
export const CROSSPOINT_CELLS_MAX = 256;
/**
 * Sets of crosspoints from which a line's crosstalk is known well enough when crosspoints are not asked for.
 */
const LINE_SETS = 8;

/**
 * Measures a board so that its errors can be compensated, by programs, runs and samples alone, and then how
 * far it still is from what the calibration says. It must be idle, and belong to nobody else meanwhile.
 *
 * Errors: BAD_ARGUMENT, UNSUPPORTED (crosspoints of a board without a dense array), TOO_LARGE (crosspoints of
 * more than 256 cells) before any byte is sent; ABORTED; those of the device.
 */
export async function calibrate(device: BoardDevice, request: CalibrateRequest): Promise<CalibrationResult> {
  checkCalibrateRequest(request);
  const { identity } = device;
  const { seed, samples, signal, onProgress = () => undefined } = request;
  const crosspoints = request.crosspoints ?? (identity.hasDense && identity.cells <= CROSSPOINT_CELLS_MAX);
  if (crosspoints) refuseCrosspoints(identity);
  const measured = await characterize(device, {
    seed,
    samples,
    crosspointsPerRow: crosspoints ? identity.cells : LINE_SETS,
    signal,
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

/** Throws BAD_ARGUMENT for what `calibrate` would refuse, without a board. */
export function checkCalibrateRequest(request: CalibrateRequest): void {
  checkObject('The request', request, '{ seed: 0, samples: 20000 }');
  checkOptionalFlag('crosspoints', request.crosspoints);
  checkCharacterizeRequest({ ...request, crosspointsPerRow: 0 });
}

function refuseCrosspoints({ hasDense, cells, model }: BoardDevice['identity']): void {
  const hint = 'Calibrate its cells alone (`crosspoints: false`).';
  if (!hasDense)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `${model} has no dense array whose crosspoints could be measured.`,
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

/** What was measured, nominal values where nothing was. */
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
