import {
  CELL_FAULTS,
  type Die,
  type DynamicFault,
  FAULT_KINDS,
  type FaultKind,
} from '../../emulator/index.js';
import { badArgument } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';

const TICK_DIGITS_MAX = 15;

/** Form of a list of faults, for hints. */
export const FAULT_FORM = `KIND[:CELL]@TICK, separated by commas; a KIND is ${Object.keys(FAULT_KINDS).join(', ')}`;

/**
 * Reads a list such as `deadCell:3@5000,brownOut@20000`. Returns undefined for a text of another form.
 * Errors: BAD_ARGUMENT if `text` is not a string.
 */
export function parseFaults(text: string): DynamicFault[] | undefined {
  if (typeof text !== 'string') throw badArgument('text', text, 'a text');
  const faults: DynamicFault[] = [];
  for (const part of text.split(',')) {
    const match = /^(\w+)(?::(\d{1,4}))?@(\d+)$/.exec(part);
    if (!match || match[3].length > TICK_DIGITS_MAX || !Object.hasOwn(FAULT_KINDS, match[1]))
      return undefined;
    const kind = match[1] as FaultKind;
    if (match[2] !== undefined && !CELL_FAULTS.includes(kind)) return undefined;
    const cell = match[2] === undefined ? {} : { cell: Number(match[2]) };
    faults.push({ kind, atTick: Number(match[3]), ...cell });
  }
  return faults;
}

/** Throws BAD_ARGUMENT if a fault names a cell that the board does not have. */
export function checkFaults({ profile, faults = [] }: Die): void {
  const beyond = faults.find(({ cell }) => cell !== undefined && cell >= profile.cells);
  if (beyond === undefined) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `A fault of cell ${beyond.cell}: ${profile.name} has cells 0 to ${profile.cells - 1}.`,
    { hint: 'Name another cell. Without a cell, one is drawn from the die seed.' },
  );
}
