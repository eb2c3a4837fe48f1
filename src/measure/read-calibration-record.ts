import {
  atLeast,
  date,
  integer,
  list,
  literal,
  number,
  parseFields,
  positiveNumber,
  text,
} from '../../emulator/profiles/fields.js';
import { CELLS_MAX, IDENTITY_TEXT_BYTES_MAX } from '../../firmware-protocol/limits.js';
import {
  type BoardCalibration,
  boardName,
  CELL_QUANTITIES,
  type CellQuantity,
  nominalValue,
} from '../board/calibration.js';
import { ThermolinkError } from '../errors.js';
import {
  CALIBRATION_SCHEMA,
  CALIBRATION_VERSION,
  checkDate,
  DAY_MS,
  VALID_DAYS_MAX,
} from './calibration-record.js';

/** Largest difference of a gain from 1, and of an offset from 0, on a usable board. */
const DEVIATION_MAX = 0.5;

/** The allowed values. A noise temperature may be any number above 0. */
function valueSchema(quantity: CellQuantity) {
  if (quantity === 'noiseTemperature') return positiveNumber();
  const nominal = nominalValue(quantity);
  return number(nominal - DEVIATION_MAX, nominal + DEVIATION_MAX);
}

/** The fields of a calibration record that are read. Its other fields are for people. */
const recordSchema = atLeast({
  schema: literal(CALIBRATION_SCHEMA),
  version: literal(CALIBRATION_VERSION),
  measuredAt: date(),
  expiresAt: date(),
  board: atLeast({
    model: text(IDENTITY_TEXT_BYTES_MAX),
    serialNumber: text(IDENTITY_TEXT_BYTES_MAX),
    cells: integer(1, CELLS_MAX, 'cells'),
  }),
  quantities: atLeast(
    Object.fromEntries(
      CELL_QUANTITIES.map((quantity) => [quantity, atLeast({ values: list(valueSchema(quantity)) })]),
    ),
  ),
  couplingErrors: atLeast({ values: list(number(-DEVIATION_MAX, DEVIATION_MAX)) }).nullable(),
});

/**
 * The calibration in a record (`JSON.parse` of the file), at the time `now`. The solver that uses it checks
 * whether it belongs to the board. Errors: BAD_CALIBRATION if `record` is not a calibration record or is
 * damaged (the error names the field), if it has expired, or if its date is more than a day after `now`.
 */
export function calibrationOf(record: unknown, now: Date): BoardCalibration {
  checkDate('now', now);
  const parsed = parseFields(recordSchema, record);
  if (!('value' in parsed)) throw damaged(parsed.field, parsed.problem);
  const { board, quantities, couplingErrors, measuredAt, expiresAt } = parsed.value;
  refuseImpossible(measuredAt, expiresAt, now);
  refuseExpired(measuredAt, expiresAt, now);
  const numbers = (field: string, values: readonly number[], each: string, length: number): Float64Array => {
    if (values.length !== length)
      throw damaged(field, `has ${values.length} entries; it needs one per ${each}, ${length}`);
    return Float64Array.from(values);
  };
  const lists = Object.fromEntries(
    CELL_QUANTITIES.map((quantity) => [
      quantity,
      numbers(`quantities.${quantity}.values`, quantities[quantity].values, 'cell', board.cells),
    ]),
  ) as Record<CellQuantity, Float64Array>;
  return {
    board: boardName(board),
    ...lists,
    couplingErrors:
      couplingErrors === null
        ? undefined
        : numbers('couplingErrors.values', couplingErrors.values, 'crosspoint', board.cells ** 2),
  };
}

/**
 * Refuses impossible dates. The clocks of two machines may differ by hours, and by a day if a time zone is
 * wrong.
 */
function refuseImpossible(measuredAt: Date, expiresAt: Date, now: Date): void {
  const inDays = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / DAY_MS;
  if (inDays(now, measuredAt) > 1)
    throw damaged(
      'measuredAt',
      `is ${measuredAt.toISOString()}, in the future: the clock of one machine is wrong`,
    );
  const validDays = inDays(measuredAt, expiresAt);
  if (validDays <= 0) throw damaged('expiresAt', `is ${expiresAt.toISOString()}, not after measuredAt`);
  if (validDays > VALID_DAYS_MAX + 1)
    throw damaged(
      'expiresAt',
      `is ${Math.round(validDays)} days after measuredAt; a calibration is valid for at most ${VALID_DAYS_MAX}`,
    );
}

function refuseExpired(measuredAt: Date, expiresAt: Date, now: Date): void {
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

function damaged(field: string, problem: string): ThermolinkError {
  const where = field === '' ? 'it' : field;
  return new ThermolinkError('BAD_CALIBRATION', `This calibration cannot be used: ${where} ${problem}.`, {
    hint: 'Calibrate the board again.',
    data: { field },
  });
}
