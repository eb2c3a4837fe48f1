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

/** No board that is any use has a gain further from 1, or an offset further from 0. */
const DEVIATION_MAX = 0.5;

/** What one value may be. A noise temperature may be anything above 0. */
function valueSchema(quantity: CellQuantity) {
  if (quantity === 'noiseTemperature') return positiveNumber();
  const nominal = nominalValue(quantity);
  return number(nominal - DEVIATION_MAX, nominal + DEVIATION_MAX);
}

/** What is read of a calibration record; it holds more, for people. */
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
 * The calibration in a record (`JSON.parse` of the file), at the time `now`. Whether it was measured on the
 * right board is checked where it is used. Errors: BAD_CALIBRATION for what is no calibration record, for a
 * damaged one (the error names the field), and for one that is out of date or dated more than a day after
 * `now`.
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
      throw damaged(field, `has ${values.length} entries; it takes one per ${each}, ${length}`);
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
 * Refuses dates that no calibration can have. The clocks of two machines may differ by hours, in wrong time
 * zones by a day.
 */
function refuseImpossible(measuredAt: Date, expiresAt: Date, now: Date): void {
  const inDays = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / DAY_MS;
  if (inDays(now, measuredAt) > 1)
    throw damaged('measuredAt', `is ${measuredAt.toISOString()}, in the future: one of the clocks is wrong`);
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
  return new ThermolinkError(
    'BAD_CALIBRATION',
    `This is no calibration that can be used: ${where} ${problem}.`,
    { hint: 'Calibrate the board again.', data: { field } },
  );
}
