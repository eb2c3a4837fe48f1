import { Command } from 'commander';
import { COMMANDS, type CommandEntry, type CommandGroup } from './commands.js';
import { addNotes } from './output/help-notes.js';
import { reportError } from './output/report-error.js';
import { throwUsageErrors } from './usage.js';

const VERSION = '0.1.0';

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

/** The program with all commands, of which the one that `args` name is loaded and the others are names only. */
async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('thermolink')
    .description('Drive analog thermodynamic processing units, real or emulated, and train networks on them.')
    .version(VERSION)
    .configureHelp({ minWidthToWrap: HELP_WRAPPED_MIN });
  addNotes(program, NOTES);
  // Neither the program nor a group has an option with a value, so these words begin with the name of the command.
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
