import type { Field, Row } from '../../firmware-protocol/message-table.js';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import { readRepositoryFile } from '../repository/files.js';

/** The format that firmware-protocol/tools/scripts/protocol-vectors.py writes; bytes are hex. */
export interface FrameVector {
  readonly name: string;
  readonly channel: 0 | 1 | 2 | 3;
  readonly session: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly payload: string;
  readonly wire: string;
}

export interface FrameVectors {
  readonly frames: readonly FrameVector[];
  readonly bad: readonly {
    readonly name: string;
    readonly fault: string;
    readonly frameBytesMax: number;
    readonly wire: string;
  }[];
  readonly streams: readonly {
    readonly name: string;
    readonly frameBytesMax: number;
    readonly chunks: readonly string[];
    readonly items: readonly (
      | { readonly frame: string }
      | { readonly fault: string; readonly bytes: number }
    )[];
  }[];
}

export type WireDirection = 'toDevice' | 'toHost';

export interface MessageVector {
  readonly name: string;
  readonly direction: WireDirection;
  readonly requestId: number;
  readonly fields: Readonly<Record<string, number | string>>;
  readonly payload: string;
}

export interface MessageVectors {
  readonly messages: readonly MessageVector[];
  readonly laterMinor: readonly MessageVector[];
  readonly earlierVersion: readonly MessageVector[];
  readonly values: readonly {
    readonly integer?: number;
    readonly text?: string;
    readonly bytes?: string;
    readonly array?: readonly (number | readonly number[])[];
    readonly payload: string;
  }[];
  readonly rejectedFields: readonly {
    readonly reason: string;
    readonly field: string;
    readonly name: string;
    readonly direction: WireDirection;
    readonly payload: string;
  }[];
  readonly rejectedPayloads: readonly {
    readonly reason: string;
    readonly note: string;
    readonly payload: string;
  }[];
  readonly digests: readonly {
    readonly couplingBits: number;
    readonly cells: number;
    readonly rows: number;
    readonly couplings: readonly number[];
    readonly drive: readonly number[];
    readonly initialState: readonly number[];
    readonly damping: number;
    readonly noiseAmplitude: number;
    readonly noiseShift: number;
    /** Only for a program with a row element. */
    readonly linearRows?: number;
    readonly rowTable?: readonly number[];
    readonly rowDrive?: readonly number[];
    readonly crc32: number;
    readonly crc32c: number;
  }[];
}

function read(file: string): unknown {
  return JSON.parse(readRepositoryFile(`firmware-protocol/vectors/${file}`));
}

export const FRAME_VECTORS = read('frames.json') as FrameVectors;
export const MESSAGE_VECTORS = read('messages.json') as MessageVectors;

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export interface DirectedRow {
  readonly row: Row;
  readonly direction: WireDirection;
  readonly fields: readonly Field[];
}

/** Every (row, direction) of the tables, with the fields that are sent. */
export function directedRows(): DirectedRow[] {
  return (MESSAGES as readonly Row[]).flatMap((row): DirectedRow[] =>
    row.kind === 'command'
      ? [
          { row, direction: 'toDevice', fields: row.fields },
          { row, direction: 'toHost', fields: row.answer },
        ]
      : [{ row, direction: row.direction, fields: row.fields }],
  );
}

export function directedRow(name: string, direction: WireDirection): DirectedRow {
  const found = directedRows().find((entry) => entry.row.name === name && entry.direction === direction);
  if (!found) throw new Error(`the tables have no ${name} ${direction}`);
  return found;
}
