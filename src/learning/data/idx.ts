import { ThermolinkError } from '../../errors.js';

/**
 * An array of unsigned bytes as an IDX file holds it: `bytes` row-major, `shape` outermost dimension first.
 */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const HEADER_WORD_BYTES = 4;
const GZIP_MAGIC = [0x1f, 0x8b];

/** Whether the bytes begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
}

/**
 * Reads an IDX array of unsigned bytes with `dimensions` dimensions: two zero bytes, the type byte 0x08, the
 * number of dimensions, one big-endian u32 per dimension, then exactly as many bytes as their product.
 *
 * `name` appears in the error. The result shares memory with `file`.
 * Errors: BAD_FILE for any other bytes, also for one byte too few or too many.
 * Source: Y. LeCun, "The MNIST database", section "File formats".
 */
export function parseIdx(file: Uint8Array, dimensions: number, name: string): IdxArray {
  const headerBytes = HEADER_WORD_BYTES * (1 + dimensions);
  if (file.length === 0) throw bad(name, 'is empty');
  if (file.length < headerBytes)
    throw bad(name, `holds ${file.length} bytes, fewer than the ${headerBytes} of an IDX header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.getUint32(0);
  const expectedMagic = (UNSIGNED_BYTE << 8) | dimensions;
  if (magic !== expectedMagic)
    throw bad(
      name,
      `does not begin like an IDX file of unsigned bytes with ${dimensions} dimension${dimensions === 1 ? '' : 's'}` +
        ` (found 0x${hex(magic)}, expected 0x${hex(expectedMagic)})`,
    );
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.push(view.getUint32(HEADER_WORD_BYTES * (1 + i)));
  const dataBytes = shape.reduce((product, extent) => product * extent, 1);
  const foundBytes = file.length - headerBytes;
  if (foundBytes !== dataBytes)
    throw bad(
      name,
      `promises ${shape.join(' × ')} = ${dataBytes} bytes and holds ${foundBytes}` +
        (foundBytes < dataBytes ? ': it is truncated' : ': it has bytes left over'),
    );
  return { shape, bytes: file.subarray(headerBytes) };
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
