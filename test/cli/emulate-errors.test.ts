import { expect, it, vi } from 'vitest';
import type { ListenTcpOptions } from '../../src/serve/listen-tcp.js';
import { runCommand } from '../support/command-line.js';

// Running out of file handles for real would break the test runner too.
vi.mock('../../src/serve/listen-tcp.js', () => ({
  listenTcp: async (_board: unknown, _address: unknown, { onError }: ListenTcpOptions) => {
    setTimeout(() => {
      onError?.(new Error('accept EMFILE: too many open files'));
      process.emit('SIGHUP');
    });
    return { uri: 'tcp://127.0.0.1:1', close: async () => undefined };
  },
}));

it('thermolink emulate reports a connection that could not be accepted, and goes on', async () => {
  const { stdout } = await runCommand('emulate', '--profile', 'ideal-8', '--json');
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.map(({ event }) => event)).toEqual(['listening', 'acceptFailed']);
  expect(events[1].message).toContain('EMFILE');
});
