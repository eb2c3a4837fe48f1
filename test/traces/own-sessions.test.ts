import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTcpPort, parseHostPort } from '../../src/transport/tcp-port.js';
import { make, missingTools, SANITIZED } from '../reference-firmware/build.js';
import { DeviceProcess } from '../reference-firmware/device-process.js';
import { ROOT } from '../repository/files.js';
import { contentOf, differenceOf, messagesOf } from './compare-sessions.js';
import { OWN_SESSIONS, type OwnSession, recordOn, recordOwn, recordPulledCable } from './own-sessions.js';

const RECORDED = path.join(ROOT, 'test/traces/recorded');
const recorded = (name: string): string => path.join(RECORDED, `${name}.mcap`);
const BYTES_MAX = 900_000;

let directory: string;
const file = (name: string): string => path.join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'thermolink-own-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

const stopsOf = (messages: Awaited<ReturnType<typeof messagesOf>>): number =>
  messages.filter(({ name }) => name === 'stop').length;

const HINT =
  'A device or the host does something else than when this was recorded. If that is wanted, say why in the commit, and record anew: npm run traces:record';

describe('the recorded sessions', () => {
  it('are the sessions of the script, and small', () => {
    const files = readdirSync(RECORDED);
    const names = [...OWN_SESSIONS.map(({ name }) => name), 'pulled-cable'].map((name) => `${name}.mcap`);
    expect(files.sort()).toEqual(names.sort());
    const bytes = files.reduce((sum, name) => sum + statSync(path.join(RECORDED, name)).size, 0);
    expect(bytes).toBeLessThan(BYTES_MAX);
  });

  async function compare(session: OwnSession): Promise<void> {
    const today = file(`${session.name}.mcap`);
    await recordOwn(session, today);
    const difference = differenceOf(await messagesOf(recorded(session.name)), await messagesOf(today));
    expect(difference, HINT).toBe(undefined);
  }

  const isLong = ({ name }: OwnSession): boolean => ['calibration', 'prototype-crossbar'].includes(name);

  it.each(OWN_SESSIONS.filter((session) => !isLong(session)))(
    '$name: the present emulator does the same, bit for bit',
    compare,
  );

  it.each(OWN_SESSIONS.filter(isLong))('$name: the same', { tags: 'long' }, compare);

  it('pulled-cable: the present emulator gives the same samples', async () => {
    await recordPulledCable(file('pulled-cable.mcap'));
    const today = await messagesOf(file('pulled-cable.mcap'));
    const samples = (messages: typeof today) =>
      contentOf(messages).filter((line) => line.includes('sample '));
    expect(samples(today), HINT).toEqual(samples(await messagesOf(recorded('pulled-cable'))));
  });

  it.each(['stop', 'ideal-factored'])('%s: a board that answers late has the same content', async (name) => {
    const session = OWN_SESSIONS.find((each) => each.name === name)!;
    // A stop is repeated after 50 ms.
    await recordOwn(session, file(`late-${name}.mcap`), 120);
    const late = await messagesOf(file(`late-${name}.mcap`));
    const before = await messagesOf(recorded(name));
    if (name === 'stop') expect(stopsOf(late)).toBeGreaterThan(stopsOf(before));
    expect(contentOf(late)).toEqual(contentOf(before));
  });

  it('a difference of 1 in one code is found', async () => {
    const messages = await messagesOf(recorded('ideal-dense'));
    const changed = messages.map((message) => ({ ...message }));
    const last = changed.findLastIndex(({ samples }) => samples);
    const samples = changed[last].samples!;
    const codes = samples.codes.slice();
    codes[codes.length - 1] ^= 1;
    changed[last] = { ...changed[last], samples: { ...samples, codes } };
    expect(differenceOf(messages, changed)).toMatch(/sampleBlock event, code \d+: was/);
  });
});

const missing = missingTools();

/** A session in each mode of programs, and a stop. */
const QUICK_ON_C = new Set(['ideal-dense', 'ideal-factored', 'stop']);

describe.skipIf(missing !== undefined)(`the C device${missing ? ` (${missing})` : ''}`, () => {
  let program: string;

  beforeAll(() => {
    program = make('thermolink-device', ...SANITIZED);
  });

  const onC = OWN_SESSIONS.filter((session) => session.onC);
  const isQuick = ({ name }: (typeof OWN_SESSIONS)[number]): boolean => QUICK_ON_C.has(name);
  it.each(onC.filter(isQuick))('$name: does the same, bit for bit', expectSame);
  it.each(onC.filter((one) => !isQuick(one)))(
    '$name: does the same, bit for bit',
    { tags: 'long' },
    expectSame,
  );

  async function expectSame(session: (typeof OWN_SESSIONS)[number]): Promise<void> {
    const board = await DeviceProcess.start(program, '--profile', session.profile);
    const port = await openTcpPort(parseHostPort(board.uri.replace('tcp://', ''))!);
    await recordOn(port, session, file(`c-${session.name}.mcap`));
    board.kill();
    const [before, now] = [
      await messagesOf(recorded(session.name)),
      await messagesOf(file(`c-${session.name}.mcap`)),
    ];
    expect(contentOf(now), HINT).toEqual(contentOf(before));
  }
});
