import { endianness } from 'node:os';
import type { Matrix } from '../linalg/matrix.js';
import { replaceWith } from './replace-file.js';

/** The data begin at a multiple of this, so NumPy can map the file into memory. */
const ALIGNMENT_BYTES = 64;
const PREFIX_BYTES = 10;

/**
 * Writes a vector (1-D) or a matrix (2-D, C order) as float64, .npy format version 1, replacing the file:
 * reading it back gives every bit again, as NumPy would. Throws the error of the operating system
 * (`writeArray` turns it into BAD_FILE).
 */
export function writeNpy(path: string, array: Float64Array | Matrix): void {
  const [data, shape] =
    array instanceof Float64Array
      ? [array, `(${array.length},)`]
      : [array.data, `(${array.rows}, ${array.columns})`];
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // Two pieces, so that a large matrix is not copied first.
  replaceWith(path, [npyHeader(shape), bytes]);
}

/** The header before the float64 numbers of an array, with the shape written as NumPy does: `(3, 2)`. */
export function npyHeader(shape: string): Buffer {
  const order = endianness() === 'LE' ? '<' : '>';
  const text = `{'descr': '${order}f8', 'fortran_order': False, 'shape': ${shape}, }`;
  const totalBytes = Math.ceil((PREFIX_BYTES + text.length + 1) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const buffer = Buffer.alloc(totalBytes, ' ');
  buffer.write('\x93NUMPY\x01\x00', 0, 'latin1');
  buffer.writeUInt16LE(totalBytes - PREFIX_BYTES, 8);
  buffer.write(text, PREFIX_BYTES, 'latin1');
  buffer.write('\n', totalBytes - 1, 'latin1');
  return buffer;
}
