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
  return pino({ level, base: null }, destination({ dest: logFile ?? 2, sync: true, append: true }));
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
