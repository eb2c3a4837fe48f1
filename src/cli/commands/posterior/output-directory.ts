import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile, replaceWith } from '../../../files/replace-file.js';
import { cannotWrite, checkWritable } from '../../../files/write-array.js';
import { npyHeader } from '../../../files/write-npy.js';
import { writeStanCsv } from '../../../files/write-stan-csv.js';
import { makeDirectory, requireDirectory } from '../../../learning/training-files-lock.js';
import type { Matrix } from '../../../linalg/matrix.js';

/** The data of a posterior that are written. */
export interface PosteriorFiles {
  /** `linear`, for the files of CmdStan. */
  readonly model: string;
  /** The base name of the parameters in the files of CmdStan. */
  readonly parameter: string;
  readonly names: readonly string[];
  /** One matrix for each chain, draws × N. */
  readonly chains: readonly Matrix[];
  /** ln of the density of each draw, one list for each chain. */
  readonly logDensities: readonly Float64Array[];
  /** Board time of each chain, modelled. */
  readonly boardSeconds: readonly number[];
  readonly seed: number;
  readonly summary: object;
  /** Pictures by their file names. */
  readonly pictures: Readonly<Record<string, string>>;
}

/** The options that say where results go. */
export interface OutputOptions {
  readonly out: string | undefined;
  readonly overwrite?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const CHAIN_FILE = /^chain-\d+\.csv$/;

/**
 * Does `work`, whose results go into `directory`. The directory is made before the work if it does not exist.
 * A directory with results is used only to overwrite them. Work that fails leaves no empty directory behind.
 * Without a directory the work writes nothing, and its report must be JSON.
 *
 * Errors: BAD_ARGUMENT; BAD_FILE; those of `work`.
 */
export async function inClaimedDirectory<Result>(
  { out, overwrite, json }: OutputOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  if (out === undefined) {
    if (json === true) return work();
    throw new ThermolinkError('BAD_ARGUMENT', 'No directory for the draws is named.', {
      hint: 'Name a directory by --out, or let --json print the summary.',
    });
  }
  requireDirectory(out);
  const made: string[] = [];
  try {
    try {
      made.push(...makeDirectory(out));
    } catch (error) {
      throw cannotWrite(out, error, 'Nothing was computed.');
    }
    await claimDirectory(out, overwrite === true);
    return await work();
  } catch (error) {
    for (const one of made.reverse()) removeEmpty(one);
    throw error;
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // The directory holds results, or a file of somebody else.
  }
}

async function claimDirectory(directory: string, overwrite: boolean): Promise<void> {
  const held = readdirSync(directory);
  const isOurs = held.includes('summary.json') && isWrittenByUs(join(directory, 'summary.json'));
  if (held.length > 0 && !(overwrite && isOurs))
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${directory} holds ${isOurs ? 'the draws of a posterior' : 'other files'} already.`,
      {
        hint: isOurs ? 'Give --overwrite to replace them, or another directory.' : 'Name another directory.',
        data: { directory },
      },
    );
  await checkWritable(join(directory, 'summary.json'));
}

function isWrittenByUs(summary: string): boolean {
  try {
    return /"writtenBy": "thermolink posterior /.test(readFileSync(summary, 'utf8'));
  } catch {
    return false;
  }
}

const DRAWN_FILES = ['draws.npy', 'marginals.svg', 'traces.svg', 'predictive.svg'];

/**
 * Writes only the summary and removes the draws of an earlier posterior. Without a directory nothing is
 * written. Errors: BAD_FILE.
 */
export function writeSummary(directory: string | undefined, summary: object): void {
  if (directory === undefined) return;
  for (const name of readdirSync(directory))
    if (CHAIN_FILE.test(name) || DRAWN_FILES.includes(name)) rmSync(join(directory, name));
  replaceFile(join(directory, 'summary.json'), `${JSON.stringify(summary, undefined, 2)}\n`);
}

/** Writes all files, the summary last. Without a directory nothing is written. Errors: BAD_FILE. */
export function writePosterior(directory: string | undefined, files: PosteriorFiles): void {
  if (directory === undefined) return;
  const { chains, names } = files;
  for (const name of readdirSync(directory))
    if (CHAIN_FILE.test(name) && Number(name.slice(6, -4)) > chains.length) rmSync(join(directory, name));
  for (const [k, draws] of chains.entries())
    writeStanCsv(join(directory, `chain-${k + 1}.csv`), {
      id: k + 1,
      model: files.model,
      parameter: files.parameter,
      columnNames: names,
      draws,
      logDensity: files.logDensities[k],
      seed: files.seed,
      boardSeconds: files.boardSeconds[k],
    });
  const shape = `(${chains.length}, ${chains[0].rows}, ${names.length})`;
  const arrays = chains.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  replaceWith(join(directory, 'draws.npy'), [npyHeader(shape), ...arrays]);
  for (const [name, picture] of Object.entries(files.pictures)) replaceFile(join(directory, name), picture);
  replaceFile(join(directory, 'summary.json'), `${JSON.stringify(files.summary, undefined, 2)}\n`);
}
