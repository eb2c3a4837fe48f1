import { replaceFile } from './replace-file.js';
import type { Tensor } from './safetensors.js';
import { npyHeader } from './write-npy.js';

/** All members have this time, so the same arrays give the same file. */
const MEMBER_TIME = new Date('1980-01-01T00:00:00');

/**
 * Writes arrays as NumPy's `savez` does: a zip file, uncompressed, with one .npy of float64 for each, by its
 * name. Replaces the file. Throws the error of the operating system.
 */
export async function writeNpz(path: string, tensors: readonly Tensor[]): Promise<void> {
  const { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import('@zip.js/zip.js');
  configure({ useWebWorkers: false });
  const zip = new ZipWriter(new Uint8ArrayWriter(), {
    level: 0,
    lastModDate: MEMBER_TIME,
    extendedTimestamp: false,
  });
  for (const { name, shape, values } of tensors) {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const member = Buffer.concat([npyHeader(shapeText(shape)), bytes]);
    await zip.add(`${name}.npy`, new Uint8ArrayReader(member));
  }
  replaceFile(path, await zip.close());
}

function shapeText(shape: readonly number[]): string {
  return `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
}
