import { ThermolinkError } from '../../errors.js';
import { readableFields } from '../readable-fields.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';

/** How a request differs from what was recorded. */
export interface Mismatch {
  /** The index of the recorded message; that of the last one where nothing more was recorded. */
  readonly index: number;
  /** The command that was recorded, or that came. */
  readonly command: string;
  /** The field that differs; `command` where another command came, or one too many. */
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** A value of a field in one line. */
export function shownValue(
  message: Pick<TraceMessage, 'kind' | 'name'>,
  field: string,
  value: FieldValue | undefined,
) {
  if (value === undefined) return 'nothing';
  return readableFields({ ...message, fields: { [field]: value } })[field];
}

/** The sentence about a mismatch. It fits the detail of a refusal in its first 96 characters. */
export function mismatchText({ index, command, field, expected, got }: Mismatch): string {
  const place = field === 'command' ? `message ${index}` : `message ${index}, ${command}.${field}`;
  return `${place}: recorded ${told(expected)}, got ${told(got)}`;
}

function told(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The error of a program that does something else than what was recorded. `call` is its line of code. */
export function mismatchError(path: string, mismatch: Mismatch, call: string | undefined): ThermolinkError {
  const from = call === undefined ? '' : ` The call is ${call}.`;
  return new ThermolinkError('REPLAY_MISMATCH', `Replay of ${path}: ${mismatchText(mismatch)}.${from}`, {
    hint:
      mismatch.field === 'frameBytes'
        ? 'The recorded messages need frames as long. TCP takes them, a serial port and a pseudo-terminal do not.'
        : 'If the program is right, record the session anew; mode=semantic or mode=lenient compare less.',
    data: { file: path, ...mismatch, call },
  });
}

/** The error of a program that left before it had asked everything that was recorded. */
export function leftOverError(path: string, next: TraceMessage, count: number): ThermolinkError {
  return new ThermolinkError(
    'REPLAY_MISMATCH',
    `Replay of ${path}: the program ended, but ${count} recorded ${count === 1 ? 'request was' : 'requests were'} not made. The next is message ${next.index}, ${next.name}.`,
    {
      hint: 'If the program is right, record the session anew; mode=lenient does not ask for all of it.',
      data: { file: path, index: next.index, field: 'command', expected: next.name, got: 'end', left: count },
    },
  );
}
