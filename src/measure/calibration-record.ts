import { badArgument, checkObject, checkWhole } from '../argument-checks.js';
import { CELL_QUANTITIES, type CellQuantity, nominalValue } from '../board/calibration.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import type { CalibrationResult } from './calibrate.js';
import type { Residuals } from './residuals.js';

/** Version of the format. Every change that affects readers of records increases it. */
export const CALIBRATION_VERSION = 1;
export const CALIBRATION_SCHEMA = 'thermolink-calibration';

/**
 * A calibration as JSON. Entry i of a list belongs to cell i; couplings are N×N, row by row. Each number has
 * its unit beside it.
 */
export interface CalibrationRecord {
  readonly schema: typeof CALIBRATION_SCHEMA;
  readonly version: typeof CALIBRATION_VERSION;
  /** Time of the measurement by the clock of the host, ISO 8601. */
  readonly measuredAt: string;
  /** From this time on the record is refused. */
  readonly expiresAt: string;
  readonly board: DeviceIdentity;
  readonly method: { readonly seed: number; readonly samples: number };
  readonly quantities: Readonly<
    Record<
      CellQuantity,
      { readonly unit: string; readonly nominal: number; readonly values: readonly number[] }
    >
  >;
  /** ε; null when crosspoints were not measured. */
  readonly couplingErrors: {
    readonly unit: '1';
    readonly values: readonly number[];
    /** Root mean square of the standard errors of the estimates. */
    readonly standardError: number;
  } | null;
  /**
   * ‖e − A v‖/‖e‖ of programs that were not used for the calibration, with the programmed A and with the
   * calibrated A; null: not measured.
   */
  readonly residuals: Residuals | null;
  /** Cells with nominal values, because their readings do not follow the loaded voltage. */
  readonly uncalibrated: readonly number[];
}

const UNITS: Readonly<Record<CellQuantity, string>> = {
  adcOffset: 'V_fs',
  adcGain: '1',
  adcCurvature: '1/V_fs',
  driveOffset: 'V_fs·G_fs',
  driveGain: '1',
  driveCurvature: '1/(V_fs·G_fs)',
  leakage: 'G_fs',
  timeConstant: 'τ',
  noiseTemperature: 'κ',
  fromNext: '1',
  fromBefore: '1',
};
/** Longest validity of a calibration: ten years. */
export const VALID_DAYS_MAX = 3650;
export const DAY_MS = 86_400_000;
/** Number of digits in a record; more than a measurement can resolve. */
const DIGITS = 7;

/**
 * The record of a calibration made at `measuredAt` that is valid for `validDays` days. Errors: BAD_ARGUMENT.
 */
export function calibrationRecordOf(
  result: CalibrationResult,
  measuredAt: Date,
  validDays: number,
): CalibrationRecord {
  checkObject('The result', result, 'await calibrate(device, { seed: 0, samples: 20000 })');
  checkDate('measuredAt', measuredAt);
  checkWhole('validDays', validDays, 1, VALID_DAYS_MAX);
  const { calibration, measured, residuals, uncalibrated } = result;
  const { couplingErrors } = calibration;
  return {
    schema: CALIBRATION_SCHEMA,
    version: CALIBRATION_VERSION,
    measuredAt: measuredAt.toISOString(),
    expiresAt: new Date(measuredAt.getTime() + validDays * DAY_MS).toISOString(),
    board: measured.identity,
    method: { seed: measured.seed, samples: measured.samples },
    quantities: Object.fromEntries(
      CELL_QUANTITIES.map((quantity) => [
        quantity,
        { unit: UNITS[quantity], nominal: nominalValue(quantity), values: rounded(calibration[quantity]) },
      ]),
    ) as unknown as CalibrationRecord['quantities'],
    couplingErrors:
      couplingErrors === undefined
        ? null
        : {
            unit: '1',
            values: rounded(couplingErrors),
            standardError: rootMeanSquare(measured.couplings!.errors.standardErrors),
          },
    residuals: residuals ?? null,
    uncalibrated,
  };
}

/** Throws BAD_ARGUMENT if `value` is not a valid Date. */
export function checkDate(name: string, value: unknown): void {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw badArgument(name, value, 'a Date');
}

function rounded(values: Float64Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(DIGITS)));
}

function rootMeanSquare(values: Float64Array): number {
  const known = values.filter((value) => Number.isFinite(value));
  return Math.sqrt(known.reduce((sum, value) => sum + value * value, 0) / Math.max(1, known.length));
}
