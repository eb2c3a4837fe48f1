import { type Command, Option } from 'commander';
import type { ValueParser } from './values.js';

/** The role of a file that an option names. It decides which checks are made before the computation. */
export type FileRole =
  /** The command reads the file. */
  | 'input'
  /** The command writes an array to the file: the name must end in a known format. */
  | 'array'
  /**
   * The command writes the file and replaces a file of this name, because the same command makes the result
   * again. It does not replace what cannot be made again: a recording, a test, a directory of a training.
   */
  | 'output'
  /** The command writes a directory or a log, and checks by itself whether this is possible. */
  | 'own';

/** The meaning of `-` instead of the name of a file. */
export type DashMeaning =
  | { readonly kind: 'input' }
  /**
   * The formats that can go to standard output. `-` stands for the first format. Another format is named by
   * its extension, such as `-.npy`.
   */
  | {
      readonly kind: 'output';
      readonly extensions: (values: Readonly<Record<string, unknown>>) => readonly string[];
    }
  | { readonly kind: 'refused'; readonly why: string };

/** One option of a command. `T` is the type of its value. */
export interface OptionSpec<T> {
  /** The flags in the form of commander: `-c, --count <n>`. */
  readonly flags: string;
  readonly help: string;
  readonly value?: ValueParser<T> | undefined;
  readonly default?: T | undefined;
  readonly required?: boolean | undefined;
  readonly file?: FileRole | undefined;
  /** The meaning of `-`. Default: `dashMeaning` derives it from the role. */
  readonly dash?: DashMeaning | undefined;
  /** The name that errors of the library use for the option, if it differs from the key of the option. */
  readonly libraryName?: string | undefined;
  /** Whether it may be given several times; its value is then a list. */
  readonly repeated?: boolean | undefined;
}

/** An argument that a command needs, written `<task>` in the help. */
export interface ArgumentDefinition {
  readonly name: string;
  readonly help: string;
  /** Left out: any text. */
  readonly value?: ValueParser<string>;
  /** Whether it is a file that is read. */
  readonly file?: 'input';
  /** The meaning of `-`. Default: standard input, for a file. */
  readonly dash?: DashMeaning;
}

/** Options. The key of each is the name that the library gives to its value. */
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** The value of each option on a command line. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [Field in keyof S]: S[Field] extends OptionSpec<infer T> ? T : never;
};

type Parsed<T> = { readonly value: ValueParser<T> } & Pick<OptionSpec<T>, 'file' | 'dash' | 'libraryName'>;
type Text = Pick<OptionSpec<string>, 'file' | 'dash' | 'libraryName'>;
type Always<T> = { readonly required: true } | { readonly default: T };

/**
 * An option with a value. Without the parser `value`, the value is a text. The value is undefined if the
 * option is left out and has no default.
 */
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

/**
 * An option that may be given several times. Its value is the list of the given texts, or undefined if the
 * option is left out.
 */
export function repeatedOption(flags: string, help: string): OptionSpec<readonly string[] | undefined> {
  return { flags, help, repeated: true };
}

/**
 * An option whose value may be left out, written `--pty [link]`. The value is true if the option is given
 * without a value.
 */
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
    const { value, file } = spec;
    if (value !== undefined)
      added.argParser((text) => (file !== undefined && isDash(text) ? text : value(text, longFlag(spec))));
    if (spec.repeated) added.argParser<string[]>((text, before) => [...(before ?? []), text]);
    // The help shows a list in the form that the option takes.
    const shown = Array.isArray(spec.default) ? spec.default.join(',') : undefined;
    if (spec.default !== undefined) added.default(spec.default, shown);
    if (spec.required) added.makeOptionMandatory();
    command.addOption(added);
  }
}

/** The values that `command` has parsed, under the keys of `specs`. */
export function valuesOf<S extends OptionSpecs>(command: Command, specs: S): OptionValues<S> {
  const given = command.opts();
  return Object.fromEntries(
    Object.entries(specs).map(([field, { flags }]) => [field, given[new Option(flags).attributeName()]]),
  ) as OptionValues<S>;
}

/** Whether a text stands for standard input or output: `-`, or `-.npy` with a format. */
export function isDash(text: unknown): text is string {
  return typeof text === 'string' && /^-(?:\.[a-z0-9]+)?$/i.test(text);
}

const ARRAY_FORMATS = ['.csv', '.npy', '.tsv', '.txt'];

/** The meaning of `-` as the value of an option that names a file. */
export function dashMeaning({ flags, file, dash }: OptionSpec<unknown>): DashMeaning {
  if (flags.endsWith(' <dir>')) return { kind: 'refused', why: 'it is a folder' };
  if (dash !== undefined) return dash;
  if (file === 'input') return { kind: 'input' };
  if (file === 'array') return { kind: 'output', extensions: () => ARRAY_FORMATS };
  return { kind: 'refused', why: 'the file is written in place while the command works' };
}

/** `-` is standard output, in one of these formats. */
export function printedAs(...extensions: readonly string[]): DashMeaning {
  return { kind: 'output', extensions: () => extensions };
}

/** `--count` of `-c, --count <n>`. */
export function longFlag({ flags }: Pick<OptionSpec<unknown>, 'flags'>): string {
  return /--[a-z0-9-]+/.exec(flags)![0];
}
