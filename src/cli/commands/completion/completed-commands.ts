import { PROFILES } from '../../../../emulator/profiles/profiles.js';
import { DEVICE_FORMS } from '../../../connect.js';
import type { CommandEntry, CommandGroup, LoadedCommand } from '../../command.js';
import type { ArgumentDefinition, OptionSpec } from '../../options/option.js';

/** The completions that a shell offers for a value. */
export type CompletedValue =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'folder' | 'device' | 'text' };

/** An option as shells need it. */
export interface CompletedOption {
  /** `--count`. */
  readonly long: string;
  /** The short form, such as `-c`, if it has one. */
  readonly short?: string | undefined;
  readonly help: string;
  /** Undefined for a switch. */
  readonly value?: CompletedValue | undefined;
  /** Whether the value may be left out. */
  readonly isValueOptional: boolean;
  readonly isRepeated: boolean;
}

/** A command, a group of commands, or the program, as shells need it. */
export interface CompletedCommand {
  /** Its words after `thermolink`; empty for the program itself. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly commands: readonly CompletedCommand[];
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly CompletedValue[];
}

/** Device URIs. Those of emulated boards are complete. For the other kinds only the beginning is known. */
export const DEVICE_WORDS: readonly string[] = [
  ...PROFILES.map(({ name }) => `emulator:${name}`),
  'emulator:file=',
  ...DEVICE_FORMS.map((form) => /^[a-z]+:(?:\/\/)?/.exec(form)![0]).filter((start) => start !== 'emulator:'),
];

/** The device URIs that go on with the name of a file. */
export const FILE_URIS: readonly string[] = ['emulator:file=', 'replay:'];

/**
 * Shell patterns of the paths of serial ports of boards. The stable names of Linux come first, then those of
 * macOS.
 */
export const SERIAL_PATTERNS: readonly string[] = [
  '/dev/serial/by-id/*',
  '/dev/ttyACM*',
  '/dev/ttyUSB*',
  '/dev/cu.usb*',
];

const SWITCH = { isValueOptional: false, isRepeated: false };
const HELP: CompletedOption = { long: '--help', short: '-h', help: 'display help for command', ...SWITCH };
const VERSION: CompletedOption = {
  long: '--version',
  short: '-V',
  help: 'output the version number',
  ...SWITCH,
};

/** The program with all commands, from the table of commands and from the options that they declare. */
export async function completedCommands(
  table: readonly (CommandEntry | CommandGroup)[],
): Promise<CompletedCommand> {
  return {
    words: [],
    summary: '',
    commands: await Promise.all(table.map((entry) => completedEntry(entry, []))),
    options: [VERSION, HELP],
    arguments: [],
  };
}

async function completedEntry(
  entry: CommandEntry | CommandGroup,
  before: readonly string[],
): Promise<CompletedCommand> {
  const words = [...before, entry.name];
  const { summary } = entry;
  if ('commands' in entry) {
    const commands = await Promise.all(entry.commands.map((each) => completedEntry(each, words)));
    return { words, summary, commands, options: [HELP], arguments: [] };
  }
  return { words, summary, commands: [], ...completedCommand((await entry.load()).command) };
}

function completedCommand(command: LoadedCommand): Pick<CompletedCommand, 'options' | 'arguments'> {
  return {
    options: [...Object.values(command.options).map(completedOption), HELP],
    arguments: command.arguments.map(argumentValue),
  };
}

const FLAGS = /^(?:(-\w), )?(--[a-z0-9-]+)(?: (<[^>]+>|\[[^\]]+\]))?$/;

function completedOption(spec: OptionSpec<unknown>): CompletedOption {
  const [, short, long, place] = FLAGS.exec(spec.flags)!;
  return {
    long,
    short,
    help: spec.help,
    value: place === undefined ? undefined : optionValue(spec, place),
    isValueOptional: place?.startsWith('[') ?? false,
    isRepeated: spec.repeated === true,
  };
}

function optionValue({ value, file }: OptionSpec<unknown>, place: string): CompletedValue {
  if (value?.words !== undefined) return { kind: 'words', words: value.words };
  if (place === '<uri>' || place === '<uris>') return { kind: 'device' };
  if (place === '<dir>') return { kind: 'folder' };
  return { kind: file === undefined ? 'text' : 'file' };
}

function argumentValue({ value, file }: ArgumentDefinition): CompletedValue {
  if (value?.words !== undefined) return { kind: 'words', words: value.words };
  return { kind: file === undefined ? 'text' : 'file' };
}

/** The command and all below it, itself first. */
export function* allCommands(command: CompletedCommand): Generator<CompletedCommand> {
  yield command;
  for (const each of command.commands) yield* allCommands(each);
}
