import { Argument, type Command } from 'commander';
import {
  type ArgumentDefinition,
  addOptions,
  isDash,
  type OptionSpecs,
  type OptionValues,
  valuesOf,
} from './options/option.js';
import type { ValueParser } from './options/values.js';
import { addNotes } from './output/help-notes.js';
import { withFlagsInError } from './output/library-names.js';
import { reportStream, streamNameInJson, withStreamNames } from './output/report-stream.js';
import type { GivenLine } from './standard-streams.js';

export interface CommandDefinition<S extends OptionSpecs> {
  readonly arguments?: readonly ArgumentDefinition[];
  readonly options: S;
  /** The text that `--help` shows after the options: notes, and at least one example. */
  readonly example: string;
  /** `name` is the name of the command, `words` are its arguments. */
  readonly run: (options: OptionValues<S>, name: string, words: readonly string[]) => Promise<void>;
}

/** A command as its module exports it. Its name and summary stand in `commands.ts`. */
export interface LoadedCommand {
  readonly arguments: readonly ArgumentDefinition[];
  readonly options: OptionSpecs;
  /** Gives `command` the options, the help and the action. */
  readonly describe: (command: Command) => void;
}

const anyText: ValueParser<string> = (text) => text;

export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /**
   * Loads its module. It is called only if the command is named, so that `--help` and the other commands
   * start at once.
   */
  readonly load: () => Promise<{ readonly command: LoadedCommand }>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandEntry[];
}

export function defineCommand<S extends OptionSpecs>({
  arguments: words = [],
  options,
  example,
  run,
}: CommandDefinition<S>): LoadedCommand {
  return {
    arguments: words,
    options,
    describe(command) {
      for (const { name, help, value = anyText } of words)
        command.addArgument(new Argument(name, help).argParser((text) => value(text, name)));
      addOptions(command, options);
      addNotes(command, example);
      async function runLine(given: GivenLine): Promise<void> {
        try {
          await run(given.values as OptionValues<S>, command.name(), given.words);
        } catch (error) {
          throw withFlagsInError(error, options);
        }
      }
      command.action(async () => {
        const line = {
          values: valuesOf(command, options),
          words: (command.processedArgs as string[]).slice(0, words.length),
        };
        if (![...Object.values(line.values), ...line.words].some(isDash)) await runLine(line);
        else {
          // Few command lines have a dash, and this module takes long to load.
          const { withStandardStreams } = await import('./standard-streams.js');
          await withStandardStreams(options, words, line, runLine);
        }
      });
    },
  };
}

/** The output of a command at its end. */
export interface Report {
  /** The value that `--json` prints, as one line. */
  readonly json: unknown;
  readonly text: string;
  /** Lines for standard error. They are not printed with `--json`, which has the same facts. */
  readonly warnings?: string;
}

export function printReport({ json, text, warnings = '' }: Report, asJson: boolean): void {
  if (!asJson) process.stderr.write(warnings);
  reportStream().write(asJson ? `${JSON.stringify(json, streamNameInJson)}\n` : withStreamNames(text));
}
