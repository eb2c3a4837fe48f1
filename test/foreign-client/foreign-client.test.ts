import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PROTOCOL_MINOR } from '../../firmware-protocol/version.js';
import { FOREIGN_DEVICES } from './devices.js';
import { missingPython, runClient } from './python.js';

const hasPty = process.platform === 'linux' || process.platform === 'darwin';
const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
afterAll(() => rmSync(directory, { recursive: true }));

const PLACES = [
  { transport: 'socket://', at: () => ({ tcp: '127.0.0.1:0' }) },
  { transport: 'a pseudo-terminal', at: () => ({ pty: path.join(directory, 'board') }) },
].filter(({ transport }) => hasPty || transport === 'socket://');

/** Quick tests cover one device over one transport. Long tests cover every pair. */
const isQuick = (device: number, place: number): boolean => device === 0 && place === 0;

/** The name that pyserial uses for the place of one of our URIs. */
function pyserialAddress(uri: string): string {
  return uri.replace(/^tcp:/, 'socket:').replace(/^serial:/, '');
}

/** Conductance of a link of the chain, in G_fs; 16, 8 and even 4 bits hold it exactly. */
const LINK = 3 / 8;
const CHAIN = Array.from({ length: 4 }, (_, i) =>
  Array.from({ length: 4 }, (_, j) => (i === j ? 2 * LINK : Math.abs(i - j) === 1 ? -LINK : 0)),
);

/** (tridiag(−1, 2, −1)⁻¹)ij = min(i, j)·(n + 1 − max(i, j))/(n + 1), counted from 1. */
function chainSolution(drive: readonly number[]): number[] {
  return drive.map((_, i) =>
    drive.reduce(
      (sum, e, j) => sum + (e * Math.min(i + 1, j + 1) * (5 - Math.max(i + 1, j + 1))) / (5 * LINK),
      0,
    ),
  );
}

/**
 * Voltages are read as multiples of this number, in V_fs. The noise is off, and rounding may go up or down.
 */
const ADC_STEP = 2 ** -14;

describe.each(FOREIGN_DEVICES.map((device, at) => ({ device, at, name: device.name })))(
  'a foreign client, in Python, with $name',
  ({ device, at: deviceAt }) => {
    beforeEach((context) => {
      const missing = missingPython() ?? device.missing();
      context.skip(missing !== undefined, missing);
    });

    for (const [placeAt, { transport, at }] of PLACES.entries())
      describe(`over ${transport}`, { tags: isQuick(deviceAt, placeAt) ? [] : 'long' }, () => {
        it('identifies the board, loads two systems and reads their solutions', async () => {
          const address = pyserialAddress(await device.serve(at()));
          for (const drive of [
            [3 / 16, 0, 0, 0],
            [1 / 4, -1 / 8, 3 / 32, -5 / 16],
          ]) {
            const { exitCode, stdout, stderr } = runClient(
              ...[address, '--system', JSON.stringify({ A: CHAIN, b: drive })],
            );
            expect(exitCode, stderr).toBe(0);
            const result = JSON.parse(stdout) as { solution: number[] };
            expect(result).toMatchObject({ identity: device.identity, token: 4242, state: 'done' });
            const errors = chainSolution(drive).map((exact, i) => Math.abs(result.solution[i] - exact));
            expect(Math.max(...errors), `solution ${stdout}`).toBeLessThanOrEqual(ADC_STEP);
            expect(result.solution).toHaveLength(4);
          }
        });

        it('reports the version of the board if the table hashes differ', { tags: 'long' }, async () => {
          const address = pyserialAddress(await device.serve(at()));
          const { exitCode, stderr } = runClient(
            ...[address, '--table-hash', '0011223344556677', '--minor', String(PROTOCOL_MINOR)],
          );
          expect(exitCode).toBe(1);
          expect(stderr).toMatch(/the board speaks \d+\.\d+ with table hash [0-9a-f]{16}, this client/);
          expect(stderr).toContain('0011223344556677');
        });
      });

    it('reports an address that cannot be opened', { tags: deviceAt === 0 ? [] : 'long' }, () => {
      const { exitCode, stderr } = runClient('socket://127.0.0.1:1');
      expect(exitCode).toBe(1);
      expect(stderr).toContain('client.py: cannot open');
    });
  },
);
