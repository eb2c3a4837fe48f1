import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { DeviceIdentity } from '../driver/device-api.js';
import { ERROR_CODES, type ErrorCode, ThermolinkError } from '../errors.js';

/** The form of all messages of a farm. Another form gets another number. */
const VERSION = 1;
const KEY = /^[0-9a-f]{64}$/;

/** Bytes that a farm stores in parts, separately from a job or a result. */
export interface StoredBytes {
  /** Number of bytes. */
  readonly bytes: number;
  /** The SHA-256 of all of them, in hexadecimal digits. */
  readonly sha256: string;
}

/** Work for one board. Its key is a digest of all these fields, so equal jobs are one job. */
export interface Job {
  /** The name of its `JobKind`. */
  readonly kind: string;
  /** The model of the boards that may do it. */
  readonly model: string;
  /** The version of the program that submitted it. Workers of other versions do not see the job. */
  readonly release: string;
  /** The request, in the form of its kind, as JSON data. */
  readonly request: unknown;
}

/** A job as a message. */
export interface PackedJob {
  /** The SHA-256 of the message, in hexadecimal digits. */
  readonly key: string;
  /** The message, JSON. */
  readonly text: string;
}

/** The announcement of a board by its worker. */
export interface AnnouncedBoard {
  /** The process that offers it. */
  readonly worker: string;
  /** The machine that the process runs on. */
  readonly host: string;
  /** The version of the worker's program. */
  readonly release: string;
  /** The URI by which the worker connects to the board. */
  readonly uri: string;
  /** The identity of the board from HELLO. */
  readonly identity: DeviceIdentity;
  /** Date of the calibration that the board keeps, as an ISO date; null if it keeps no calibration. */
  readonly calibratedAt: string | null;
  readonly state: 'idle' | 'busy';
  /** The key of the job that it does; null while it is idle. */
  readonly job: string | null;
  /** Number of jobs whose results its worker has stored, for all its boards together. */
  readonly jobsDone: number;
  /** Load of the host over the last minute, divided by the number of its processors. */
  readonly load: number;
}

/** The result of a job. */
export interface JobResult {
  /** The key of the job. */
  readonly key: string;
  /** The value that the job returned, or its error: a code of the error table, or BUG. */
  readonly outcome:
    | { readonly is: 'done'; readonly value: unknown }
    | { readonly is: 'failed'; readonly code: string; readonly message: string };
  /** The board that did the job; null if no board began. */
  readonly board: { readonly uri: string; readonly model: string; readonly serialNumber: string } | null;
  /** The process that stored it. */
  readonly worker: string;
  /** How many times the job was given out, this time included. */
  readonly deliveries: number;
  /** Host time of the run in seconds. */
  readonly seconds: number;
}

/**
 * A message of a worker about a job, during the job and at its end. Such messages may be lost; results are
 * not lost.
 */
export type JobNews =
  | {
      readonly is: 'progress';
      /** The finished share of the whole job, 0 … 1. */
      readonly share: number;
      readonly text: string;
      /** The URI of the board. */
      readonly board: string;
    }
  | { readonly is: 'ended' };

/** The form of a number of bytes and their digest. */
export const storedBytesSchema: z.ZodType<StoredBytes> = z.strictObject({
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(KEY),
});

const version = z.literal(VERSION);

const jobSchema: z.ZodType<Job> = z.strictObject({
  version,
  kind: z.string().min(1).max(100),
  model: z.string().min(1).max(200),
  release: z.string().min(1).max(100),
  request: z.json(),
});

const name = z.string().max(300);

const boardSchema = z.strictObject({
  ...{ version, worker: name, host: name, release: name },
  uri: z.string().max(1000),
  identity: z.looseObject({
    ...{ model: name, serialNumber: name, firmwareVersion: name, cells: z.int(), rows: z.int() },
    ...{ hasDense: z.boolean(), hasFactored: z.boolean() },
  }),
  calibratedAt: name.nullable(),
  state: z.enum(['idle', 'busy']),
  job: z.string().regex(KEY).nullable(),
  jobsDone: z.int().nonnegative(),
  load: z.number(),
});

const resultSchema: z.ZodType<JobResult> = z.strictObject({
  version,
  key: z.string().regex(KEY),
  outcome: z.discriminatedUnion('is', [
    z.strictObject({ is: z.literal('done'), value: z.json() }),
    z.strictObject({ is: z.literal('failed'), code: z.string().max(100), message: z.string().max(10_000) }),
  ]),
  board: z.strictObject({ uri: z.string(), model: z.string(), serialNumber: z.string() }).nullable(),
  worker: name,
  deliveries: z.int(),
  seconds: z.number(),
});

const newsSchema: z.ZodType<JobNews> = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('progress'),
    share: z.number(),
    text: z.string().max(1000),
    board: z.string(),
  }),
  z.strictObject({ is: z.literal('ended') }),
]);

/** JSON with the fields of every object sorted by name, so equal data give equal texts. */
function orderedJson(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Whether a text can be the key of a job. */
export const isKey = (text: string): boolean => KEY.test(text);

/** A job as a message, and its key. */
export function packJob(job: Job): PackedJob {
  const text = orderedJson({ version: VERSION, ...job });
  return { key: sha256Of(text), text };
}

/** The job in a message; undefined if the message is not a job, or not the job of this key. */
export function readJob(text: string, key: string): Job | undefined {
  if (sha256Of(text) !== key) return undefined;
  return parsedJson(jobSchema, text);
}

export const packBoard = (board: AnnouncedBoard): string => JSON.stringify({ version: VERSION, ...board });
export function readBoard(text: string): AnnouncedBoard | undefined {
  // The schema names only the fields that are used here; the identity of a board has more fields. All fields
  // of the identity stay, in the order in which the worker sent them. A stored identity is then the same text
  // as that of a board of this machine.
  return parsedJson(boardSchema, text) && (JSON.parse(text) as AnnouncedBoard);
}

export const packResult = (result: JobResult): string => JSON.stringify({ version: VERSION, ...result });
export const readResult = (text: string): JobResult | undefined => parsedJson(resultSchema, text);

export const packNews = (news: JobNews): string => JSON.stringify(news);
export const readNews = (text: string): JobNews | undefined => parsedJson(newsSchema, text);

/** Parses a text by a schema; undefined if it is not JSON or has another form. */
export function parsedJson<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Refuses a job or a result that is too long for one message. Errors: TOO_LARGE. */
export function refuseTooLong(what: string, text: string, bytesMax: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= bytesMax) return;
  throw new ThermolinkError('TOO_LARGE', `${what} has ${bytes} bytes, a farm takes ${bytesMax} at most.`, {
    hint: 'Store large data in parts, and name them by their digest.',
    data: { bytes, bytesMax },
  });
}

/** The value of a job's result. Errors: the error that the job ended with. */
export function jobValue({ outcome, board, worker, key }: JobResult): unknown {
  if (outcome.is === 'done') return outcome.value;
  const { code, message } = outcome;
  if (!Object.hasOwn(ERROR_CODES, code)) throw new Error(`the job ${key} ended in ${code}: ${message}`);
  throw new ThermolinkError(code as ErrorCode, message, {
    hint: `The job was given to ${board?.uri ?? 'no board'} by the worker ${worker}.`,
    data: { job: key },
  });
}
