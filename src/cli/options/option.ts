import { type Command, Option } from 'commander';
import type { ValueParser } from './values.js';

/** The role of a file that an option names. It decides what is checked before anything is computed. */
export type FileRole =
  /** It is read. */
  | 'input'
  /** An array is written there: the name must end in a known format. */
  | 'array'
  /** It is written. */
  | 'output'
  /** It is written, and the command itself checks that it can be: a directory, or a log. */
  | 'own';

/** One option of a command. `T` is the type of its value. */
export interface OptionSpec<T> {
  /** As commander writes them: `-c, --count <n>`. */
  readonly flags: string;
  readonly help: string;
  readonly value?: ValueParser<T> | undefined;
  readonly default?: T | undefined;
  readonly required?: boolean | undefined;
  readonly file?: FileRole | undefined;
  /** How errors of the library name it, where that is not the key of this option: `existing: 'resume'`. */
  readonly libraryName?: string | undefined;
  /** Whether it may be given several times; its value is then a list. */
  readonly repeated?: boolean | undefined;
}

/** Options. The key of each is the name that the library gives to its value. */
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** What a command line gave: the value of each option. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [Field in keyof S]: S[Field] extends OptionSpec<infer T> ? T : never;
};

type Parsed<T> = { readonly value: ValueParser<T> } & Pick<OptionSpec<T>, 'file' | 'libraryName'>;
type Text = Pick<OptionSpec<string>, 'file' | 'libraryName'>;
type Always<T> = { readonly required: true } | { readonly default: T };

/** An option with a value. Without `value` it is a text. It is undefined if it may be left out and was. */
export function option<T>(flags: string, help: string, details: Parsed<T> & Always<T>): OptionSpec<T>;
export function option<T>(flags: string, help: string, details: Parsed<T>): OptionSpec<T | undefined>;
export function option(flags: string, help: string, details: Text & Always<string>): OptionSpec<string>;
export function option(flags: string, help: string, details?: Text): OptionSpec<string | undefined>;
export function option<T>(
  flags: string,
  help: string,
  details: Omit<OptionSpec<T>, 'flags' | 'help'> = {},
): OptionSpec<T | undefined> {
  return { flags, help, ...details };
}

/** An option with a text that may be given several times: all texts, undefined if it was left out. */
export function repeatedOption(flags: string, help: string): OptionSpec<readonly string[] | undefined> {
  return { flags, help, repeated: true };
}

/** An option whose value may be left out, written `--pty [link]`. Its value is true if it is given alone. */
export function optionOrFlag(flags: string, help: string): OptionSpec<string | true | undefined> {
  return { flags, help };
}

/** A switch: true when given. */
export function flag(
  flags: string,
  help: string,
  details: Pick<OptionSpec<true>, 'libraryName'> = {},
): OptionSpec<true | undefined> {
  return { flags, help, ...details };
}

/** A switch `--no-…`: false when given. */
export function negation(flags: string, help: string): OptionSpec<boolean> {
  return { flags, help };
}

export function addOptions(command: Command, specs: OptionSpecs): void {
  for (const spec of Object.values(specs)) {
    const added = new Option(spec.flags, spec.help);
    const { value } = spec;
    if (value !== undefined) added.argParser((text) => value(text, longFlag(spec)));
    if (spec.repeated) added.argParser<string[]>((text, before) => [...(before ?? []), text]);
    if (spec.default !== undefined) added.default(spec.default);
    if (spec.required) added.makeOptionMandatory();
    command.addOption(added);
  }
}

/** The values that `command` has parsed, under their field names. */
export function valuesOf<S extends OptionSpecs>(command: Command, specs: S): OptionValues<S> {
  const given = command.opts();
  return Object.fromEntries(
    Object.entries(specs).map(([field, { flags }]) => [field, given[new Option(flags).attributeName()]]),
  ) as OptionValues<S>;
}

/** `--count` of `-c, --count <n>`. */
export function longFlag({ flags }: Pick<OptionSpec<unknown>, 'flags'>): string {
  return /--[a-z0-9-]+/.exec(flags)![0];
}
