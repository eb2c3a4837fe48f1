import { Command } from 'commander';
import type { CommandEntry, CommandGroup } from './command.js';
import { COMMANDS } from './commands.js';
import { addNotes } from './output/help-notes.js';
import { reportError } from './output/report-error.js';
import { throwUsageErrors } from './usage.js';
import { VERSION } from './version.js';

const NOTES = `
Exit codes: 0 done, 1 the operation failed, 2 wrong usage, 130 interrupted by Ctrl-C (143 SIGTERM, 129 SIGHUP).

The device is --device, else the environment variable THERMOLINK_DEVICE, else an emulated board.`;

/** The text beside the options is wrapped down to this many columns. */
const HELP_WRAPPED_MIN = 20;

/** Runs one command line (without `node` and the script) and returns the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(args);
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, { json: args.includes('--json') });
  }
}

/**
 * The program with all its commands. Only the command that `args` name is loaded; the others have only a name
 * and a summary.
 */
async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('thermolink')
    .description('Drive analog thermodynamic processing units, real or emulated, and train networks on them.')
    .version(VERSION)
    .configureHelp({ minWidthToWrap: HELP_WRAPPED_MIN });
  addNotes(program, NOTES);
  // The name of the command comes first among these words, since neither the program nor a group of commands
  // has an option with a value.
  const words = args.filter((word) => !word.startsWith('-') && word !== 'help');
  await addCommands(program, COMMANDS, words);
  throwUsageErrors(program);
  return program;
}

async function addCommands(
  parent: Command,
  entries: readonly (CommandEntry | CommandGroup)[],
  [name, ...words]: readonly string[],
): Promise<void> {
  for (const entry of entries) {
    const command = parent.command(entry.name).description(entry.summary);
    if ('commands' in entry) await addCommands(command, entry.commands, entry.name === name ? words : []);
    else if (entry.name === name) (await entry.load()).command.describe(command);
  }
}
