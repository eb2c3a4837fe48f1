import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { z } from 'zod';
import type { PartStore, StoredBytes } from '../../../farm/index.js';
import { readInputFile } from '../../../files/input-file.js';
import { type DatasetFiles, findDatasetFiles } from '../../../learning/data/find-files.js';

/** The four files of a directory of images get these names, whatever they are called at the client. */
const IDX_NAMES: Readonly<Record<keyof DatasetFiles, string>> = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};
const TABLE_NAME = 'table';

/** A file of the data on which a network is trained. */
export interface DataFile extends StoredBytes {
  readonly name: string;
}

/** The form of the list of these files. */
export const dataFilesSchema: z.ZodType<readonly DataFile[]> = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9-]+(?:\.[a-z0-9]+)?$/i),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  )
  .max(Object.keys(IDX_NAMES).length);

/**
 * Puts the data of `--data` into the farm: a table, or the files of a directory.
 *
 * Errors: BAD_FILE, BAD_DATASET; TOO_LARGE and the others of `PartStore.put`.
 */
export async function shipData(
  data: string,
  isTable: boolean,
  parts: PartStore,
  signal: AbortSignal,
): Promise<readonly DataFile[]> {
  const paths: Readonly<Record<string, string>> = isTable
    ? { [TABLE_NAME]: data }
    : Object.fromEntries(
        Object.entries(findDatasetFiles(data)).map(([part, path]) => [
          IDX_NAMES[part as keyof DatasetFiles],
          path as string,
        ]),
      );
  const files: DataFile[] = [];
  for (const [name, path] of Object.entries(paths)) {
    const [ending] = /^\.[a-z0-9]+$/i.exec(extname(path)) ?? [''];
    const kept = isTable || ending === '.gz' ? ending : '';
    files.push({ name: `${name}${kept}`, ...(await parts.put(await readInputFile(path), signal)) });
  }
  return files;
}

/**
 * Gets the files of the data, calls `work` with the path that `--data` would name, and removes the
 * files. The path is undefined if the training needs no files. Errors: those of `PartStore.get` and of
 * `work`.
 */
export async function withData<T>(
  files: readonly DataFile[],
  parts: PartStore,
  signal: AbortSignal,
  work: (data: string | undefined) => T,
): Promise<T> {
  if (files.length === 0) return work(undefined);
  const directory = mkdtempSync(join(tmpdir(), 'thermolink-data-'));
  try {
    for (const { name, ...stored } of files)
      writeFileSync(join(directory, name), await parts.get(stored, signal));
    const [{ name }] = files;
    return work(name.startsWith(TABLE_NAME) ? join(directory, name) : directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
