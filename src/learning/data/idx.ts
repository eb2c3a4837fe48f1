import { ThermolinkError } from '../../errors.js';
import { counted } from '../../number-text.js';

/** The values of an IDX file, in the byte order of this machine. */
type IdxValues = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The array of an IDX file: `values` is row-major, `shape` has the outermost dimension first. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly type: IdxType;
  readonly values: IdxValues;
  /** The numbers as the file holds them, big-endian. */
  readonly bytes: Uint8Array;
}

/**
 * The letter is u for unsigned integer, i for signed integer, f for floating point; the number counts bits.
 */
export type IdxType = 'u8' | 'i8' | 'i16' | 'i32' | 'f32' | 'f64';

/** For each type byte: its name and the array type for its values. */
const TYPES: ReadonlyMap<
  number,
  readonly [type: IdxType, holder: new (bytes: ArrayBuffer) => IdxValues, bytes: number]
> = new Map([
  [0x08, ['u8', Uint8Array, 1]],
  [0x09, ['i8', Int8Array, 1]],
  [0x0b, ['i16', Int16Array, 2]],
  [0x0c, ['i32', Int32Array, 4]],
  [0x0d, ['f32', Float32Array, 4]],
  [0x0e, ['f64', Float64Array, 8]],
] as const);
const UNSIGNED_BYTE = 0x08;
const HEADER_WORD_BYTES = 4;
const GZIP_MAGIC = [0x1f, 0x8b];

/** Whether the bytes begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

/**
 * Reads an IDX array with `dimensions` dimensions: two zero bytes, one byte for the type of number, one byte
 * for the number of dimensions, one big-endian u32 size per dimension, then the big-endian values. Their
 * number must equal the product of the sizes.
 *
 * `name` appears in the error. The result may share memory with `file`. Errors: BAD_FILE for any other bytes,
 * even if a single byte is missing or left over. Source: Y. LeCun, "The MNIST database", section "File
 * formats".
 */
export function parseIdx(file: Uint8Array, dimensions: number, name: string): IdxArray {
  const headerBytes = HEADER_WORD_BYTES * (1 + dimensions);
  if (file.length === 0) throw bad(name, 'is empty');
  if (file.length < headerBytes)
    throw bad(name, `holds ${file.length} bytes, fewer than the ${headerBytes} of an IDX header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.getUint32(0);
  const format = TYPES.get(magic >>> 8);
  if (format === undefined || (magic & 0xff) !== dimensions)
    throw bad(
      name,
      `does not begin like an IDX file with ${counted(dimensions, 'dimension')}` +
        ` (found 0x${hex(magic)}, expected 0x${hex((UNSIGNED_BYTE << 8) | dimensions)} or another type of number)`,
    );
  const [type, Holder, entryBytes] = format;
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.push(view.getUint32(HEADER_WORD_BYTES * (1 + i)));
  const dataBytes = shape.reduce((product, extent) => product * extent, entryBytes);
  const foundBytes = file.length - headerBytes;
  if (foundBytes !== dataBytes)
    throw bad(
      name,
      `promises ${[...shape, ...(entryBytes > 1 ? [entryBytes] : [])].join(' × ')} = ${dataBytes} bytes and holds ${foundBytes}` +
        (foundBytes < dataBytes ? ': it is truncated' : ': it has bytes left over'),
    );
  const bytes = file.subarray(headerBytes);
  return { shape, type, values: type === 'u8' ? bytes : new Holder(inOwnOrder(bytes, entryBytes)), bytes };
}

/** A copy with the bytes of each number in the order of this machine. */
function inOwnOrder(bytes: Uint8Array, entryBytes: number): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  const buffer = Buffer.from(copy);
  buffer.set(bytes);
  const isBigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
  if (isBigEndian) return copy;
  if (entryBytes === 2) buffer.swap16();
  if (entryBytes === 4) buffer.swap32();
  if (entryBytes === 8) buffer.swap64();
  return copy;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}

function bad(name: string, what: string): ThermolinkError {
  return new ThermolinkError('BAD_FILE', `${name} ${what}.`, {
    hint: 'IDX is the format of the MNIST files, e.g. train-images-idx3-ubyte; fetch the file again if it is one of those.',
    data: { file: name },
  });
}
