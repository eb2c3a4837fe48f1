import { badArgument, checkObject, checkWhole } from '../argument-checks.js';
import {
  type BoardCalibration,
  boardName,
  CELL_QUANTITIES,
  type CellQuantity,
  nominalValue,
} from '../board/calibration.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import type { CalibrationResult } from './calibrate.js';
import type { Residuals } from './residuals.js';

/** Raised by every change that a reader of records would notice. */
export const CALIBRATION_VERSION = 1;
const SCHEMA = 'thermolink-calibration';

/** A calibration as JSON. Entry i of a list belongs to cell i; couplings are N×N, row by row. */
export interface CalibrationRecord {
  readonly schema: typeof SCHEMA;
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
  /** ‖e − A v‖/‖e‖ of programs that took no part in it, from what was programmed and from what the calibration says; null: not measured. */
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
/** Digits kept: far below what can be measured. */
const DIGITS = 7;

/** The record of a calibration made at `measuredAt` that is valid for so many days. */
export function calibrationRecordOf(
  result: CalibrationResult,
  measuredAt: Date,
  validDays: number,
): CalibrationRecord {
  checkObject('The result', result, 'await calibrate(device, { seed: 0, samples: 20000 })');
  checkDate('measuredAt', measuredAt);
  checkWhole('validDays', validDays, 1);
  const { calibration, measured, residuals, uncalibrated } = result;
  const { couplingErrors } = calibration;
  return {
    schema: SCHEMA,
    version: CALIBRATION_VERSION,
    measuredAt: measuredAt.toISOString(),
    expiresAt: new Date(measuredAt.getTime() + validDays * 86_400_000).toISOString(),
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

/**
 * The calibration in a record (`JSON.parse` of the file), at the time `now`. Whether it is of the board that it is used on is
 * checked where it is used. Errors: BAD_CALIBRATION for a record that is none or damaged (it names the field), or out of date.
 */
export function calibrationOf(record: unknown, now: Date): BoardCalibration {
  checkDate('now', now);
  const known = recordFields(record);
  const { cells } = known.board;
  refuseExpired(known, now);
  const lists = Object.fromEntries(
    CELL_QUANTITIES.map((quantity) => {
      const field = `quantities.${quantity}`;
      return [quantity, numbers(fieldsOf(known.quantities[quantity], field)['values'], field, cells)];
    }),
  ) as Record<CellQuantity, Float64Array>;
  for (const quantity of CELL_QUANTITIES) refuseAbsurd(quantity, lists[quantity]);
  const couplings =
    known.couplingErrors === null ? undefined : fieldsOf(known.couplingErrors, 'couplingErrors')['values'];
  const couplingErrors =
    couplings === undefined ? undefined : numbers(couplings, 'couplingErrors', cells * cells);
  if (couplingErrors?.some((error) => Math.abs(error) > DEVIATION_MAX))
    throw damaged('couplingErrors has an entry beyond ±0.5');
  return { board: boardName(known.board), ...lists, couplingErrors };
}

/** No board that is any use has a gain further from 1, or an offset further from 0. */
const DEVIATION_MAX = 0.5;

function refuseAbsurd(quantity: CellQuantity, values: Float64Array): void {
  const nominal = nominalValue(quantity);
  // Of a temperature only that it is one.
  const isFar = (value: number) =>
    quantity === 'noiseTemperature' ? !(value > 0) : Math.abs(value - nominal) > DEVIATION_MAX;
  const cell = values.findIndex(isFar);
  if (cell >= 0) throw damaged(`quantities.${quantity} of cell ${cell} is ${values[cell]}`);
}

function recordFields(record: unknown) {
  const fields = fieldsOf(record, '');
  if (fields['schema'] !== SCHEMA) throw damaged(`schema is not "${SCHEMA}"`);
  if (fields['version'] !== CALIBRATION_VERSION)
    throw damaged(`version is ${String(fields['version'])}, and this program reads ${CALIBRATION_VERSION}`);
  const board = fieldsOf(fields['board'], 'board');
  const { model, serialNumber, cells } = board;
  if (typeof model !== 'string' || typeof serialNumber !== 'string') throw damaged('board has no name');
  if (typeof cells !== 'number' || !Number.isInteger(cells) || cells < 1)
    throw damaged('board.cells is no size');
  return {
    board: { model, serialNumber, cells },
    measuredAt: date(fields['measuredAt'], 'measuredAt'),
    expiresAt: date(fields['expiresAt'], 'expiresAt'),
    quantities: fieldsOf(fields['quantities'], 'quantities'),
    couplingErrors: fields['couplingErrors'],
  };
}

function checkDate(name: string, value: unknown): void {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw badArgument(name, value, 'a Date');
}

function refuseExpired({ measuredAt, expiresAt }: { measuredAt: Date; expiresAt: Date }, now: Date): void {
  if (now < expiresAt) return;
  throw new ThermolinkError(
    'BAD_CALIBRATION',
    `The calibration of ${measuredAt.toISOString()} expired at ${expiresAt.toISOString()}.`,
    {
      hint: 'Boards age: calibrate again.',
      data: { measuredAt: measuredAt.toISOString(), expiresAt: expiresAt.toISOString() },
    },
  );
}

function fieldsOf(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw damaged(field === '' ? 'it is no object' : `${field} is missing`);
}

function numbers(value: unknown, field: string, length: number): Float64Array {
  const list = Array.isArray(value) ? value : [];
  if (list.length !== length) throw damaged(`${field} has not ${length} values`);
  const wrong = list.findIndex((entry) => typeof entry !== 'number' || !Number.isFinite(entry));
  if (wrong >= 0) throw damaged(`${field} has no number at ${wrong}`);
  return Float64Array.from(list as number[]);
}

function date(value: unknown, field: string): Date {
  const parsed = new Date(typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(parsed.getTime())) throw damaged(`${field} is no date`);
  return parsed;
}

function damaged(problem: string): ThermolinkError {
  return new ThermolinkError('BAD_CALIBRATION', `This is no calibration that can be used: ${problem}.`, {
    hint: 'Make a new one: thermolink calibrate.',
  });
}

function rounded(values: Float64Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(DIGITS)));
}

function rootMeanSquare(values: Float64Array): number {
  const known = values.filter((value) => Number.isFinite(value));
  return Math.sqrt(known.reduce((sum, value) => sum + value * value, 0) / Math.max(1, known.length));
}
