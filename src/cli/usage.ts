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
  // Help, asked for or shown because no command was given: `reportError` knows both.
  if (error.exitCode === 0 || error.code === 'commander.help') return error;
  return new ThermolinkError('BAD_ARGUMENT', error.message.replace(/^error: /, ''), {
    hint: `See ${fullName(command)} --help.`,
    data: { usage: error.code },
  });
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
