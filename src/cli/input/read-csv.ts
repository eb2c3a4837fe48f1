import { withInputFile } from './input-file.js';
import type { NumericArray } from './numeric-array.js';
import { TextTable } from './text-table.js';

const CHUNK_BYTES = 2 ** 20;

/** Reads a table of numbers from a text file (the format of `TextTable`) with one chunk of text in memory at a time. */
export async function readCsv(path: string): Promise<NumericArray> {
  return withInputFile(path, async (file) => {
    const table = new TextTable(path);
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, file.sizeBytes));
    for (let left = file.sizeBytes; left > 0; left -= chunk.length) {
      const next = chunk.subarray(0, Math.min(left, chunk.length));
      await file.read(next);
      table.push(next);
    }
    return table.finish();
  });
}
