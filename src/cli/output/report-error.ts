import { CommanderError } from 'commander';
import { ThermolinkError } from '../../errors.js';
import { CLOSED_PIPE, exitCodeOfSignal } from './interrupt.js';
import { printable } from './text-width.js';

export const EXIT_DONE = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** Thrown by a command that has said everything and ends with another exit code than 0. */
export class QuietExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export interface TextSink {
  write(text: string): unknown;
}

export interface ReportOptions {
  /** Print `{"error": {…}}` to `stdout` in place of a paragraph to `stderr`. */
  readonly json?: boolean;
  readonly stdout?: TextSink;
  readonly stderr?: TextSink;
}

/**
 * Reports anything that a command threw, and returns the exit code: 2 for wrong usage, 128 + its number for a
 * signal, 0 for help and version texts, which commander throws, 0 without any text if the reader of the
 * output has gone, and 1 for the rest. A `ThermolinkError` is one paragraph without a stack. Anything else is
 * a bug and is shown with its stack. Never throws.
 */
export function reportError(error: unknown, options: ReportOptions = {}): number {
  const { json = false, stdout = process.stdout, stderr = process.stderr } = options;
  // Commander also throws after requested help. That is not an error.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT_DONE;
  if (error instanceof QuietExit) return error.exitCode;
  const failure = error instanceof CommanderError ? usageFailure(error) : error;
  if (failure instanceof ThermolinkError) {
    if (isReaderGone(failure)) return EXIT_DONE;
    if (json) stdout.write(toJson(failure));
    else stderr.write(`${paragraph(failure)}\n`);
    return exitCodeOf(failure);
  }
  const text =
    failure instanceof Error ? (failure.stack ?? String(failure)) : `${describe(failure)} was thrown`;
  if (json)
    stdout.write(
      jsonLine({ code: 'BUG', message: describe(failure), hint: null, retryable: false, data: {} }),
    );
  stderr.write(`thermolink: this is a bug in thermolink; please report it with the text below.\n${text}\n`);
  return EXIT_FAILED;
}

/** Whether a command ended because nobody reads its output, and no error came while it stopped. */
function isReaderGone({ cause, data }: ThermolinkError): boolean {
  return data['signal'] === CLOSED_PIPE && !(cause instanceof ThermolinkError);
}

function exitCodeOf(error: ThermolinkError): number {
  if (error.code === 'BAD_ARGUMENT') return EXIT_USAGE;
  return exitCodeOfSignal(error.data['signal']) ?? EXIT_FAILED;
}

/** One line with the event, its cause and the advice. */
function paragraph(error: ThermolinkError): string {
  const parts = [error.message, reason(error), error.hint ?? ''];
  const text = parts
    .map(printable)
    .filter((part) => part !== '')
    .map(sentence)
    .join(' ');
  return `thermolink: ${error.code}: ${text}`;
}

/** The messages of the causes, without texts that the error itself already contains. */
function reason(error: ThermolinkError): string {
  const reasons: string[] = [];
  let told = error.message;
  let cause = error.cause;
  // Chains of causes are short. The bound is for a chain that runs in a circle.
  for (let depth = 0; depth < 4 && cause instanceof Error; depth++, cause = cause.cause) {
    if (cause.message === '' || told.includes(cause.message)) continue;
    reasons.push(sentence(printable(cause.message)));
    told += cause.message;
  }
  return reasons.join(' ');
}

function sentence(text: string): string {
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

function toJson(error: ThermolinkError): string {
  const { code, message, hint = null, retryable, data } = error;
  return jsonLine({ code, message, hint, retryable, data });
}

function jsonLine(error: Readonly<Record<string, unknown>>): string {
  try {
    return `${JSON.stringify({ error }, jsonValue)}\n`;
  } catch {
    // The data contain a circle, so the error is printed without them.
    return `${JSON.stringify({ error: { ...error, data: {} } })}\n`;
  }
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Error) return value.message;
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>);
  return value;
}

function usageFailure(error: CommanderError): ThermolinkError {
  const message =
    error.code === 'commander.help' ? 'No command was given.' : error.message.replace(/^error: /, '');
  return new ThermolinkError('BAD_ARGUMENT', message, { hint: 'See thermolink --help.' });
}

function describe(value: unknown): string {
  try {
    return value instanceof Error ? value.message : String(value);
  } catch {
    return 'a value without a text';
  }
}
