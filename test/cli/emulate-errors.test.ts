import { Server } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { runCommand } from '../support/command-line.js';

afterEach(() => {
  vi.restoreAllMocks();
});

// The test does not use up the real file handles, because the test runner needs them too.
function failToAcceptOnce(): void {
  const { listen } = Server.prototype;
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args) {
    this.once('listening', () =>
      setTimeout(() => {
        this.emit('error', new Error('accept EMFILE: too many open files'));
        process.emit('SIGHUP');
      }),
    );
    return listen.apply(this, args);
  });
}

it('thermolink emulate reports a connection that could not be accepted, and goes on', async () => {
  failToAcceptOnce();
  const { stdout } = await runCommand('emulate', '--profile', 'ideal-8', '--json');
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.map(({ event }) => event)).toEqual(['listening', 'acceptFailed']);
  expect(events[1].message).toContain('EMFILE');
});
