import { describe, expect, test } from 'vitest';
import { CHANNEL, FLAG_NAK } from '../../firmware-protocol/framing.js';
import {
  COMMAND_QUEUE_MAX,
  FRAME_BYTES_BEFORE_HELLO,
  UNSEQUENCED_QUEUE_MAX,
} from '../../firmware-protocol/limits.js';
import { Link } from '../../firmware-protocol/link/link.js';
import { joined } from '../support/frames.js';
import { delivered, openLink, peerFrame, received, said, sendTexts, seqs } from '../support/link-frames.js';

const bytes = (length: number) => new Uint8Array(length).fill(1);
const many = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);

describe('window', () => {
  test('frames on their way are within the window and the byte limit; one frame is always allowed', () => {
    const byFrames = openLink({ window: 3 });
    sendTexts(byFrames, ...many(5));
    expect(seqs(said(byFrames))).toEqual([0, 1, 2]);

    const byBytes = openLink({ window: 100, inFlightBytes: 250 });
    for (let i = 0; i < 4; i++) byBytes.send(bytes(88));
    expect(seqs(said(byBytes))).toEqual([0, 1]);

    const small = openLink({ inFlightBytes: 10 });
    small.send(bytes(88));
    small.send(bytes(88));
    expect(seqs(said(small))).toEqual([0]);
  });

  test('an acknowledgement covers all frames up to its number, and as many new frames may follow', () => {
    const link = openLink({ window: 3 });
    sendTexts(link, ...many(6));
    said(link);
    received(link, peerFrame({ ack: 1 }), 1);
    expect(link.unacknowledged).toBe(4);
    expect(seqs(said(link, 1))).toEqual([3, 4]);
    received(link, peerFrame({ ack: 4 }), 2);
    expect(seqs(said(link, 2))).toEqual([5]);
  });

  test('before HELLO: one frame of 256 bytes, and nothing at all outside a session', () => {
    const link = new Link(65536, { answersEverything: false });
    expect(link.payloadBytesMax).toBe(FRAME_BYTES_BEFORE_HELLO - 12);
    sendTexts(link, 'a');
    expect(said(link)).toEqual([]);
    link.sendUnsequenced(CHANNEL.open, bytes(5));
    expect(said(link)).toMatchObject([{ channel: CHANNEL.open, seq: 0, ack: 0, flags: 0 }]);
  });
});

describe('acknowledgements that must be ignored', () => {
  test.each([
    ['of a frame never made', 6],
    ['of a frame far ahead', 30000],
    ['of a frame that waits for the window', 3],
  ])('%s', (_, ack) => {
    const link = openLink({ window: 3 });
    sendTexts(link, ...many(4));
    said(link);
    received(link, peerFrame({ ack }), 1);
    expect(link.unacknowledged).toBe(4);
    expect(link.counters.acksInvalid).toBe(1);
    expect(link.roundTripMs).toBeUndefined();
  });

  test('of a frame that has room in the window but was not written yet', () => {
    const link = openLink({ window: 3 });
    sendTexts(link, ...many(3));
    link.poll(0);
    received(link, peerFrame({ ack: 1 }), 1);
    expect([link.unacknowledged, link.counters.acksInvalid]).toEqual([3, 1]);
    received(link, peerFrame({ ack: 0 }), 1);
    expect([link.unacknowledged, link.counters.acksInvalid]).toEqual([2, 1]);
  });

  test('an old acknowledgement changes nothing and is no fault', () => {
    const link = openLink();
    sendTexts(link, ...many(3));
    said(link);
    received(link, peerFrame({ ack: 1 }), 1);
    received(link, joined([peerFrame({ ack: 0 }), peerFrame({ ack: 65535 }), peerFrame({ ack: 1 })]), 2);
    expect([link.unacknowledged, link.counters.acksInvalid]).toEqual([1, 0]);
    expect(said(link, 2)).toEqual([]);
  });

  test('a nak that acknowledges frames that were never sent asks for nothing', () => {
    const link = openLink();
    sendTexts(link, 'a');
    said(link);
    received(link, peerFrame({ ack: 9, flags: FLAG_NAK }), 1);
    expect(said(link, 1)).toEqual([]);
    expect(link.counters.naksReceived).toBe(0);
  });
});

describe('gaps', () => {
  test('each gap gets one nak, at once; the frames after the gap are dropped', () => {
    const link = openLink();
    expect(delivered(link, peerFrame({ seq: 0, text: 'a' }))).toEqual(['a']);
    expect(said(link)).toMatchObject([{ ack: 0, flags: 0 }]);
    expect(delivered(link, peerFrame({ seq: 2, text: 'c' }))).toEqual([]);
    expect(said(link)).toMatchObject([{ ack: 0, flags: FLAG_NAK }]);
    expect(delivered(link, peerFrame({ seq: 3, text: 'd' }))).toEqual([]);
    expect(said(link)).toEqual([]);
    expect(link.counters).toMatchObject({ framesOutOfOrder: 2, naksSent: 1 });
    // The next gap gets a nak of its own.
    expect(delivered(link, peerFrame({ seq: 1, text: 'b' }))).toEqual(['b']);
    delivered(link, peerFrame({ seq: 4, text: 'e' }));
    expect(said(link)).toMatchObject([{ ack: 1, flags: FLAG_NAK }]);
  });

  test('after a nak all frames after the acknowledged one are sent again, without waiting', () => {
    const link = openLink();
    sendTexts(link, ...many(4));
    said(link);
    received(link, peerFrame({ ack: 1, flags: FLAG_NAK }), 1);
    expect(seqs(said(link, 1))).toEqual([2, 3]);
    expect(link.counters).toMatchObject({ naksReceived: 1, retransmissions: 2 });
  });

  test('a frame received again is acknowledged again and not delivered', () => {
    const link = openLink();
    delivered(link, joined([peerFrame({ seq: 0, text: 'a' }), peerFrame({ seq: 1, text: 'b' })]));
    said(link);
    expect(delivered(link, peerFrame({ seq: 0, text: 'a' }))).toEqual([]);
    expect(said(link)).toMatchObject([{ ack: 1, flags: 0, payload: new Uint8Array(0) }]);
    expect(link.counters.framesDuplicate).toBe(1);
  });

  test('an empty frame delivers nothing, takes no number and is not answered', () => {
    const link = openLink();
    for (const channel of Object.values(CHANNEL)) expect(delivered(link, peerFrame({ channel }))).toEqual([]);
    expect(said(link)).toEqual([]);
    expect(delivered(link, peerFrame({ seq: 0, text: 'a' }))).toEqual(['a']);
  });
});

describe('order of sending', () => {
  test('a stop goes before a full queue, full samples and HELLO; a newer stop replaces a waiting one', () => {
    const link = openLink({ window: 64 });
    while (link.canSend) sendTexts(link, 'command');
    while (link.canSendUnsequenced) link.sendUnsequenced(CHANNEL.sample, bytes(9));
    for (let i = 0; i < 100; i++) link.sendUnsequenced(CHANNEL.open, bytes(1));
    for (let i = 0; i < 100; i++) link.sendUnsequenced(CHANNEL.stop, Uint8Array.of(i));
    const [first, second, ...others] = said(link);
    expect(first).toMatchObject({ channel: CHANNEL.stop, seq: 0, payload: Uint8Array.of(99) });
    expect(second).toMatchObject({ channel: CHANNEL.open });
    expect(others.map(({ channel }) => channel)).toEqual([
      ...new Array(COMMAND_QUEUE_MAX).fill(CHANNEL.command),
      ...new Array(UNSEQUENCED_QUEUE_MAX).fill(CHANNEL.sample),
    ]);
    link.sendUnsequenced(CHANNEL.stop, bytes(1));
    expect(said(link)).toMatchObject([{ channel: CHANNEL.stop, seq: 1 }]);
  });

  test('a stop passes while the window is full and nothing is acknowledged, also of a failed link', () => {
    const link = openLink({ window: 1 });
    sendTexts(link, 'a', 'b');
    said(link);
    link.sendUnsequenced(CHANNEL.stop, bytes(3));
    expect(said(link)).toMatchObject([{ channel: CHANNEL.stop }]);
    for (let nowMs = 0; !link.failed; nowMs += 3000) said(link, nowMs);
    link.sendUnsequenced(CHANNEL.stop, bytes(4));
    expect(said(link, 1e6)).toMatchObject([{ channel: CHANNEL.stop }]);
  });

  test('an acknowledgement goes with the next frame, and alone if no frame waits', () => {
    const link = openLink();
    delivered(link, peerFrame({ seq: 0, text: 'a' }));
    sendTexts(link, 'answer');
    expect(said(link)).toMatchObject([{ ack: 0, seq: 0 }]);
    delivered(link, peerFrame({ seq: 1, text: 'b' }));
    link.sendUnsequenced(CHANNEL.sample, bytes(2));
    expect(said(link)).toMatchObject([{ ack: 1, channel: CHANNEL.sample }]);
    delivered(link, peerFrame({ seq: 2, text: 'c' }));
    expect(said(link)).toMatchObject([{ ack: 2, seq: 1, payload: new Uint8Array(0) }]);
  });

  test('a keep-alive is one empty frame', () => {
    const link = openLink();
    link.keepAlive();
    expect(said(link)).toMatchObject([{ channel: CHANNEL.command, ack: 65535, payload: new Uint8Array(0) }]);
  });
});

describe('queue bounds', () => {
  test('the command queue takes its maximum and refuses one more', () => {
    const link = openLink();
    for (let i = 0; i < COMMAND_QUEUE_MAX; i++) {
      expect(link.canSend).toBe(true);
      sendTexts(link, 'x');
    }
    expect(link.canSend).toBe(false);
    expect(() => sendTexts(link, 'x')).toThrow('bug: command queue overrun');
    expect(link.unacknowledged).toBe(COMMAND_QUEUE_MAX);
  });

  test('the sample queue takes its maximum and refuses one more', () => {
    const link = openLink();
    while (link.canSendUnsequenced) link.sendUnsequenced(CHANNEL.sample, bytes(1));
    expect(link.unsequencedQueued).toBe(UNSEQUENCED_QUEUE_MAX);
    expect(() => link.sendUnsequenced(CHANNEL.sample, bytes(1))).toThrow('bug: sample queue overrun');
  });

  test('a payload that no frame can carry is a bug of the caller', () => {
    const link = openLink();
    link.send(bytes(link.payloadBytesMax));
    expect(() => link.send(bytes(link.payloadBytesMax + 1))).toThrow('bug: payload of 245 bytes');
  });

  test('a device takes no more commands from one chunk than it can answer, and the host sends the others again', () => {
    const device = openLink({ window: 1024 }, true);
    const flood = joined(many(100).map((text, seq) => peerFrame({ seq, text })));
    const taken: string[] = [];
    device.receive(flood, 0, (event) => {
      if (event.kind !== 'message') return;
      taken.push(new TextDecoder().decode(event.payload));
      device.send(event.payload);
    });
    expect(taken).toEqual(many(COMMAND_QUEUE_MAX));
    expect(device.counters.framesWithoutRoom).toBe(1);
    expect(device.counters.framesOutOfOrder).toBe(100 - COMMAND_QUEUE_MAX - 1);
    expect(device.canSend).toBe(false);
    expect(delivered(device, peerFrame({ seq: COMMAND_QUEUE_MAX, text: 'x' }))).toEqual([]);
    // There is room again after the answers were sent.
    expect(said(device).at(-1)).toMatchObject({ ack: COMMAND_QUEUE_MAX - 1 });
    expect(delivered(device, peerFrame({ seq: COMMAND_QUEUE_MAX, text: 'x' }))).toEqual(['x']);
  });
});
