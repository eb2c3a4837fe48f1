import type { Command, CommanderError } from 'commander';
import { ThermolinkError } from '../errors.js';

/**
 * Makes `program` and its subcommands throw on wrong usage. Without this, commander would print and exit.
 * Thus `reportError` prints every error in the same way: as `BAD_ARGUMENT` whose hint names the help of the
 * command. Commander still prints help and version texts; it then throws a `CommanderError` with exit code 0.
 * Call this after the last subcommand was added.
 */
export function throwUsageErrors(program: Command): void {
  program.configureOutput({ outputError: () => {} });
  program.exitOverride((error) => {
    throw usageError(error, program);
  });
  for (const command of program.commands) throwUsageErrors(command);
}

function usageError(error: CommanderError, command: Command): Error {
  // Help was asked for.
  if (error.exitCode === 0) return error;
  if (error.code === 'commander.help') return missingCommand(command);
  // Commander reports a missing option first, but the cause may be a misspelt option.
  const unknown =
    error.code === 'commander.missingMandatoryOptionValue' ? command.args.find(isOption) : undefined;
  if (unknown !== undefined) return unknownOption(unknown, command);
  return new ThermolinkError('BAD_ARGUMENT', error.message.replace(/^error: /, ''), {
    hint: `See ${fullName(command)} --help.`,
    data: { usage: error.code },
  });
}

/**
 * The error after help that was not requested: the command line names a group without a command, or `help`
 * with an unknown command.
 */
function missingCommand(command: Command): ThermolinkError {
  const commands = command.commands.map((each) => each.name());
  const [first, wanted] = command.args;
  const message =
    first === 'help' && wanted !== undefined
      ? `There is no command ${wanted}; there are ${commands.join(', ')}.`
      : `${fullName(command)} needs a command: ${commands.join(', ')}.`;
  return new ThermolinkError('BAD_ARGUMENT', message, {
    hint: `See ${fullName(command)} --help.`,
    data: { usage: 'commander.help', commands },
  });
}

function isOption(argument: string): boolean {
  return /^-[^\d.]/.test(argument);
}

/** The error of commander for an unknown option, with its suggestion. */
function unknownOption(flag: string, command: Command): Error {
  try {
    // The method is missing in the types of commander.
    (command as Command & { unknownOption(flag: string): void }).unknownOption(flag);
  } catch (error) {
    if (error instanceof ThermolinkError) return error;
    throw error;
  }
  return new ThermolinkError('BAD_ARGUMENT', `unknown option '${flag}'`);
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
