import type { CommandRow, EventRow, FieldsObject, Row } from '../message-table.js';
import { ACQUISITION_MESSAGES } from './acquisition.js';
import { PROGRAM_MESSAGES } from './program.js';
import { RUN_MESSAGES } from './run.js';
import { SYSTEM_MESSAGES } from './system.js';

/** The tables by group, in the order of the documentation. */
export const MESSAGE_GROUPS = {
  system: SYSTEM_MESSAGES,
  program: PROGRAM_MESSAGES,
  run: RUN_MESSAGES,
  acquisition: ACQUISITION_MESSAGES,
} as const;

type AnyRow = (typeof MESSAGE_GROUPS)[keyof typeof MESSAGE_GROUPS][number];

export const MESSAGES: readonly AnyRow[] = Object.values(MESSAGE_GROUPS).flat();

type CommandRows = Extract<AnyRow, { kind: 'command' }>;
type EventRows = Extract<AnyRow, { kind: 'event' }>;

export type CommandName = CommandRows['name'];
export type EventName = EventRows['name'];

/** Fields of a command, as the host sends it. */
export type Command<N extends CommandName> = FieldsObject<Extract<CommandRows, { name: N }>['fields']>;
/** Fields of its answer. */
export type Answer<N extends CommandName> = FieldsObject<Extract<CommandRows, { name: N }>['answer']>;
/** Fields of an event. */
export type Event<N extends EventName> = FieldsObject<Extract<EventRows, { name: N }>['fields']>;

const byName = new Map<string, Row>(MESSAGES.map((row) => [row.name, row]));
if (byName.size !== MESSAGES.length) throw new Error('bug: two messages have the same name');
if (new Set(MESSAGES.map((row) => row.opcode)).size !== MESSAGES.length)
  throw new Error('bug: two messages have the same opcode');

export function commandRow(name: CommandName): CommandRow {
  return byName.get(name) as CommandRow;
}

export function eventRow(name: EventName): EventRow {
  return byName.get(name) as EventRow;
}
