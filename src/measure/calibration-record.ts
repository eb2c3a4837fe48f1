import { badArgument, checkObject, checkWhole } from '../argument-checks.js';
import { CELL_QUANTITIES, type CellQuantity, nominalValue } from '../board/calibration.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import type { CalibrationResult } from './calibrate.js';
import type { Residuals } from './residuals.js';

/** Raised by every change that a reader of records would notice. */
export const CALIBRATION_VERSION = 1;
export const CALIBRATION_SCHEMA = 'thermolink-calibration';

/**
 * A calibration as JSON. Entry i of a list belongs to cell i; couplings are N×N, row by row. Numbers are in
 * the unit that stands beside them.
 */
export interface CalibrationRecord {
  readonly schema: typeof CALIBRATION_SCHEMA;
  readonly version: typeof CALIBRATION_VERSION;
  /** ISO 8601, by the host's clock. */
  readonly measuredAt: string;
  /** From then on it is refused. */
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
    /** Root mean square of the estimates' standard errors. */
    readonly standardError: number;
  } | null;
  /**
   * ‖e − A v‖/‖e‖ of programs that took no part in it, from what was programmed and from what the calibration
   * says; null: not measured.
   */
  readonly residuals: Residuals | null;
  /** Cells with nominal values, since they do not follow. */
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
/** No calibration is valid for longer than ten years. */
export const VALID_DAYS_MAX = 3650;
export const DAY_MS = 86_400_000;
/** Digits kept: far below what can be measured. */
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

/** Refuses what is no point in time: BAD_ARGUMENT. */
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
