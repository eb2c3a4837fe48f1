/**
 * Messages ⇄ payloads. A payload is the MessagePack array [opcode, request id, fields in order]. Validation
 * is derived from the message tables. In a received message an unexpected type, or a value out of its range,
 * gives a `BadPayload`. In a message to send it is a bug of the caller and throws.
 */
import { U32_MAX } from './limits.js';
import type { CommandRow, EventRow, Field, Row } from './message-table.js';
import {
  type Answer,
  type Command,
  type CommandName,
  commandRow,
  type Event,
  type EventName,
  eventRow,
  MESSAGES,
} from './messages/index.js';
import { pack, packParts, unpack, type WireValue } from './restricted-messagepack.js';

/** One half of a character that takes two units of UTF-16. UTF-8 cannot encode half a character. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Length of a text on the wire. */
function utf8Bytes(value: string): number {
  let bytes = 0;
  for (const character of value) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Whether a value is of the field's type and within its range. */
function accepts(field: Field, value: unknown): boolean {
  switch (field.type) {
    case 'integer':
      return Number.isSafeInteger(value) && field.min <= (value as number) && (value as number) <= field.max;
    case 'choice':
      return Object.values<unknown>(field.choices).includes(value);
    case 'bytes':
      return value instanceof Uint8Array && field.minBytes <= value.length && value.length <= field.maxBytes;
    case 'text':
      return typeof value === 'string' && utf8Bytes(value) <= field.maxBytes && !LONE_SURROGATE.test(value);
  }
}

/** The values that a field may hold, in words, for the error about any other value. */
function expected(field: Field): string {
  switch (field.type) {
    case 'integer':
      return `a whole number from ${field.min} to ${field.max}`;
    case 'choice':
      return `one of ${Object.values(field.choices).join(', ')}`;
    case 'bytes':
      return `a Uint8Array of ${field.minBytes} to ${field.maxBytes} bytes`;
    case 'text':
      return `well-formed text of at most ${field.maxBytes} bytes of UTF-8`;
  }
}

/**
 * The fields of a request, of an answer or of an event, in their order in the array (protocol.md,
 * "Messages").
 */
class Shape {
  readonly #fields: readonly Field[];

  constructor(fields: readonly Field[]) {
    this.#fields = fields;
  }

  /** Throws a RangeError if the tables do not allow the value of a field: that is a bug of the caller. */
  toArray(opcode: number, requestId: number, values: Readonly<Record<string, unknown>>): WireValue[] {
    const items: WireValue[] = [opcode, requestId];
    for (const field of this.#fields) {
      const value = values[field.name];
      if (!accepts(field, value))
        throw new RangeError(`bug: ${field.name} = ${String(value)}: expected ${expected(field)}`);
      items.push(value as WireValue);
    }
    return items;
  }

  /**
   * The fields by name, or the name of the first bad field. Items after the known fields belong to a later
   * minor version and are left out (protocol.md, "Versions").
   */
  fromArray(items: readonly WireValue[]): { fields: Record<string, WireValue> } | { bad: string } {
    const fields: Record<string, WireValue> = {};
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i];
      const value = items[i + 2] ?? ('absent' in field ? field.absent : undefined);
      if (value === undefined || !accepts(field, value)) return { bad: field.name };
      fields[field.name] = value;
    }
    return { fields };
  }
}

const requestShapes = new Map<number, { row: Row; shape: Shape }>();
const replyShapes = new Map<number, { row: Row; shape: Shape }>();
for (const row of MESSAGES as readonly Row[]) {
  if (row.kind === 'command') {
    requestShapes.set(row.opcode, { row, shape: new Shape(row.fields) });
    replyShapes.set(row.opcode, { row, shape: new Shape(row.answer) });
  } else {
    const shapes = row.direction === 'toDevice' ? requestShapes : replyShapes;
    shapes.set(row.opcode, { row, shape: new Shape(row.fields) });
  }
}

/** A message received by the device. */
export type ToDevice =
  | {
      [N in CommandName]: {
        kind: 'command';
        name: N;
        row: CommandRow;
        requestId: number;
        fields: Command<N>;
      };
    }[CommandName]
  | {
      [N in EventName]: { kind: 'event'; name: N; row: EventRow; requestId: number; fields: Event<N> };
    }[EventName];

/** A message received by the host: an answer to a command, or an event. */
export type ToHost =
  | {
      [N in CommandName]: { kind: 'answer'; name: N; row: CommandRow; requestId: number; fields: Answer<N> };
    }[CommandName]
  | {
      [N in EventName]: { kind: 'event'; name: N; row: EventRow; requestId: number; fields: Event<N> };
    }[EventName];

/**
 * A payload that is not a message of this protocol. It has the opcode and the request id if they could be
 * read.
 */
export interface BadPayload {
  readonly kind: 'bad';
  readonly reason: string;
  readonly opcode?: number;
  readonly requestId?: number;
}

/**
 * The payload of a command. Errors: RangeError if a field is missing or the tables do not allow its value,
 * which is a bug of the caller.
 */
export function encodeCommand<N extends CommandName>(
  name: N,
  requestId: number,
  fields: Command<N>,
): Uint8Array {
  return pack(commandItems(name, requestId, fields));
}

/**
 * The payload of a command in parts. Bulk data is not copied, so the caller must copy the parts before the
 * next call. Errors: those of `encodeCommand`.
 */
export function encodeCommandParts<N extends CommandName>(
  name: N,
  requestId: number,
  fields: Command<N>,
): readonly Uint8Array[] {
  return packParts(commandItems(name, requestId, fields));
}

function commandItems(
  name: CommandName,
  requestId: number,
  fields: Readonly<Record<string, unknown>>,
): WireValue[] {
  const { opcode } = commandRow(name);
  return requestShapes.get(opcode)!.shape.toArray(opcode, requestId, fields);
}

/** The payload of an answer to the command `name`. Errors: those of `encodeCommand`. */
export function encodeAnswer<N extends CommandName>(
  name: N,
  requestId: number,
  fields: Answer<N>,
): Uint8Array {
  const { opcode } = commandRow(name);
  return pack(replyShapes.get(opcode)!.shape.toArray(opcode, requestId, fields));
}

/** The payload of an event. Errors: those of `encodeCommand`. */
export function encodeEvent<N extends EventName>(name: N, requestId: number, fields: Event<N>): Uint8Array {
  return pack(eventItems(name, requestId, fields));
}

/**
 * The payload of an event in parts. Bulk data is not copied, so the caller must copy the parts before the
 * next call. Errors: those of `encodeCommand`.
 */
export function encodeEventParts<N extends EventName>(
  name: N,
  requestId: number,
  fields: Event<N>,
): readonly Uint8Array[] {
  return packParts(eventItems(name, requestId, fields));
}

function eventItems(
  name: EventName,
  requestId: number,
  fields: Readonly<Record<string, unknown>>,
): WireValue[] {
  const { opcode, direction } = eventRow(name);
  const shapes = direction === 'toDevice' ? requestShapes : replyShapes;
  return shapes.get(opcode)!.shape.toArray(opcode, requestId, fields);
}

/**
 * The message in a payload that the device received. Errors: none; any other payload becomes a `BadPayload`.
 */
export function decodeToDevice(payload: Uint8Array): ToDevice | BadPayload {
  return decode(payload, requestShapes, 'command') as ToDevice | BadPayload;
}

/**
 * The message in a payload that the host received. Errors: none; any other payload becomes a `BadPayload`.
 */
export function decodeToHost(payload: Uint8Array): ToHost | BadPayload {
  return decode(payload, replyShapes, 'answer') as ToHost | BadPayload;
}

function decode(
  payload: Uint8Array,
  shapes: ReadonlyMap<number, { row: Row; shape: Shape }>,
  commandKind: 'command' | 'answer',
): unknown {
  const bad = (reason: string, opcode?: number, requestId?: number): BadPayload => ({
    kind: 'bad',
    reason,
    ...(opcode === undefined ? {} : { opcode }),
    ...(requestId === undefined ? {} : { requestId }),
  });
  const unpacked = unpack(payload);
  if (!unpacked.ok) return bad(unpacked.reason);
  const items = unpacked.value;
  if (!Array.isArray(items)) return bad('not an array');
  const [opcode, requestId] = items;
  if (typeof opcode !== 'number' || opcode < 0 || opcode > 127) return bad('no opcode');
  if (typeof requestId !== 'number' || requestId < 0 || requestId > U32_MAX)
    return bad('no request id', opcode);
  const entry = shapes.get(opcode);
  if (!entry) return bad('unknown opcode', opcode, requestId);
  const parsed = entry.shape.fromArray(items);
  if ('bad' in parsed) return bad(`field ${parsed.bad} of ${entry.row.name}`, opcode, requestId);
  const kind = entry.row.kind === 'command' ? commandKind : 'event';
  return { kind, name: entry.row.name, row: entry.row, requestId, fields: parsed.fields };
}
