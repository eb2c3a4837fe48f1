import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  BOARD_LIST,
  EVENT,
  HEALTH,
  type HubEvent,
  type HubEventOf,
  LIFE,
  NOTES_ANSWER,
  STOP_ANSWER,
} from '../../src/hub/api.js';
import { BoardRecording } from '../../src/hub/board-recording.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { diagonalProgram } from '../support/test-board.js';
import { ask, drive, observe, runForLong, withHub } from './shared-board.js';

const directory = temporaryDirectory();
const SAMPLES = 4000;

describe('an observer of a shared board', () => {
  it('gets leases, runs, voltages and moments, in messages that fit the schemas', () =>
    withHub(async (hub) => {
      const observer = await observe(hub);
      const device = await drive(hub.uri());
      const program = { ...diagonalProgram(8), noiseAmplitude: 16_384, noiseShift: 12 };
      await device.loadProgram(0, program);
      // Samples are more than six time constants apart: they are as good as independent.
      const run = { bank: 0, runSeed: 1, burnInTicks: 1000, sampleCount: SAMPLES, ticksPerSample: 200 };
      await device.acquire(run);
      await device.close();
      await observer.until((event) => event.type === 'incident' && event.what === 'leaseEnded');
      // The event `link` comes a second after the first message of the link, so the lease may have ended.
      const types = ['board', 'hello', 'incident', 'link', 'moments', 'runBegan', 'runEnded', 'voltages'];
      for (const type of types) await observer.until((event) => event.type === type);
      for (const event of observer.events) expect(EVENT.parse(event)).toEqual(event);
      const { samples, meanVolts, covarianceVolts2, expectedMeanVolts, expectedCovarianceVolts2 } = longest(
        observer.events,
      );
      expect(samples).toBeGreaterThan(SAMPLES / 2);
      expect(samples).toBeLessThanOrEqual(SAMPLES);
      for (const i of [0, 5]) {
        const variance = expectedCovarianceVolts2![i][i];
        // Seven standard errors of mean and variance: a false alarm comes once in 10¹¹ runs.
        expect(Math.abs(covarianceVolts2![i][i] / variance - 1)).toBeLessThan(7 * Math.sqrt(2 / samples));
        expect(Math.abs(meanVolts[i] - expectedMeanVolts![i])).toBeLessThan(
          7 * Math.sqrt(variance / samples),
        );
      }
      expect(expectedMeanVolts![0]).toBeGreaterThan(0);
    }));

  it('may stop the board: its driver learns that the run was stopped, and keeps its session', () =>
    withHub(async (hub) => {
      const device = await drive(hub.uri());
      const run = await runForLong(device);
      expect(await ask(hub, 'POST', '/api/boards/a/stop')).toEqual({ status: 200, body: { state: 'safe' } });
      expect(await run.finished).toMatchObject({ outcome: 'stopped' });
      // The stop of the server used a number of the session. A later stop of the driver must take effect too.
      await device.acknowledge();
      const again = await runForLong(device);
      await device.stop();
      expect(await again.finished).toMatchObject({ outcome: 'stopped' });
      expect((await device.readStatus()).state).toBe('safe');
      await device.close();
    }));

  it('gets answers that fit the schemas', () =>
    withHub(async (hub) => {
      const device = await drive(hub.uri());
      const body = async (method: string, pathname: string, sent?: unknown) =>
        (await ask(hub, method, pathname, sent)).body;
      const health = await body('GET', '/healthz');
      expect(HEALTH.parse(health)).toEqual(health);
      const life = await body('GET', '/livez');
      expect(LIFE.parse(life)).toEqual(life);
      const boards = await body('GET', '/api/boards');
      expect(BOARD_LIST.parse(boards)).toEqual(boards);
      const notes = [{ training: 't', step: 1, values: {} }];
      expect(NOTES_ANSWER.parse(await body('POST', '/api/boards/a/notes', { notes }))).toEqual({ taken: 1 });
      expect(STOP_ANSWER.parse(await body('POST', '/api/boards/a/stop'))).toEqual({ state: 'safe' });
      await device.close();
    }));

  it('may stop a board that nobody drives', () =>
    withHub(async (hub) => {
      expect(await ask(hub, 'POST', '/api/boards/a/stop')).toEqual({ status: 200, body: { state: 'safe' } });
    }));

  it('switches the recording, and gets a trace of the recorded bytes', () =>
    withHub(async (hub) => {
      expect((await ask(hub, 'GET', '/api/boards/a/trace')).status).toBe(404);
      expect((await ask(hub, 'POST', '/api/boards/a/recording', { on: true })).body).toMatchObject({
        on: true,
      });
      const device = await drive(hub.uri());
      await device.ping();
      await device.close();
      const ended = await ask(hub, 'POST', '/api/boards/a/recording', { on: false });
      expect(ended.body).toMatchObject({ on: false, hasTrace: true, problem: null });
      const { bytes } = await ask(hub, 'GET', '/api/boards/a/trace');
      const file = path.join(directory, 'a.mcap');
      writeFileSync(file, bytes!);
      const trace = await openTrace(file);
      const names = [...trace.messages()].map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['hello', 'ping']));
      trace.close();
    }));

  it('finds every recording in a named directory', () => {
    const recordings = path.join(directory, 'named');
    return withHub(
      async (hub) => {
        const counts: number[] = [];
        for (const on of [true, false, true, false]) {
          await ask(hub, 'POST', '/api/boards/a/recording', { on });
          if (!on) counts.push(readdirSync(recordings).length);
        }
        expect(counts).toEqual([1, 2]);
      },
      { recordings },
    );
  });

  it("keeps only the last recording in the server's own directory", async () => {
    const own = path.join(directory, 'own');
    const recording = new BoardRecording('a', own, () => undefined);
    for (let i = 0; i < 2; i++) {
      await recording.begin('emulator:ideal-8');
      await recording.end();
    }
    expect(readdirSync(own)).toEqual([path.basename(recording.file!)]);
  });

  it('gets the curves of a host, including earlier points', () =>
    withHub(async (hub) => {
      const notes = [{ training: 't', step: 1, values: { trainLoss: 0.5 } }];
      expect((await ask(hub, 'POST', '/api/boards/a/notes', { notes })).status).toBe(409);
      const device = await drive(hub.uri());
      expect((await ask(hub, 'POST', '/api/boards/a/notes', { notes })).body).toEqual({ taken: 1 });
      const observer = await observe(hub);
      const history = await observer.until((event) => event.type === 'history');
      expect(history).toMatchObject({ notes: [{ training: 't', step: 1, owner: 'local' }] });
      await device.close();
    }));
});

it.each([
  ['a body that is no JSON', 'text', 400],
  ['a body that is too long', 'x'.repeat(100_000), 413],
  ['a recording that is neither on nor off', { on: 'yes' }, 400],
])('refuses %s', (_, body, status) =>
  withHub(async (hub) => {
    const answer = await ask(hub, 'POST', '/api/boards/a/recording', body);
    expect(answer).toMatchObject({ status, body: { code: 'BAD_ARGUMENT' } });
  }),
);

/** The moments of the run with the most samples. */
function longest(events: readonly HubEvent[]): HubEventOf<'moments'> {
  const moments = events.filter((event) => event.type === 'moments');
  return moments.reduce((most, event) => (event.samples > most.samples ? event : most));
}
