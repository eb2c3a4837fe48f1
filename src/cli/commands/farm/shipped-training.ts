import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ThermolinkError } from '../../../errors.js';
import type { PartStore, StoredBytes } from '../../../farm/index.js';
import { replaceFile } from '../../../files/replace-file.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { TrainingSummary } from '../../../learning/record.js';
import type { TrainingOutput } from '../../../learning/train-request.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';

/** The files of a training without pictures. The summary shows that the other files are complete. */
const FILES = [
  TRAINING_FILES.metrics,
  TRAINING_FILES.checkpoint,
  TRAINING_FILES.weights,
  TRAINING_FILES.arrays,
  TRAINING_FILES.summary,
] as const;

/** A file of a training, as the farm stores it. */
export interface ShippedFile extends StoredBytes {
  readonly name: (typeof FILES)[number];
}

/** The form of the files of one training. */
export const shippedFilesSchema: z.ZodType<readonly ShippedFile[]> = z
  .array(
    z.strictObject({
      name: z.enum(FILES),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  )
  .max(FILES.length);

/**
 * Trains in an empty directory and puts the files into the farm, the summary last. Errors: those of `train`
 * and of `PartStore.put`.
 */
export async function filesOfTraining<T>(
  parts: PartStore,
  signal: AbortSignal,
  train: (output: TrainingOutput & { readonly existing: 'overwrite' }) => Promise<T>,
): Promise<{ readonly files: readonly ShippedFile[]; readonly result: T }> {
  const directory = mkdtempSync(join(tmpdir(), 'thermolink-job-'));
  try {
    const result = await train({ directory, existing: 'overwrite' });
    const files: ShippedFile[] = [];
    for (const name of FILES.filter((file) => existsSync(join(directory, file))))
      files.push({ name, ...(await parts.put(readFileSync(join(directory, name)), signal)) });
    return { files, result };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The contents of the files of a training, in the order of their writing. */
type FileContents = ReadonlyMap<string, Uint8Array>;

/** Gets the files of a training. Errors: those of `PartStore.get`. */
export async function readShippedFiles(
  files: readonly ShippedFile[],
  parts: PartStore,
  signal: AbortSignal,
): Promise<FileContents> {
  const contents = new Map<string, Uint8Array>();
  for (const { name, ...stored } of files) contents.set(name, await parts.get(stored, signal));
  return contents;
}

/**
 * Stores the files of a training in the place where a local training would have stored them. Errors:
 * BAD_FILE.
 */
export function storeFilesOfTraining(contents: FileContents, directory: string): void {
  mkdirSync(directory, { recursive: true });
  // The summary says that a training is complete. So the old summary is removed first and the new one is
  // written last.
  for (const name of Object.values(TRAINING_FILES)) rmSync(join(directory, name), { force: true });
  for (const [name, content] of contents) replaceFile(join(directory, name), content);
}

/** The summary among the files of a training. Errors: BAD_FILE if there is no summary. */
export function summaryOf(contents: FileContents): TrainingSummary<Figures> {
  const content = contents.get(TRAINING_FILES.summary);
  if (content === undefined)
    throw new ThermolinkError('BAD_FILE', 'The result of the training has no summary.');
  return JSON.parse(new TextDecoder().decode(content));
}
