import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { badArgument, checkObject } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { replaceFile } from '../files/replace-file.js';
import type { OptimizerState } from './optimizers/contract.js';
import type { ProblemState } from './problem/contract.js';
import { type TrainingTotals, ZERO_TOTALS } from './record.js';

/**
 * The state of a training between two steps. With the same data, network and board, a resumed training gives
 * the same bits.
 */
export interface Checkpoint {
  /** Steps taken. */
  readonly step: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** θ, length P. */
  readonly parameters: Float64Array;
  readonly optimizer: OptimizerState;
  /**
   * State that the problem keeps beside θ, such as the chains of a sampler; absent if it keeps no such state.
   */
  readonly problem?: ProblemState;
  readonly totals: TrainingTotals;
  /**
   * The loss of the first step. Absent before that step. It is also absent in a checkpoint of an earlier
   * version; then the loss of the next step takes its place.
   */
  readonly firstLoss?: number;
}

/** Prefix of the names that arrays of the problem have in the file. */
const PROBLEM_PREFIX = 'problem.';

const MAGIC = 'thermolink checkpoint 1\n';
const DIGEST_BYTES = 32;

interface Header {
  readonly step: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly totals: TrainingTotals;
  readonly firstLoss?: number;
  /** Numbers of the optimizer's state. They are finite: JSON keeps all bits of finite numbers. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly arrays: readonly { readonly name: string; readonly length: number }[];
}

/**
 * Replaces the file at `path` by one rename. If the process is killed, the old file or the whole new file is
 * there. Layout: magic line, u32 length of the header, header (JSON), the arrays (float64, little-endian,
 * parameters first), SHA-256 of everything before it. Errors: BAD_FILE when the system refuses to write.
 */
export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  if (typeof path !== 'string') throw badArgument('path', path, 'a path');
  checkObject('checkpoint', checkpoint, '{ step, settings, parameters, optimizer, totals }');
  const { step, settings, totals, firstLoss, parameters, optimizer, problem = {} } = checkpoint;
  const arrays: [string, Float64Array][] = [
    ['parameters', parameters],
    ...Object.entries(optimizer.arrays),
    ...Object.entries(problem).map(([name, array]): [string, Float64Array] => [PROBLEM_PREFIX + name, array]),
  ];
  const header: Header = {
    step,
    settings,
    totals,
    ...(firstLoss === undefined ? {} : { firstLoss }),
    numbers: optimizer.numbers,
    arrays: arrays.map(([name, { length }]) => ({ name, length })),
  };
  const headerBytes = Buffer.from(JSON.stringify(header));
  const headerLength = Buffer.alloc(4);
  headerLength.writeUInt32LE(headerBytes.length);
  const body = Buffer.concat([
    Buffer.from(MAGIC),
    headerLength,
    headerBytes,
    ...arrays.map(([, values]) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  ]);
  replaceFile(path, Buffer.concat([body, createHash('sha256').update(body).digest()]));
}

/**
 * Reads a checkpoint. Errors: BAD_ARGUMENT; BAD_CHECKPOINT when it is missing, damaged or of another format.
 */
export function readCheckpoint(path: string): Checkpoint {
  if (typeof path !== 'string') throw badArgument('path', path, 'a path');
  if (!existsSync(path)) throw bad(path, 'does not exist', "Train without `existing: 'resume'` first.");
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (cause) {
    throw new ThermolinkError('BAD_CHECKPOINT', `${path} can't be read.`, { cause, data: { file: path } });
  }
  const magic = Buffer.from(MAGIC);
  if (!file.subarray(0, magic.length).equals(magic))
    throw bad(path, 'is not a checkpoint of this version of thermolink');
  const body = file.subarray(0, Math.max(0, file.length - DIGEST_BYTES));
  const digest = createHash('sha256').update(body).digest();
  if (body.length < magic.length + 4 || !digest.equals(file.subarray(body.length)))
    throw bad(path, 'is damaged: its content does not match its digest');
  const headerEnd = magic.length + 4 + body.readUInt32LE(magic.length);
  const header = JSON.parse(body.toString('utf8', magic.length + 4, headerEnd)) as Header;
  let offset = headerEnd;
  const arrays = header.arrays.map(({ name, length }): [string, Float64Array] => {
    // Copied, because the offset in the file may not be a multiple of eight.
    const values = new Float64Array(length);
    new Uint8Array(values.buffer).set(body.subarray(offset, offset + 8 * length));
    offset += 8 * length;
    return [name, values];
  });
  const { parameters, ...others } = Object.fromEntries(arrays);
  const isOfProblem = ([name]: [string, Float64Array]): boolean => name.startsWith(PROBLEM_PREFIX);
  const problem = Object.entries(others)
    .filter(isOfProblem)
    .map(([name, array]) => [name.slice(PROBLEM_PREFIX.length), array]);
  const optimizerArrays = Object.entries(others).filter((entry) => !isOfProblem(entry));
  return {
    step: header.step,
    settings: header.settings,
    // Earlier versions stored fewer totals.
    totals: { ...ZERO_TOTALS, ...header.totals },
    ...(header.firstLoss === undefined ? {} : { firstLoss: header.firstLoss }),
    parameters,
    optimizer: { arrays: Object.fromEntries(optimizerArrays), numbers: header.numbers },
    ...(problem.length > 0 ? { problem: Object.fromEntries(problem) as ProblemState } : {}),
  };
}

/**
 * Refuses a checkpoint of a training with other settings, and names the settings that differ. Both arguments
 * are plain JSON values. Errors: BAD_CHECKPOINT.
 */
export function requireSameSettings(
  path: string,
  checkpoint: Checkpoint,
  settings: Readonly<Record<string, unknown>>,
): void {
  const [here, there] = [settings, checkpoint.settings];
  const differing = [...new Set([...Object.keys(here), ...Object.keys(there)])].filter(
    (key) => JSON.stringify(here[key]) !== JSON.stringify(there[key]),
  );
  if (differing.length === 0) return;
  const list = differing.map(
    (key) => `${key} (${JSON.stringify(there[key])} there, ${JSON.stringify(here[key])} here)`,
  );
  throw bad(
    path,
    `was written by a training with other settings: ${list.join(', ')}`,
    'Resume with the same settings, or start a new training in another directory.',
  );
}

function bad(path: string, what: string, hint?: string): ThermolinkError {
  return new ThermolinkError('BAD_CHECKPOINT', `${path} ${what}.`, {
    ...(hint === undefined ? {} : { hint }),
    data: { file: path },
  });
}
