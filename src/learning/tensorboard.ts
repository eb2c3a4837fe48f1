import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '../../firmware-protocol/crc.js';

/** Names of event files: TensorBoard looks for the first part; our files have the ending `.thermolink`. */
const NAME = /^events\.out\.tfevents\.\d+\.thermolink$/;
const FILE_VERSION = 'brain.Event:2';
/** `SessionLog.START`. */
const START = 1;

/** Whether a file name is that of an event file written by this library. */
export function isEventFile(name: string): boolean {
  return NAME.test(name);
}

/**
 * A file of scalars that TensorBoard reads: TFRecords of `Event` messages (tensorflow/core/util/event.proto),
 * each with the masked CRC-32C of its length and of its data.
 */
export class EventFile {
  readonly path: string;

  /**
   * Begins a file in `directory`. `step` is the first step of this file. If `step` is above 0, TensorBoard
   * hides the values of this step and of later steps in older files. Throws the errors of the operating
   * system.
   */
  constructor(directory: string, step: number) {
    mkdirSync(directory, { recursive: true });
    this.path = join(directory, `events.out.tfevents.${Date.now()}.thermolink`);
    this.#append(textField(3, FILE_VERSION));
    // Event.session_log { status: START } makes TensorBoard hide the values of this step and later steps in
    // older files.
    if (step > 0) this.#append(varintField(2, step), bytesField(7, varintField(1, START)));
  }

  /** Appends the values of one step under their names. Throws the errors of the operating system. */
  scalars(step: number, values: Readonly<Record<string, number>>): void {
    const summary = Object.entries(values).map(([tag, value]) =>
      bytesField(1, Buffer.concat([textField(1, tag), floatField(2, value)])),
    );
    this.#append(varintField(2, step), bytesField(5, Buffer.concat(summary)));
  }

  #append(...fields: readonly Buffer[]): void {
    const event = Buffer.concat([doubleField(1, Date.now() / 1000), ...fields]);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(event.length));
    appendFileSync(this.path, Buffer.concat([length, maskedCrc(length), event, maskedCrc(event)]));
  }
}

/**
 * The numbers of a record of metrics.jsonl by the names under which TensorBoard groups them: `loss`,
 * `timing/gradientMs`.
 */
export function scalarsOf(record: object, prefix = ''): Record<string, number> {
  const scalars: Record<string, number> = {};
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'number') scalars[prefix + name] = value;
    else if (typeof value === 'object' && value !== null)
      Object.assign(scalars, scalarsOf(value, `${prefix}${name}/`));
  }
  return scalars;
}

/**
 * The CRC-32C of `bytes`, with the mask of TFRecords. A CRC over data that contains unmasked CRCs would be
 * weak.
 */
function maskedCrc(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes);
  const rotated = ((crc >>> 15) | (crc << 17)) >>> 0;
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((rotated + 0xa282ead8) >>> 0);
  return masked;
}

/** Fields of protocol buffers: the number and the wire type, then the value. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const key = (field: number, wire: number): Buffer => varint(field * 8 + wire);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

const varintField = (field: number, value: number): Buffer =>
  Buffer.concat([key(field, WIRE.varint), varint(value)]);
const bytesField = (field: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([key(field, WIRE.bytes), varint(bytes.length), bytes]);
const textField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text));

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, WIRE.fixed64), bytes]);
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, WIRE.fixed32), bytes]);
}
