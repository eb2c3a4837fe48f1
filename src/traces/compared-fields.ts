import type { Row } from '../../firmware-protocol/message-table.js';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import { fieldsOf } from './readable-fields.js';
import type { FieldValue, TraceMessage } from './trace-message.js';

/**
 * Fields that differ between two sessions with the same work: the name of the session, the number of a
 * request, and the limits of a host. Fields that depend on a clock are marked in the message tables.
 */
const OF_THE_SESSION: Readonly<Record<string, readonly string[]>> = {
  'hello command': ['nonce', 'major', 'minor', 'tableHash', 'frameBytes', 'window'],
  'hello answer': ['nonce', 'resumed', 'bootEpoch', 'frameBytes', 'window', 'inFlightBytes'],
  'helloRefused event': ['nonce'],
  'stop command': ['nonce', 'lastRequestId'],
  'readStatus answer': ['nonce', 'bootEpoch'],
};

/** The first field in which two messages of the same name differ. */
export interface FieldDifference {
  readonly field: string;
  readonly expected: FieldValue | undefined;
  readonly got: FieldValue | undefined;
}

type Named = Pick<TraceMessage, 'kind' | 'name' | 'fields'>;

const compared = new Map<string, readonly string[]>();

/**
 * The fields of a message that are compared between two sessions, in the order of the tables. Errors: none.
 */
export function comparedFields(message: Pick<TraceMessage, 'kind' | 'name'>): readonly string[] {
  const key = `${message.name} ${message.kind}`;
  let names = compared.get(key);
  if (!names) {
    names = fieldsOf(message)
      .filter((field) => !field.volatile && !OF_THE_SESSION[key]?.includes(field.name))
      .map(({ name }) => name);
    compared.set(key, names);
  }
  return names;
}

/**
 * The first compared field in which `got` differs from `expected`; both have the same name and kind.
 * Undefined if there is no difference. Codes of sample blocks are not fields. Errors: none.
 */
export function firstDifference(expected: Named, got: Named): FieldDifference | undefined {
  for (const field of comparedFields(expected)) {
    const [before, now] = [expected.fields[field], got.fields[field]];
    if (!sameValue(before, now)) return { field, expected: before, got: now };
  }
  return undefined;
}

function sameValue(a: FieldValue | undefined, b: FieldValue | undefined): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

const readNames = new Set(
  (MESSAGES as readonly Row[])
    .filter((row) => row.kind === 'command' && row.channel === 'command' && row.delivery === 'again')
    .map(({ name }) => name),
);

/** Whether a command only reads. The device can execute it at any time. Errors: none. */
export function isRead(name: string): boolean {
  return readNames.has(name);
}
