import { closeSync, openSync } from 'node:fs';
import type { Logger } from 'pino';
import { ThermolinkError } from '../errors.js';
import type { LOG } from './options/groups.js';
import type { OptionValues } from './options/option.js';

export type LogOptions = Partial<OptionValues<typeof LOG>>;

/**
 * The logger that the options ask for, or undefined if nothing is logged. Each entry is one line of JSON,
 * which is written at once, so that a crash loses no entry. Errors: BAD_FILE.
 */
export async function createLogger({ logLevel, logFile }: LogOptions): Promise<Logger | undefined> {
  const level = logLevel ?? (logFile === undefined ? 'silent' : 'info');
  if (logFile !== undefined) checkWritable(logFile);
  if (level === 'silent') return undefined;
  // The logger is loaded only here: few commands log, and loading it takes as long as the rest of a small
  // command.
  const { destination, pino } = await import('pino');
  const stream = destination({ dest: logFile ?? 2, sync: true, append: true });
  return pino({ level, base: null }, { write: whileItWorks((line) => stream.write(line)) });
}

/** Writes until the first failure, such as a full disk. Then it warns once and drops all further lines. */
function whileItWorks(write: (line: string) => unknown): (line: string) => void {
  let works = true;
  return (line) => {
    if (!works) return;
    try {
      write(line);
    } catch (error) {
      works = false;
      process.stderr.write(`The log ends here: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  };
}

function checkWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a'));
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${file} can't be written.`, {
      cause,
      hint: 'Name a file in a directory that you may write to.',
    });
  }
}
