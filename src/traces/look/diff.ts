import { createHash } from 'node:crypto';
import type { CommandName, EventName } from '../../../firmware-protocol/messages/index.js';
import { fieldsOf } from '../readable-fields.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';

/** Messages that only control the flow of sample blocks. */
const FLOW: ReadonlySet<string> = new Set<CommandName | EventName>(['credit', 'blocksSent', 'resend']);
/** Fields that name a session or a boot. They differ in each session or boot, and are not compared. */
const NAMES_OF_ONE_TIME: ReadonlySet<string> = new Set(['nonce', 'bootEpoch']);
/** Largest number of messages before the difference that are shown. */
export const CONTEXT_MAX = 3;

/** A message of a recording, kept as its digest. */
interface Entry {
  /** Place of the message in its recording. */
  readonly index: number;
  readonly digest: string;
}

/**
 * The compared messages of a recording. There is one list in causal order for each of these: commands,
 * answers, events, and the samples of each run. The order between the lists depends on the clock.
 */
type Lists = ReadonlyMap<string, readonly Entry[]>;

/** A field that differs. */
export interface FieldDifference {
  readonly field: string;
  readonly a: FieldValue | undefined;
  readonly b: FieldValue | undefined;
}

/** The differences of the samples of two blocks. */
export interface CodesDifference {
  /** Index in the run, and cell, of the first difference. */
  readonly sample: number;
  readonly cell: number;
  readonly a: number;
  readonly b: number;
  /** Number of codes that differ, number of codes in the block, and largest difference. */
  readonly count: number;
  readonly of: number;
  readonly largest: number;
}

/** The first difference in causal order. */
export interface Difference {
  /** The message of each recording; undefined if the recording has no further message of this kind. */
  readonly a: TraceMessage | undefined;
  readonly b: TraceMessage | undefined;
  readonly fields: readonly FieldDifference[];
  readonly codes?: CodesDifference;
  /** The last messages of A before the difference, at most CONTEXT_MAX. B has the same messages. */
  readonly before: readonly TraceMessage[];
}

export interface DiffReport {
  /** Number of compared messages of each recording, and number of equal messages before the difference. */
  readonly compared: { readonly a: number; readonly b: number };
  readonly same: number;
  readonly first: Difference | undefined;
}

/** A recording whose messages can be read repeatedly. */
export interface Messages {
  messages(): Iterable<TraceMessage>;
}

/**
 * Compares two recordings message by message in causal order. It ignores everything that depends on the
 * clock: times, request ids, credits, repetitions, fields that the message tables mark as volatile, and the
 * names of sessions and boots. Errors: those of reading.
 */
export function diffMessages(a: Messages, b: Messages): DiffReport {
  const [listsA, listsB] = [listsOf(a), listsOf(b)];
  const size = (lists: Lists): number => [...lists.values()].reduce((sum, list) => sum + list.length, 0);
  let first: { readonly a: number | undefined; readonly b: number | undefined } | undefined;
  let same = 0;
  for (const name of new Set([...listsA.keys(), ...listsB.keys()])) {
    const [listA, listB] = [listsA.get(name) ?? [], listsB.get(name) ?? []];
    let place = 0;
    while (place < listA.length && listA[place].digest === listB[place]?.digest) place++;
    same += place;
    const found = { a: listA[place]?.index, b: listB[place]?.index };
    if (found.a === undefined && found.b === undefined) continue;
    if (!first || isBefore(found, first)) first = found;
  }
  return {
    compared: { a: size(listsA), b: size(listsB) },
    same,
    first: first && describe(a, b, first.a, first.b),
  };
}

interface Places {
  readonly a: number | undefined;
  readonly b: number | undefined;
}

/**
 * Whether one difference comes before another: by the place in A, or by the place in B if A has no message.
 */
function isBefore(one: Places, other: Places): boolean {
  if (one.a !== undefined && other.a !== undefined) return one.a < other.a;
  if (one.b !== undefined && other.b !== undefined) return one.b < other.b;
  return one.a !== undefined;
}

function listsOf(recording: Messages): Lists {
  const lists = new Map<string, Entry[]>();
  let runs = 0;
  const lastNames = new Map<string, string>();
  const seenBlocks = new Set<string>();
  for (const message of recording.messages()) {
    const { kind, name, index, direction, samples } = message;
    if (FLOW.has(name)) continue;
    if (name === 'start' && kind === 'answer') runs++;
    if (isRepeated(message, lastNames)) continue;
    const list = samples ? `samples of run ${runs}` : direction === 'toDevice' ? 'commands' : `${kind}s`;
    if (samples) {
      // A block that was requested again may arrive twice.
      const block = `${runs} ${samples.header.block}`;
      if (seenBlocks.has(block)) continue;
      seenBlocks.add(block);
    }
    const entries = lists.get(list) ?? [];
    if (entries.length === 0) lists.set(list, entries);
    entries.push({ index, digest: digestOf(message) });
  }
  return lists;
}

/**
 * Whether a HELLO, a stop, or the answer to one is a repetition. The host repeats both until an answer
 * arrives, and the board answers each repetition.
 */
function isRepeated({ name, kind, fields }: TraceMessage, lastNames: Map<string, string>): boolean {
  if (name !== 'hello' && name !== 'stop') return false;
  const { nonce, purpose, stopNumber } = fields;
  const what =
    name === 'hello' && nonce instanceof Uint8Array
      ? `${nonce.join(' ')}, ${String(purpose)}`
      : String(stopNumber);
  const key = `${name} ${kind}`;
  const isKnown = lastNames.get(key) === what;
  lastNames.set(key, what);
  return isKnown;
}

/** The fields of a message that are compared. */
function comparedFields(message: TraceMessage): [string, FieldValue][] {
  const rows = new Map(fieldsOf(message).map((field) => [field.name, field]));
  return Object.entries(message.fields).filter(
    ([name]) => !NAMES_OF_ONE_TIME.has(name) && rows.get(name)?.volatile !== true,
  );
}

function digestOf(message: TraceMessage): string {
  const hash = createHash('sha256').update(`${message.direction} ${message.kind} ${message.name}`);
  for (const [name, value] of comparedFields(message)) {
    hash.update(`\n${name} ${typeof value} `);
    hash.update(value instanceof Uint8Array ? value : String(value));
  }
  if (message.samples) {
    const { buffer, byteOffset, byteLength } = message.samples.codes;
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('base64').slice(0, 22);
}

/** Reads the messages of a difference again, because only their digests were kept. */
function describe(
  a: Messages,
  b: Messages,
  indexA: number | undefined,
  indexB: number | undefined,
): Difference {
  const before: TraceMessage[] = [];
  let messageA: TraceMessage | undefined;
  let last: TraceMessage | undefined;
  for (const message of a.messages()) {
    if (message.index === indexA) {
      messageA = message;
      break;
    }
    if (FLOW.has(message.name)) continue;
    before.push(message);
    if (before.length > CONTEXT_MAX) before.shift();
    last = message;
  }
  if (indexA === undefined && last === undefined) before.length = 0;
  const messageB = indexB === undefined ? undefined : at(b, indexB);
  const codes = messageA && messageB && codesDifference(messageA, messageB);
  return {
    a: messageA,
    b: messageB,
    fields: messageA && messageB ? fieldDifferences(messageA, messageB) : [],
    ...(codes ? { codes } : {}),
    before,
  };
}

function at(recording: Messages, index: number): TraceMessage | undefined {
  for (const message of recording.messages()) if (message.index === index) return message;
  return undefined;
}

function fieldDifferences(a: TraceMessage, b: TraceMessage): FieldDifference[] {
  if (a.name !== b.name || a.kind !== b.kind) return [];
  const [fieldsA, fieldsB] = [new Map(comparedFields(a)), new Map(comparedFields(b))];
  return [...new Set([...fieldsA.keys(), ...fieldsB.keys()])]
    .filter((field) => !isEqual(fieldsA.get(field), fieldsB.get(field)))
    .map((field) => ({ field, a: fieldsA.get(field), b: fieldsB.get(field) }));
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, i) => byte === b[i]);
  return a === b;
}

function codesDifference(a: TraceMessage, b: TraceMessage): CodesDifference | undefined {
  if (!a.samples || !b.samples) return undefined;
  const { header, codes } = a.samples;
  const other = b.samples.codes;
  const of = Math.min(codes.length, other.length);
  let first = -1;
  let [count, largest] = [0, 0];
  for (let i = 0; i < of; i++) {
    if (codes[i] === other[i]) continue;
    if (first < 0) first = i;
    count++;
    largest = Math.max(largest, Math.abs(codes[i] - other[i]));
  }
  if (first < 0) return undefined;
  const sample = header.firstSample + Math.floor(first / header.cellCount);
  const cell = header.firstCell + (first % header.cellCount);
  return { sample, cell, a: codes[first], b: other[first], count, of, largest };
}
