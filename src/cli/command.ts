import { Argument, type Command } from 'commander';
import { addOptions, type OptionSpecs, type OptionValues, valuesOf } from './options/option.js';
import type { ValueParser } from './options/values.js';
import { addNotes } from './output/help-notes.js';
import { withFlagsInError } from './output/library-names.js';

/** A word that a command needs, written `<task>`. */
export interface ArgumentDefinition {
  readonly name: string;
  readonly help: string;
  /** Left out: any text. */
  readonly value?: ValueParser<string>;
}

export interface CommandDefinition<S extends OptionSpecs> {
  readonly arguments?: readonly ArgumentDefinition[];
  readonly options: S;
  /** What `--help` shows after the options: notes, and at least one example. */
  readonly example: string;
  /** `name` is what the command is called, `words` are its arguments. */
  readonly run: (options: OptionValues<S>, name: string, words: readonly string[]) => Promise<void>;
}

/** A command as its module exports it. Its name and summary stand in `commands.ts`. */
export interface LoadedCommand {
  readonly options: OptionSpecs;
  /** Gives `command` the options, the help and the action. */
  readonly describe: (command: Command) => void;
}

const anyText: ValueParser<string> = (text) => text;

export function defineCommand<S extends OptionSpecs>({
  arguments: words = [],
  options,
  example,
  run,
}: CommandDefinition<S>): LoadedCommand {
  return {
    options,
    describe(command) {
      for (const { name, help, value = anyText } of words)
        command.addArgument(new Argument(name, help).argParser((text) => value(text, name)));
      addOptions(command, options);
      addNotes(command, example);
      command.action(async () => {
        try {
          await run(valuesOf(command, options), command.name(), command.processedArgs as string[]);
        } catch (error) {
          throw withFlagsInError(error, options);
        }
      });
    },
  };
}

/** What a command prints at its end. */
export interface Report {
  /** What `--json` prints, as one line. */
  readonly json: unknown;
  readonly text: string;
  /** Lines for standard error. They are not printed with `--json`, which has the same facts. */
  readonly warnings?: string;
}

export function printReport({ json, text, warnings = '' }: Report, asJson: boolean): void {
  if (!asJson) process.stderr.write(warnings);
  process.stdout.write(asJson ? `${JSON.stringify(json)}\n` : text);
}
