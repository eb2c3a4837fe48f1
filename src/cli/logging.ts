import { closeSync, openSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { destination, type Logger, pino } from 'pino';
import { ThermolinkError } from '../errors.js';
import { choice } from './options.js';

const LEVELS = ['silent', 'warn', 'info', 'debug', 'trace'] as const;

export interface LogOptions {
  readonly logLevel?: (typeof LEVELS)[number];
  readonly logFile?: string;
}

/** Adds --log-level and --log-file to a command. */
export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--log-level <level>',
        `what to log: ${LEVELS.join(', ')} (default: silent, with --log-file info)`,
      ).argParser(choice('--log-level', LEVELS)),
    )
    .option('--log-file <file>', 'append log lines (JSON) here instead of standard error');
}

/** The logger that the options ask for; one line of JSON an entry, written at once so that a crash loses none. */
export function createLogger({ logLevel, logFile }: LogOptions): Logger {
  const level = logLevel ?? (logFile === undefined ? 'silent' : 'info');
  if (logFile !== undefined) checkWritable(logFile);
  const stream = destination({ dest: logFile ?? 2, sync: true, append: true });
  return pino({ level, base: null }, { write: whileItWorks((line) => stream.write(line)) });
}

/** A log that can't be written any more (a full disk) is given up with a warning; the work goes on. */
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
