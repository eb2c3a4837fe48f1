import type { CommandRow, EventRow, FieldsObject, Row } from '../message-table.js';
import { ACQUISITION_MESSAGES } from './acquisition.js';
import { CALIBRATION_MESSAGES } from './calibration.js';
import { PROGRAM_MESSAGES } from './program.js';
import { RUN_MESSAGES } from './run.js';
import { SYSTEM_MESSAGES } from './system.js';

/** The message tables by group, in the order of the documentation. */
export const MESSAGE_GROUPS = {
  system: SYSTEM_MESSAGES,
  program: PROGRAM_MESSAGES,
  run: RUN_MESSAGES,
  acquisition: ACQUISITION_MESSAGES,
  calibration: CALIBRATION_MESSAGES,
} as const;

type AnyRow = (typeof MESSAGE_GROUPS)[keyof typeof MESSAGE_GROUPS][number];

/** Every message of the protocol: the rows of protocol.md, "Messages". */
export const MESSAGES: readonly AnyRow[] = Object.values(MESSAGE_GROUPS).flat();

type CommandRows = Extract<AnyRow, { kind: 'command' }>;
type EventRows = Extract<AnyRow, { kind: 'event' }>;

/** The name of a command. */
export type CommandName = CommandRows['name'];
/** The name of an event. */
export type EventName = EventRows['name'];

/** Fields of a command, as the host sends it. */
export type Command<N extends CommandName> = FieldsObject<Extract<CommandRows, { name: N }>['fields']>;
/** Fields of the answer to a command. */
export type Answer<N extends CommandName> = FieldsObject<Extract<CommandRows, { name: N }>['answer']>;
/** Fields of an event. */
export type Event<N extends EventName> = FieldsObject<Extract<EventRows, { name: N }>['fields']>;

const byName = new Map<string, Row>(MESSAGES.map((row) => [row.name, row]));
if (byName.size !== MESSAGES.length) throw new Error('bug: two messages have the same name');
if (new Set(MESSAGES.map((row) => row.opcode)).size !== MESSAGES.length)
  throw new Error('bug: two messages have the same opcode');

/** The row of a command. Errors: none; undefined for a name that is not in the tables. */
export function commandRow(name: CommandName): CommandRow {
  return byName.get(name) as CommandRow;
}

/** The row of an event. Errors: none; undefined for a name that is not in the tables. */
export function eventRow(name: EventName): EventRow {
  return byName.get(name) as EventRow;
}
