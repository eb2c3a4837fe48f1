import { describe, expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';

/** The last line on standard error; the help before it is commander's. */
async function usageError(...args: string[]): Promise<string> {
  const { exitCode, stderr } = await runCommand(...args);
  expect(exitCode).toBe(2);
  return stderr.trimEnd().split('\n').at(-1)!;
}

describe('wrong usage', () => {
  it.each([
    [['solve', '--matrx', 'A.csv', '--rhs', 'b.csv'], "unknown option '--matrx' (Did you mean --matrix?)"],
    [['sample', '--matrix', 'A.csv', '--cuont', '3'], "unknown option '--cuont' (Did you mean --count?)"],
    [['invert', '-m', 'A.csv'], "unknown option '-m'"],
  ])('%j names the option that is misspelt, not the one that is missing', async (args, message) => {
    const line = await usageError(...args);
    expect(line).toContain(`BAD_ARGUMENT: ${message}`);
    expect(line).toContain(`See thermolink ${args[0]} --help.`);
  });

  it('a missing option is named when nothing is misspelt', async () => {
    expect(await usageError('solve', '--rhs', 'b.csv')).toContain("required option '--matrix <file>'");
    expect(await usageError('solve', '--rhs', '-5')).toContain("required option '--matrix <file>'");
  });

  it('a group without a command shows its help, and names its commands', async () => {
    const { stdout, stderr, exitCode } = await runCommand('bench');
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Usage: thermolink bench/);
    expect(stderr).toMatch(
      /BAD_ARGUMENT: thermolink bench needs a command: link.* See thermolink bench --help\.\n$/,
    );
    expect(await usageError()).toMatch(
      /thermolink needs a command: train, evaluate, study, farm, solve, .* See thermolink --help\.$/,
    );
  });

  it('help on an unknown command names the known ones', async () => {
    const line = await usageError('help', 'nope');
    expect(line).toMatch(
      /BAD_ARGUMENT: There is no command nope; there are train, evaluate, study, farm, solve, /,
    );
    expect((await runCommand('help', 'solve')).exitCode).toBe(0);
  });

  it('with --json there is nothing but JSON on standard output', async () => {
    const { stdout } = await runCommand('bench', '--json');
    expect(JSON.parse(stdout).error.code).toBe('BAD_ARGUMENT');
  });

  it('the refusal of a tolerance of 1 is explained', async () => {
    const args = ['solve', '--matrix', 'A.csv', '--rhs', 'b.csv', '--tolerance', '1'];
    expect(await usageError(...args)).toMatch(
      /above 0 and below 1.*"1"\. .*the answer 0 has the relative error 1.*1e-2/,
    );
  });
});
