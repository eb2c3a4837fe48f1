import type { Direction } from '../../../firmware-protocol/message-table.js';
import type { WireFrame } from './wire-frames.js';

/**
 * Captures for Wireshark and tshark, in the format pcapng (https://www.ietf.org/archive/id/
 * draft-ietf-opsawg-pcapng-03.html). An entry is one frame as it passed the port, with its delimiter. USER0
 * is a link type for private use; firmware-protocol/wireshark/thermolink.lua defines what it means in these
 * captures.
 */

/** Types of the blocks that this file writes (sections 4.1, 4.2 and 4.3). */
const BLOCK = { section: 0x0a0d0d0a, interface: 1, captured: 6 } as const;
const OPTION = {
  end: 0,
  comment: 1,
  name: 2,
  application: 4,
  resolution: 9,
  flags: 2,
  description: 3,
} as const;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Link type of a private format. */
const USER0 = 147;
/** Times are in units of 10⁻⁹ s. */
const NANOSECONDS = 9;
const LENGTH_UNKNOWN = 0xffffffff;
/** Directions as bits in the flags of an entry, from the view of the host. */
const FLAGS: Readonly<Record<Direction, number>> = { toHost: 1, toDevice: 2 };
const DIRECTIONS: readonly Direction[] = ['toDevice', 'toHost'];
const NAMES: Readonly<Record<Direction, string>> = { toDevice: 'host to board', toHost: 'board to host' };
/** Largest number of bytes of an option. */
const OPTION_BYTES_MAX = 65_535;

type Option = readonly [code: number, value: Uint8Array];

/** Notes of a capture about the whole session. */
export interface CaptureNotes {
  /** The program that wrote the capture. */
  readonly application: string;
  /** A comment for people, for example the board and the time of the recording. */
  readonly comment?: string;
}

/**
 * The pieces of a capture of `frames`, in order. Each connection has one interface for each direction. Bad
 * bytes have a comment that describes the fault. Errors: those of `frames`.
 */
export function* pcapngPieces(
  frames: Iterable<WireFrame>,
  { application, comment }: CaptureNotes,
): Generator<Uint8Array> {
  yield sectionHeader([
    [OPTION.application, utf8(application)],
    ...(comment === undefined ? [] : [[OPTION.comment, utf8(comment)] as const]),
  ]);
  /** The number of the first interface of each connection. */
  const interfaces = new Map<number, number>();
  for (const frame of frames) {
    let first = interfaces.get(frame.connection);
    if (first === undefined) {
      first = 2 * interfaces.size;
      interfaces.set(frame.connection, first);
      for (const direction of DIRECTIONS) yield interfaceDescription(frame.connection, direction);
    }
    yield capturedFrame(frame, first + DIRECTIONS.indexOf(frame.direction));
  }
}

/** A description of the fault of a frame, for people; undefined for a good frame. */
export function frameComment({ item, blockBytes, block }: WireFrame): string | undefined {
  const cut = blockBytes > block.length ? `, of which ${block.length} are here` : '';
  if (item.kind === 'unfinished')
    return `unfinished: no delimiter came behind these ${blockBytes} bytes${cut}`;
  if (item.kind === 'fault') return `${item.fault}: these ${blockBytes} bytes are no frame${cut}`;
  return undefined;
}

function sectionHeader(options: readonly Option[]): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  view.setUint16(6, 0, true);
  view.setUint32(8, LENGTH_UNKNOWN, true);
  view.setUint32(12, LENGTH_UNKNOWN, true);
  return pcapngBlock(BLOCK.section, [fixed, optionBytes(options)]);
}

function interfaceDescription(connection: number, direction: Direction): Uint8Array {
  const fixed = new Uint8Array(8);
  new DataView(fixed.buffer).setUint16(0, USER0, true);
  const name = connection === 1 ? NAMES[direction] : `${NAMES[direction]}, connection ${connection}`;
  const options: Option[] = [
    [OPTION.name, utf8(name)],
    [OPTION.description, utf8(`frames ${NAMES[direction]} on connection ${connection}`)],
    [OPTION.resolution, Uint8Array.of(NANOSECONDS)],
  ];
  return pcapngBlock(BLOCK.interface, [fixed, optionBytes(options)]);
}

function capturedFrame(frame: WireFrame, interfaceId: number): Uint8Array {
  const { block, blockBytes, hostTimeNs, direction, item } = frame;
  const delimiter = item.kind === 'unfinished' ? 0 : 1;
  // If the end of a frame is missing, its delimiter is missing too.
  const captured = blockBytes > block.length ? block.length : block.length + delimiter;
  const fixed = new Uint8Array(20);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, interfaceId, true);
  view.setUint32(4, Number(BigInt.asUintN(32, hostTimeNs >> 32n)), true);
  view.setUint32(8, Number(BigInt.asUintN(32, hostTimeNs)), true);
  view.setUint32(12, captured, true);
  view.setUint32(16, blockBytes + delimiter, true);
  const data = new Uint8Array(padded(captured));
  data.set(block);
  const flags = new Uint8Array(4);
  new DataView(flags.buffer).setUint32(0, FLAGS[direction], true);
  const comment = frameComment(frame);
  const options: Option[] = [
    [OPTION.flags, flags],
    ...(comment === undefined ? [] : [[OPTION.comment, utf8(comment)] as const]),
  ];
  return pcapngBlock(BLOCK.captured, [fixed, data, optionBytes(options)]);
}

function pcapngBlock(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 12);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  let end = 8;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  view.setUint32(end, length, true);
  return bytes;
}

function optionBytes(options: readonly Option[]): Uint8Array {
  const all: readonly Option[] = [...options, [OPTION.end, new Uint8Array()]];
  const bytes = new Uint8Array(all.reduce((sum, [, value]) => sum + 4 + padded(value.length), 0));
  const view = new DataView(bytes.buffer);
  let end = 0;
  for (const [code, value] of all) {
    view.setUint16(end, code, true);
    view.setUint16(end + 2, value.length, true);
    bytes.set(value, end + 4);
    end += 4 + padded(value.length);
  }
  return bytes;
}

/** Everything in the file begins at a multiple of 4 bytes, so lengths are rounded up. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text).subarray(0, OPTION_BYTES_MAX);
}
