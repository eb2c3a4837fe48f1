/**
 * The kinds of row of the message tables (messages/*.ts) and the types derived from them. The tables are the
 * only source of TypeScript types, codec, validation, documentation, hash and test vectors.
 *
 * A payload is the MessagePack array [opcode, request id, fields in order]; new fields are added
 * at the end only.
 */

/** A whole number. `unit` is the quantity that the number 1 stands for. */
export interface IntegerField {
  readonly name: string;
  readonly type: 'integer';
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly doc: string;
  /** Whether the value depends on timing. A comparison of sessions leaves such fields out. */
  readonly volatile?: true;
  /**
   * Set for a field that an earlier version does not have. If the field is missing, its value is this number
   * of `unit`.
   */
  readonly absent?: number;
}

/** One of a few named numbers. */
export interface ChoiceField {
  readonly name: string;
  readonly type: 'choice';
  readonly choices: Readonly<Record<string, number>>;
  readonly doc: string;
  readonly volatile?: true;
  /**
   * Set for a field that an earlier version does not have. If the field is missing, its value is this code.
   */
  readonly absent?: number;
}

/** Raw bytes; numbers in them are little-endian and may start at any byte. */
export interface BytesField {
  readonly name: string;
  readonly type: 'bytes';
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly doc: string;
  readonly volatile?: true;
}

/** UTF-8 text. */
export interface TextField {
  readonly name: string;
  readonly type: 'text';
  readonly maxBytes: number;
  readonly doc: string;
  readonly volatile?: true;
}

/** One field of a message. */
export type Field = IntegerField | ChoiceField | BytesField | TextField;
/** The side that receives an event. */
export type Direction = 'toDevice' | 'toHost';
/** The channels of the link by name. protocol.md, "Frames", has the guarantees of each channel. */
export type ChannelName = 'open' | 'command' | 'sample' | 'stop';

/** A command: the device answers with the same opcode and request id, or with `refusal`. */
export interface CommandRow {
  readonly kind: 'command';
  readonly opcode: number;
  readonly name: string;
  readonly channel: ChannelName;
  /** How long the host waits for the answer by default, in ms. */
  readonly timeoutMs: number;
  /**
   * `once`: executed at most once in a session, and its answer is kept. `again`: executed each time it comes,
   * because a repetition is harmless.
   */
  readonly delivery: 'once' | 'again';
  readonly doc: string;
  readonly fields: readonly Field[];
  readonly answer: readonly Field[];
}

/**
 * An event. It is sent without a request and gets no answer. Its request id is 0. Only `refusal` and
 * `helloRefused` have the id of the command that they refuse.
 */
export interface EventRow {
  readonly kind: 'event';
  readonly opcode: number;
  readonly name: string;
  readonly channel: ChannelName;
  readonly direction: Direction;
  readonly doc: string;
  readonly fields: readonly Field[];
}

/** One row of the message tables. */
export type Row = CommandRow | EventRow;

type FieldValue<F extends Field> = F extends { type: 'bytes' }
  ? Uint8Array
  : F extends { type: 'text' }
    ? string
    : F extends { type: 'choice'; choices: infer C extends Readonly<Record<string, number>> }
      ? C[keyof C]
      : number;

/** The object that a list of fields describes. */
export type FieldsObject<Fields extends readonly Field[]> = {
  readonly [F in Fields[number] as F['name']]: FieldValue<F>;
};

/** Checks the type of a table and keeps its literal types. */
export function messageTable<const T extends readonly Row[]>(rows: T): T {
  return rows;
}

/** Shorthands for fields. With them a field takes one line of a table. */
export function integer<const N extends string>(
  name: N,
  min: number,
  max: number,
  unit: string,
  doc: string,
): IntegerField & { readonly name: N } {
  return { name, type: 'integer', min, max, unit, doc };
}

export function volatileInteger<const N extends string>(
  name: N,
  min: number,
  max: number,
  unit: string,
  doc: string,
): IntegerField & { readonly name: N } {
  return { name, type: 'integer', min, max, unit, doc, volatile: true };
}

export function choice<const N extends string, const C extends Readonly<Record<string, number>>>(
  name: N,
  choices: C,
  doc: string,
): { readonly name: N; readonly type: 'choice'; readonly choices: C; readonly doc: string } {
  return { name, type: 'choice', choices, doc };
}

export function bytes<const N extends string>(
  name: N,
  minBytes: number,
  maxBytes: number,
  doc: string,
): BytesField & { readonly name: N } {
  return { name, type: 'bytes', minBytes, maxBytes, doc };
}

export function text<const N extends string>(
  name: N,
  maxBytes: number,
  doc: string,
): TextField & { readonly name: N } {
  return { name, type: 'text', maxBytes, doc };
}
