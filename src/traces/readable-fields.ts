import type { Field, Row } from '../../firmware-protocol/message-table.js';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import type { FieldValue, TraceMessage } from './trace-message.js';

/** Largest number of bytes of a field that are shown in hex. For a longer field only the length is shown. */
export const SHOWN_BYTES_MAX = 64;

/** The value of a field for people and JSON: a choice as its name; bytes in hex, or only their number. */
export type ReadableValue = number | string | { readonly bytes: number };

const rows = new Map<string, Row>((MESSAGES as readonly Row[]).map((row) => [row.name, row]));

/** The fields of a message in the message tables; empty for an unknown message. Errors: none. */
export function fieldsOf({ kind, name }: Pick<TraceMessage, 'kind' | 'name'>): readonly Field[] {
  const row = rows.get(name);
  if (!row || kind === 'bad') return [];
  return row.kind === 'command' && kind === 'answer' ? row.answer : row.fields;
}

const fieldsByName = new Map<string, ReadonlyMap<string, Field>>();

/**
 * The fields by name. The map is made once per kind of message, because a recording needs it for each
 * message.
 */
function namedFields(message: Pick<TraceMessage, 'kind' | 'name'>): ReadonlyMap<string, Field> {
  const key = `${message.name} ${message.kind}`;
  let named = fieldsByName.get(key);
  if (!named) {
    named = new Map(fieldsOf(message).map((field) => [field.name, field]));
    fieldsByName.set(key, named);
  }
  return named;
}

/** The fields of a message for people, by name. Errors: none. */
export function readableFields(
  message: Pick<TraceMessage, 'kind' | 'name' | 'fields'>,
): Record<string, ReadableValue> {
  const byName = namedFields(message);
  return Object.fromEntries(
    Object.entries(message.fields).map(([name, value]) => [name, readable(byName.get(name), value)]),
  );
}

function readable(field: Field | undefined, value: FieldValue): ReadableValue {
  if (value instanceof Uint8Array)
    return value.length <= SHOWN_BYTES_MAX ? Buffer.from(value).toString('hex') : { bytes: value.length };
  if (field?.type !== 'choice') return value;
  return Object.entries(field.choices).find(([, code]) => code === value)?.[0] ?? value;
}
