import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { appendWhole, replaceFile } from '../../files/replace-file.js';
import type { FinishedPart, FinishedParts } from '../../measure/lab-board.js';
import { counted } from '../../number-text.js';

/** Boards age, so parts that are older than this are measured anew. */
const AGE_MAX_MS = 24 * 3600 * 1000;
const FORMAT = 1;

/** The identity of a measurement. Parts of another measurement are not used. */
export interface MeasurementKey {
  readonly command: string;
  readonly board: DeviceIdentity;
  readonly request: Readonly<Record<string, unknown>>;
}

/** The first line of the file. */
interface Head {
  readonly startedAt: string;
  readonly key: Readonly<Record<string, unknown>>;
}

export interface UnfinishedOptions {
  /** Tells the user something, in a sentence. Default: a line on standard error. */
  readonly tell?: (sentence: string) => void;
  readonly now?: Date;
}

/**
 * Measures with a file that keeps the finished parts. After an interruption the same command continues from
 * them. The file is made with the first part and removed at the end. Its first line names the measurement;
 * each further line is a part. The user is told if the measurement continues, or if it starts again because
 * the file is of another board, of other options or a day old.
 *
 * Errors: those of `measure`, whose hint then says that the measurement can go on.
 */
export async function measureUnfinished<Result>(
  file: string,
  key: MeasurementKey,
  measure: (finished: FinishedParts) => Promise<Result>,
  options: UnfinishedOptions = {},
): Promise<{ readonly result: Result; readonly remove: () => void }> {
  const { tell = (sentence) => process.stderr.write(`${sentence}\n`), now = new Date() } = options;
  const wanted = keyOf(key);
  const { startedAt, parts } = readParts(file, wanted, now, tell);
  const names = [...parts.keys()];
  if (names.length > 0) tell(`Continuing from ${counted(names.length, 'finished part')} in ${file}.`);
  let works = true;
  const keep = (name: string, part: FinishedPart): void => {
    parts.set(name, part);
    if (!works) return;
    try {
      // The first part replaces the rest of another measurement and a cut line.
      if (parts.size === names.length + 1) replaceFile(file, textOf({ startedAt, key: wanted }, parts));
      else appendTo(file, lineOf(name, part));
    } catch {
      works = false;
      tell(`${file} can't be written, so this measurement can't be continued after an interruption.`);
    }
  };
  try {
    const result = await measure({ get: (name) => parts.get(name), add: keep });
    return { result, remove: () => rmSync(file, { force: true }) };
  } catch (error) {
    throw parts.size > 0 && works ? withHint(error, file) : error;
  }
}

function keyOf({ command, board, request }: MeasurementKey): Head['key'] {
  // A board that was restarted is the same board. Values are stored as this engine writes them.
  const { bootEpoch: _, ...identity } = board;
  const key = { format: FORMAT, engine: process.versions.v8, command, board: identity, request };
  return JSON.parse(JSON.stringify(key));
}

function readParts(
  file: string,
  wanted: Head['key'],
  now: Date,
  tell: (sentence: string) => void,
): { readonly startedAt: string; readonly parts: Map<string, FinishedPart> } {
  const anew = { startedAt: now.toISOString(), parts: new Map<string, FinishedPart>() };
  if (!existsSync(file)) return anew;
  const parts = new Map<string, FinishedPart>();
  let head: Head;
  try {
    const [first, ...lines] = readFileSync(file, 'utf8').split('\n');
    head = JSON.parse(first) as Head;
    const other = differing(head.key, wanted);
    if (other.length > 0) {
      tell(`${file} is of a measurement with another ${other.join(' and ')}: all is measured anew.`);
      return anew;
    }
    const ageMs = now.getTime() - Date.parse(head.startedAt);
    if (!(Math.abs(ageMs) < AGE_MAX_MS)) {
      tell(`${file} was begun on ${head.startedAt}, more than a day ago: all is measured anew.`);
      return anew;
    }
    // A process that was killed may have left a part of a line.
    for (const line of lines.slice(0, -1)) {
      const [name, part] = partOf(line);
      parts.set(name, part);
    }
  } catch {
    tell(`${file} is damaged: all is measured anew.`);
    return anew;
  }
  return { startedAt: head.startedAt, parts };
}

/** The fields in which two keys differ. */
function differing(there: Head['key'], here: Head['key']): string[] {
  return Object.keys(here).filter((field) => JSON.stringify(there[field]) !== JSON.stringify(here[field]));
}

function textOf(head: Head, parts: ReadonlyMap<string, FinishedPart>): string {
  return [`${JSON.stringify(head)}\n`, ...[...parts].map(([name, part]) => lineOf(name, part))].join('');
}

function lineOf(name: string, part: FinishedPart): string {
  return `${JSON.stringify({ name, part: serialize(part).toString('base64') })}\n`;
}

function partOf(line: string): [string, FinishedPart] {
  const { name, part } = JSON.parse(line) as { name: string; part: string };
  return [name, deserialize(Buffer.from(part, 'base64')) as FinishedPart];
}

function appendTo(file: string, text: string): void {
  const descriptor = openSync(file, 'a');
  try {
    appendWhole(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

function withHint(error: unknown, file: string): unknown {
  if (!(error instanceof ThermolinkError)) return error;
  const goesOn = `The same command continues from the finished parts (${file}).`;
  const { code, message, cause, data, retryable } = error;
  const hint = error.hint === undefined ? goesOn : `${error.hint} ${goesOn}`;
  return new ThermolinkError(code, message, { cause, data, retryable, hint });
}
