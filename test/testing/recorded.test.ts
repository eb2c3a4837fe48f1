import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Device } from '../../src/driver/device.js';
import { recordedOr, replayed } from '../../src/testing/recorded.js';
import { meanVolts, recordedPrograms } from '../../src/testing/session.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { thrown } from '../cli/support/thrown.js';
import { diagonalProgram } from '../support/test-board.js';

const directory = temporaryDirectory();
const SESSION = join(directory, 'my session.mcap');
const NOWHERE = 'tcp://127.0.0.1:1';
const PROGRAM = { ...diagonalProgram(8, 3000), noiseAmplitude: 16000, noiseShift: 16 };
const RUN = { bank: 0, runSeed: 5, burnInTicks: 200, sampleCount: 30, ticksPerSample: 64 };

async function measure(device: Device): Promise<Float64Array> {
  await device.loadProgram(0, PROGRAM);
  return meanVolts(await device.acquire(RUN), device);
}

afterEach(() => vi.unstubAllEnvs());

// Each test goes on where the one before it ended, as a user's sessions do.
describe('a session that is recorded once', { shuffle: false }, () => {
  let first: Float64Array;

  describe('recordedOr', () => {
    it('records the board if there is no recording', async () => {
      first = await measure(await recordedOr('emulator:ideal-8?die=3', SESSION));
      // Drive 3000 of 32768 · 4 V over a conductance of 1.
      expect(first[0]).toBeCloseTo(3000 / 8192, 1);
      // The file appears when the test has passed.
      expect(existsSync(SESSION)).toBe(false);
    });

    it('then replays the recording without the board, bit for bit', async () => {
      vi.stubEnv('CI', '1');
      expect(existsSync(SESSION)).toBe(true);
      expect(await measure(await recordedOr(NOWHERE, SESSION))).toEqual(first);
    });

    it('fails in CI when recording and board are missing, and leaves no file', async () => {
      vi.stubEnv('CI', '1');
      const file = join(directory, 'none.mcap');
      const error = await thrown(() => recordedOr(NOWHERE, file));
      expect(error).toMatchObject({
        code: 'NO_ANSWER',
        message: expect.stringContaining('no board to make it'),
      });
      vi.stubEnv('THERMOLINK_DEVICE', '');
      expect(await thrown(() => recordedOr(undefined, file))).toMatchObject({ code: 'NO_ANSWER' });
      expect([existsSync(file), existsSync(`${file}.unfinished`)]).toEqual([false, false]);
    });
  });

  describe('replayed', () => {
    it('takes a path or a URL, and is closed by the test', async () => {
      expect(await measure(await replayed(pathToFileURL(SESSION)))).toEqual(first);
    });

    it('reports a program that sends other requests', async () => {
      const device = await replayed(SESSION, { mode: 'lenient' });
      await device.loadProgram(0, PROGRAM);
      const error = await thrown(() => device.acquire({ ...RUN, runSeed: 6 }));
      expect(error).toMatchObject({ code: 'REPLAY_MISMATCH' });
    });

    it('returns the programs of the session', async () => {
      expect(await recordedPrograms(SESSION)).toEqual([PROGRAM]);
    });
  });
});
