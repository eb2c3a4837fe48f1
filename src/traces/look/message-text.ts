import { type ReadableValue, readableFields } from '../readable-fields.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';

/** Largest number of characters of one field that are shown. */
const VALUE_CHARACTERS_MAX = 36;

/**
 * The fields of a message on one line: `bank=0 section=drive`. A long value is cut. For codes only their
 * number and range are shown. With `whole` everything is shown. Texts are in quotes, with their control
 * characters escaped. Errors: none.
 */
export function fieldsText(message: TraceMessage, { whole = false } = {}): string {
  const texts = Object.entries(readableFields(message)).map(
    ([name, value]) => `${name}=${valueText(value, message.fields[name], whole)}`,
  );
  if (message.samples) texts.push(`codes=${codesText(message.samples.codes, whole)}`);
  return texts.join(' ');
}

function valueText(value: ReadableValue, raw: FieldValue, whole: boolean): string {
  if (raw instanceof Uint8Array) return bytesText(raw, whole);
  if (typeof raw === 'string') {
    const isWhole = whole || raw.length <= VALUE_CHARACTERS_MAX;
    return JSON.stringify(isWhole ? raw : `${raw.slice(0, VALUE_CHARACTERS_MAX)}…`);
  }
  // A choice is shown by its name.
  return typeof value === 'string' ? value : String(raw);
}

function bytesText(bytes: Uint8Array, whole: boolean): string {
  if (bytes.length === 0) return '<empty>';
  const isWhole = whole || 2 * bytes.length <= VALUE_CHARACTERS_MAX;
  if (isWhole) return Buffer.from(bytes).toString('hex');
  return `<${bytes.length} bytes ${Buffer.from(bytes.subarray(0, 8)).toString('hex')}…>`;
}

function codesText(codes: Int16Array, whole: boolean): string {
  if (whole) return `[${codes.join(',')}]`;
  if (codes.length === 0) return '[]';
  let [least, greatest] = [codes[0], codes[0]];
  for (const code of codes) {
    if (code < least) least = code;
    if (code > greatest) greatest = code;
  }
  return `<${codes.length} codes ${least}…${greatest}>`;
}
