import type { Command, CommanderError } from 'commander';
import { ThermolinkError } from '../errors.js';

/**
 * Makes `program` and all its subcommands throw on wrong usage where commander would print and exit, so that
 * `reportError` prints every error in one way: `BAD_ARGUMENT` with the help of the very command as its hint. Help and
 * version texts are printed by commander as ever and end in a `CommanderError` with exit code 0. Call it after the
 * last subcommand was added.
 */
export function throwUsageErrors(program: Command): void {
  program.configureOutput({ outputError: () => {} });
  program.exitOverride((error) => {
    throw usageError(error, program);
  });
  for (const command of program.commands) throwUsageErrors(command);
}

function usageError(error: CommanderError, command: Command): Error {
  // Help that was asked for.
  if (error.exitCode === 0) return error;
  if (error.code === 'commander.help') return missingCommand(command);
  // Commander looks for missing options first, but a misspelt one is why one is missing.
  const unknown =
    error.code === 'commander.missingMandatoryOptionValue' ? command.args.find(isOption) : undefined;
  if (unknown !== undefined) return unknownOption(unknown, command);
  return new ThermolinkError('BAD_ARGUMENT', error.message.replace(/^error: /, ''), {
    hint: `See ${fullName(command)} --help.`,
    data: { usage: error.code },
  });
}

/** Help was shown because a group of commands was named without one of them, or `help` with a name that is none. */
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

/** The error that commander has for it, with its suggestion. */
function unknownOption(flag: string, command: Command): Error {
  try {
    // Not in its types, but what it calls itself.
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
