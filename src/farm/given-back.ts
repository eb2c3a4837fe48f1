import { setTimeout as delay } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import { z } from 'zod';
import type { Farm } from './farm.js';
import { partsOfJobSubject } from './farm-names.js';
import { isKey, parsedJson } from './messages.js';

/** Waiting time of a job after a board failed at it. Another board can take the job first. */
const ANOTHER_BOARD_MS = 2000;
/** Time limit for storing a note at the server. */
const NOTE_MS = 2000;
const ERROR_LENGTH_MAX = 1000;

/** Data about how often, and why, a job was given back. */
export interface GivenBack {
  /** Number of deliveries that ended neither a worker nor a board. */
  readonly spared: number;
  /** The last error of a board that failed at the job; null if no board gave an error. */
  readonly lastError: string | null;
}

const NEVER: GivenBack = { spared: 0, lastError: null };

const noteSchema = z.strictObject({
  /** The number of the job's message. A job that is submitted again begins with new counters. */
  message: z.int(),
  spared: z.int().nonnegative(),
  lastError: z.string().nullable(),
});

/** Reads the note about a job in the queue. Errors: those of `Farm.ask`. */
export async function givenBackOf(farm: Farm, message: JsMsg, signal: AbortSignal): Promise<GivenBack> {
  const { key } = partsOfJobSubject(message.subject);
  const entry = await farm.ask(() => farm.givenBack.get(key), { signal });
  const note = entry?.operation === 'PUT' ? parsedJson(noteSchema, entry.string()) : undefined;
  return note?.message === message.seq ? note : NEVER;
}

/**
 * Gives a job back to the queue. With `failure`, a board failed at the job. Without it, the worker ends,
 * which is not the fault of the job. Never throws: the server gives the job out again anyway.
 */
export async function giveBack(farm: Farm, message: JsMsg, failure?: string): Promise<void> {
  // The note comes first, because the next worker reads it.
  await noteGivenBack(farm, message, failure);
  try {
    message.nak(failure === undefined ? undefined : ANOTHER_BOARD_MS);
  } catch {
    // The connection is closed.
  }
}

/** Notes that a job was given back, and why, as `giveBack` does. Never throws, and ends within `NOTE_MS`. */
export async function noteGivenBack(farm: Farm, message: JsMsg, failure?: string): Promise<void> {
  const { key } = partsOfJobSubject(message.subject);
  if (!isKey(key)) return;
  const signal = AbortSignal.timeout(NOTE_MS);
  const note = async (): Promise<void> => {
    const { spared, lastError } = await givenBackOf(farm, message, signal);
    const told =
      failure === undefined
        ? { spared: spared + 1, lastError }
        : { spared, lastError: failure.slice(0, ERROR_LENGTH_MAX) };
    const text = JSON.stringify({ message: message.seq, ...told });
    await farm.ask(() => farm.givenBack.put(key, text), { signal });
  };
  const noted = note().catch((error: unknown) => {
    farm.log.warn({ job: key, error: String(error) }, 'why a job was given back is not known');
  });
  await Promise.race([noted, delay(NOTE_MS, undefined, { ref: false })]);
}
