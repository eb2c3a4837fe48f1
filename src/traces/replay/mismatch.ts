import { ThermolinkError } from '../../errors.js';
import { readableFields } from '../readable-fields.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';

/** The difference between a request and the recording. */
export interface Mismatch {
  /** Index of the recorded message; of the last message if the recording has ended. */
  readonly index: number;
  /** The recorded command, or the received one if no command was recorded. */
  readonly command: string;
  /**
   * The field that differs; `command` if another command arrived, or a command after the last recorded one.
   */
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** The value of a field on one line. */
export function shownValue(
  message: Pick<TraceMessage, 'kind' | 'name'>,
  field: string,
  value: FieldValue | undefined,
) {
  if (value === undefined) return 'nothing';
  return readableFields({ ...message, fields: { [field]: value } })[field];
}

/**
 * The sentence about a mismatch. Its first 96 characters contain the essential part, because the detail of a
 * refusal is cut there.
 */
export function mismatchText({ index, command, field, expected, got }: Mismatch): string {
  const place = field === 'command' ? `message ${index}` : `message ${index}, ${command}.${field}`;
  return `${place}: recorded ${told(expected)}, got ${told(got)}`;
}

function told(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/**
 * The error for a program that makes another request than the recorded one. `call` is the line of code that
 * made it.
 */
export function mismatchError(path: string, mismatch: Mismatch, call: string | undefined): ThermolinkError {
  const from = call === undefined ? '' : ` The call is ${call}.`;
  return new ThermolinkError('REPLAY_MISMATCH', `Replay of ${path}: ${mismatchText(mismatch)}.${from}`, {
    hint:
      mismatch.field === 'frameBytes'
        ? 'The recorded messages need long frames. TCP supports them; serial ports and pseudo-terminals do not.'
        : 'If the program is right, record the session again; mode=semantic and mode=lenient compare less.',
    data: { file: path, ...mismatch, call },
  });
}

/** The error for a program that ended before it had made all recorded requests. */
export function leftOverError(path: string, next: TraceMessage, count: number): ThermolinkError {
  return new ThermolinkError(
    'REPLAY_MISMATCH',
    `Replay of ${path}: the program ended, but ${count} recorded ${count === 1 ? 'request was' : 'requests were'} not made. The next is message ${next.index}, ${next.name}.`,
    {
      hint: 'If the program is right, record the session again; mode=lenient does not require all requests.',
      data: { file: path, index: next.index, field: 'command', expected: next.name, got: 'end', left: count },
    },
  );
}
