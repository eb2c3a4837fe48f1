import type { Field, Row } from '../../firmware-protocol/message-table.js';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import type { FieldValue, TraceMessage } from './trace-message.js';

/** Bytes of a field that are shown in hex. Of longer ones the length alone is shown. */
export const SHOWN_BYTES_MAX = 64;

/** A field as people and JSON get it: a choice by its name, bytes in hex, or how many there are. */
export type ReadableValue = number | string | { readonly bytes: number };

const rows = new Map<string, Row>((MESSAGES as readonly Row[]).map((row) => [row.name, row]));

/** The fields that the message tables give a message; none for one they do not know. Errors: none. */
export function fieldsOf({ kind, name }: Pick<TraceMessage, 'kind' | 'name'>): readonly Field[] {
  const row = rows.get(name);
  if (!row || kind === 'bad') return [];
  return row.kind === 'command' && kind === 'answer' ? row.answer : row.fields;
}

const fieldsByName = new Map<string, ReadonlyMap<string, Field>>();

/** The same by their names. They are put in order once, because a recording asks for each message. */
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
