import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { BUILT_CLI, isBuilt } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { loadedModules } from '../support/loaded-modules.js';

/** The files that every start of the command line loads, beside one package. */
const ALWAYS = [
  /^dist\/src\/cli\/(main|program|commands|usage|version)\.js$/,
  /^dist\/src\/cli\/output\//,
  /^dist\/src\/(errors|error-codes)\.js$/,
  /^dist\/src\/driver\/stop-on-exit\.js$/,
  /^node_modules\/commander\//,
  /^node:/,
];

describe.runIf(isBuilt)('modules are loaded only by the commands that use them', () => {
  it.each([[['--help']], [['--version']], [['bench', '--help']]])(
    '%j: no command',
    { tags: 'long' },
    expectNoCommand,
  );

  function expectNoCommand(args: string[]): void {
    const others = loadedModules(BUILT_CLI, ...args).filter(
      (module) => !ALWAYS.some((place) => place.test(module)),
    );
    expect(others).toEqual([]);
  }

  it('info on an emulated board: no other command, no network, no logger', () => {
    const loaded = loadedModules(BUILT_CLI, 'info', '--device', 'emulator:ideal-8');
    expect(loaded).toContain('dist/src/cli/commands/info/info.js');
    const needless =
      /^node_modules\/(@jax-js|pino|ml-matrix)|src\/learning\/|src\/measure\/|commands\/(?!info\/)/;
    expect(loaded.filter((module) => needless.test(module))).toEqual([]);
  });
});

it('every folder of a command is in the table, and every entry has its module', async () => {
  const folders = readdirSync(path.join(ROOT, 'src/cli/commands')).sort();
  expect(COMMANDS.map(({ name }) => name).sort()).toEqual(folders);
  const entries = COMMANDS.flatMap((entry) => ('commands' in entry ? entry.commands : [entry]));
  for (const { load } of entries) expect((await load()).command.describe).toBeTypeOf('function');
});

it('--version is that of the package', async () => {
  const { stdout } = await runCommand('--version');
  expect(stdout.trim()).toBe(JSON.parse(readRepositoryFile('package.json')).version);
});
