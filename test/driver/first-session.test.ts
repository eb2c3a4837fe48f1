import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { Device } from '../../src/driver/device.js';
import { openFirstSession } from '../../src/driver/first-session.js';
import type { DeviceEvent } from '../../src/driver/reconnect.js';
import { ThermolinkError } from '../../src/errors.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { VirtualClock } from '../support/virtual-clock.js';

type Line = 'lost' | 'away' | 'good' | 'text';

/** Connects over lines in their order. The last line is tried again and again. */
async function connected(lines: readonly Line[], giveUpMs?: number) {
  const clock = new VirtualClock();
  const events: DeviceEvent['kind'][] = [];
  let at = 0;
  const open = async (): Promise<Device> => {
    const line = lines[Math.min(at++, lines.length - 1)];
    if (line === 'away') throw new ThermolinkError('PORT_NOT_FOUND', 'The port is away.');
    const [host, far] = memoryPortPair('test:line');
    if (line === 'lost') far.onData(() => void far.close());
    else if (line === 'text') far.onData(() => void far.write(new TextEncoder().encode('login: \0')));
    else
      new ServedDevice(new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 }), far, { clock });
    return Device.open(host, { clock });
  };
  const work = openFirstSession(open, open, {
    clock,
    signal: undefined,
    reconnect: { giveUpMs, openPort: () => Promise.reject(new Error('unused')) },
    tell: ({ kind }) => events.push(kind),
  });
  const outcome = await clock.run(
    work.then(
      (device) => device.identity.model,
      (error: ThermolinkError) => error.code,
    ),
  );
  return { outcome, events, tries: at, tookMs: clock.nowMs() };
}

describe('a port that is lost before the first session is open', () => {
  it('is opened again until the board answers, with growing pauses', async () => {
    const { outcome, events, tookMs } = await connected(['lost', 'lost', 'away', 'good']);
    expect(outcome).toBe('ideal-8');
    expect(events).toEqual(['disconnected', ...Array(3).fill('reconnecting'), 'reconnected']);
    expect(tookMs).toBeGreaterThanOrEqual(100 + 200 + 400);
    expect(tookMs).toBeLessThan(1000);
  });

  it('is given up after 30 s', async () => {
    const { outcome, tries, tookMs } = await connected(['lost']);
    expect(outcome).toBe('LINK_LOST');
    expect(tries).toBeGreaterThan(15);
    expect(tookMs).toBeGreaterThanOrEqual(30_000);
    expect(tookMs).toBeLessThan(33_000);
  });

  it('is not opened again if it is missing at the first attempt, or if the peer is not a board', async () => {
    expect(await connected(['away', 'good'])).toMatchObject({
      outcome: 'PORT_NOT_FOUND',
      tries: 1,
      events: [],
    });
    expect(await connected(['text', 'good'])).toMatchObject({ outcome: 'NOT_A_BOARD', tries: 1 });
    expect(await connected(['lost', 'text'])).toMatchObject({ outcome: 'NOT_A_BOARD', tries: 2 });
  });
});
