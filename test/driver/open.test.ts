import { describe, expect, it } from 'vitest';
import { encodeEvent } from '../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame } from '../../firmware-protocol/framing.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import type { Port } from '../../firmware-protocol/port.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../firmware-protocol/version.js';
import { Device } from '../../src/driver/device.js';
import type { ThermolinkError } from '../../src/errors.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { NONCE, openTestBoard } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** Tries to open a device on a peer that is not an emulator. Returns the error of the attempt. */
async function openOn(peer: (port: Port) => void): Promise<{ error: ThermolinkError; tookMs: number }> {
  const clock = new VirtualClock();
  const [host, far] = memoryPortPair('test:peer');
  peer(far);
  const error = await clock.run(
    Device.open(host, { clock, nonce: NONCE }).then(
      () => Promise.reject(new Error('it opened')),
      (caught: ThermolinkError) => caught,
    ),
  );
  expect(host.closed).toBe(true);
  return { error, tookMs: clock.nowMs() };
}

function refuseWith(refusal: Omit<Event<'helloRefused'>, 'nonce'>): (port: Port) => void {
  return (port) =>
    port.onData((bytes) => {
      if (bytes.length === 1) return;
      const payload = encodeEvent('helloRefused', 0, { nonce: NONCE, ...refusal });
      void port.write(encodeFrame({ channel: CHANNEL.open, session: 0, flags: 0, seq: 0, ack: 0, payload }));
    });
}

describe('a peer that can’t be used is named within 6 s', () => {
  it('silence', async () => {
    const { error, tookMs } = await openOn(() => undefined);
    expect(error.code).toBe('NO_ANSWER');
    expect(tookMs).toBeLessThanOrEqual(6000);
  });

  it('text', async () => {
    const { error } = await openOn((port) =>
      port.onData(() => void port.write(new TextEncoder().encode('login: \0'))),
    );
    expect(error.code).toBe('NOT_A_BOARD');
    expect(error.message).toContain('login: ');
  });

  it('text that never ends', async () => {
    const { error } = await openOn((port) =>
      port.onData(() => void port.write(new Uint8Array(100).fill(65))),
    );
    expect(error.code).toBe('NOT_A_BOARD');
    expect(error.message).toContain('AAA');
  });

  it('an echo of our own bytes', async () => {
    const { error } = await openOn((port) => port.onData((bytes) => void port.write(bytes)));
    expect(error.code).toBe('NOT_A_BOARD');
    expect(error.message).toContain('echo');
  });

  it('another major version, naming both', async () => {
    const { error } = await openOn(
      refuseWith({ reason: REFUSAL.version, major: 7, minor: 2, tableHash: new Uint8Array(8).fill(9) }),
    );
    expect(error.code).toBe('VERSION_MISMATCH');
    expect(error.message).toMatch(new RegExp(`${PROTOCOL_MAJOR}\\.${PROTOCOL_MINOR} .*7\\.2`));
  });

  it('a board that serves another client', async () => {
    const { error } = await openOn(
      refuseWith({ reason: REFUSAL.busy, major: 1, minor: 0, tableHash: new Uint8Array(8) }),
    );
    expect(error.code).toBe('BUSY');
  });

  it('a port that closes', async () => {
    const { error } = await openOn((port) => port.onData(() => void port.close()));
    expect(error.code).toBe('LINK_LOST');
  });
});

describe('opening', () => {
  it('survives lost HELLOs and lost answers', async () => {
    let hellos = 0;
    let answers = 0;
    const { device, clock } = await openTestBoard('ideal-8', {
      toDevice: (frame, bytes) => (frame?.channel === CHANNEL.open && ++hellos < 3 ? [] : [bytes]),
      toHost: (frame, bytes) => (frame?.channel === CHANNEL.open && ++answers < 3 ? [] : [bytes]),
    });
    expect(device.identity.cells).toBe(8);
    expect((await clock.run(device.readStatus())).state).toBe('idle');
  });
});
