import { expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { fileWriter } from './support/temporary-files.js';

const file = fileWriter();
const junk = file('junk.pem', 'junk\n');

it.each([
  ['a token file', ['--token-file', '/nowhere/file'], '/nowhere/file'],
  ['a certificate', ['--tls-cert', '/nowhere/file', '--tls-key', junk], '/nowhere/file does not exist'],
  ['a key', ['--tls-cert', junk, '--tls-key', '/nowhere/file'], '/nowhere/file does not exist'],
  ['a good certificate', ['--tls-cert', junk, '--tls-key', junk], 'The certificate and its key'],
])('thermolink serve without %s says which file is bad', async (_, words, message) => {
  const { stderr, stdout, exitCode } = await runCommand('serve', '--device', 'emulator:ideal-8', ...words);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('bug');
  expect(stdout).toBe('');
  expect(exitCode).toBe(1);
});
