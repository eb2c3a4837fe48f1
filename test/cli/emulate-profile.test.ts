import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProfile } from '../../emulator/index.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const file = path.join(directory, 'board.json');
writeFileSync(file, JSON.stringify({ ...findProfile('prototype-8')!, name: 'own-8' }));
const broken = path.join(directory, 'broken.json');
writeFileSync(broken, JSON.stringify({ ...findProfile('prototype-8')!, tauNs: -1 }));

describe('thermolink emulate --file', () => {
  it.each([
    ['with --profile', ['--file', file, '--profile', 'ideal-8'], 'BAD_ARGUMENT', 'exclude each other'],
    ['of a bad profile', ['--file', broken], 'BAD_FILE', 'tauNs is -1; it takes a whole number from 1'],
    ['with bad faults', ['--file', file, '--faults', 'dead'], 'BAD_ARGUMENT', '"dead"'],
    ['with a fault elsewhere', ['--file', file, '--faults', 'deadCell:8@1'], 'BAD_ARGUMENT', 'cells 0 to 7'],
  ])('%s is refused', async (_, args, code, reason) => {
    const { exitCode, stdout } = await runCommand('emulate', '--json', ...args);
    expect(exitCode).not.toBe(0);
    expect(JSON.parse(stdout).error).toMatchObject({ code, message: expect.stringContaining(reason) });
  });

  it.runIf(isBuilt)('serves the board that the file describes', { tags: 'long' }, async () => {
    const server = new JsonProcess([BUILT_CLI, 'emulate', '--json', '--file', file, '--die', '3']);
    const { uris } = await server.next<{ uris: string[] }>('listening');
    const { stdout } = await runCommand('info', '--json', '--device', uris[0]);
    expect(stdout).toContain('own-8');
    expect(stdout).toContain('die 3');
  });
});
