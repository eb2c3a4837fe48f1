import { describe, expect, test } from 'vitest';
import { CHANNEL, FLAG_NAK } from '../../firmware-protocol/framing.js';
import { Link } from '../../firmware-protocol/link/link.js';
import { joined } from '../support/frames.js';
import {
  delivered,
  LIMITS,
  NONCE,
  openLink,
  peerFrame,
  received,
  said,
  sendTexts,
} from '../support/link-frames.js';

const bytes = (length: number) => new Uint8Array(length).fill(1);
const many = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);

describe('sessions', () => {
  test('frames of another session are counted and change nothing; HELLO passes', () => {
    const link = openLink();
    sendTexts(link, 'a');
    said(link);
    const foreign = { session: NONCE[0] ^ 1, ack: 0, text: 'foreign' };
    for (const channel of [CHANNEL.command, CHANNEL.sample, CHANNEL.stop])
      expect(delivered(link, peerFrame({ ...foreign, channel }))).toEqual([]);
    delivered(link, peerFrame({ session: foreign.session, flags: FLAG_NAK }));
    expect(link.counters).toMatchObject({ framesForeign: 4, framesReceived: 0, sampleFramesLost: 0 });
    expect(link.unacknowledged).toBe(1);
    expect(said(link)).toEqual([]);
    expect(delivered(link, peerFrame({ ...foreign, channel: CHANNEL.open }))).toEqual(['foreign']);
    expect(link.unacknowledged).toBe(1);
  });

  test('outside a session every frame except HELLO counts as foreign', () => {
    const link = new Link(256, { answersEverything: true });
    const frames = Object.values(CHANNEL).map((channel) =>
      peerFrame({ channel, session: 0, text: `${channel}` }),
    );
    expect(delivered(link, joined(frames))).toEqual(['0']);
    expect(link.counters.framesForeign).toBe(3);
  });

  test('a new session forgets queue, numbers and round trip of the previous one', () => {
    const link = openLink({ window: 2 });
    sendTexts(link, ...many(5));
    while (link.canSendUnsequenced) link.sendUnsequenced(CHANNEL.sample, bytes(1));
    link.sendUnsequenced(CHANNEL.stop, bytes(1));
    said(link, 0);
    received(
      link,
      joined([peerFrame({ ack: 0, text: 'x' }), peerFrame({ channel: CHANNEL.sample, text: 'y' })]),
      9,
    );
    expect(link.roundTripMs).toBe(9);
    link.openSession(Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0), LIMITS);
    expect([link.unacknowledged, link.unsequencedQueued, link.roundTripMs]).toEqual([0, 0, undefined]);
    expect(said(link, 10)).toEqual([]);
    sendTexts(link, 'new');
    link.sendUnsequenced(CHANNEL.sample, bytes(1));
    link.sendUnsequenced(CHANNEL.stop, bytes(1));
    expect(said(link, 10)).toMatchObject(new Array(3).fill({ session: 7, seq: 0, ack: 65535 }));
    const first = { session: 7, seq: 0, text: 'first' };
    expect(delivered(link, peerFrame(first), 11)).toEqual(['first']);
    // Sample 0 of this session is lost. Sample 0 of the earlier session must not be taken for it.
    expect(delivered(link, peerFrame({ ...first, channel: CHANNEL.sample, seq: 1 }), 11)).toEqual(['first']);
    expect(link.counters.sampleFramesLost).toBe(1);
  });
});

test('a link that gave up works again in a new session', () => {
  const link = openLink();
  sendTexts(link, 'a');
  for (let nowMs = 0; !link.failed; nowMs += 3000) said(link, nowMs);
  link.openSession(NONCE, LIMITS);
  expect(link.failed).toBe(false);
  sendTexts(link, 'b');
  expect(said(link, 1e6)).toMatchObject([{ seq: 0 }]);
});

test('a number up to 32,768 before the expected one is old, and any other number shows a gap', () => {
  const link = openLink();
  for (let seq = 0; seq < 1100; seq++) received(link, peerFrame({ seq, text: 'x' }), 0);
  const behind = (count: number) => received(link, peerFrame({ seq: (1100 - count) & 0xffff, text: 'x' }), 0);
  behind(1);
  behind(1024);
  behind(0x8000);
  expect(link.counters).toMatchObject({ framesDuplicate: 3, framesOutOfOrder: 0 });
  behind(0x8001);
  expect(link.counters).toMatchObject({ framesDuplicate: 3, framesOutOfOrder: 1 });
});

test('a sample frame that arrives after a later one is still delivered, and the gap stays counted', () => {
  const link = openLink();
  const sample = (seq: number) =>
    delivered(link, peerFrame({ channel: CHANNEL.sample, seq, text: `s${seq}` }));
  expect([sample(0), sample(3), sample(2), sample(4)]).toEqual([['s0'], ['s3'], ['s2'], ['s4']]);
  expect(link.counters.sampleFramesLost).toBe(2);
});

test('random bytes are counted faults with their first bytes, in the order of arrival', () => {
  const link = openLink();
  const rubbish = new TextEncoder().encode('boot\0');
  const events = received(link, joined([rubbish, peerFrame({ text: 'a' })]), 0);
  expect(events).toMatchObject([
    { kind: 'fault', fault: 'cobs', bytes: 4, head: rubbish.slice(0, 4) },
    { kind: 'message', channel: CHANNEL.command },
  ]);
  expect(link.counters).toMatchObject({ bytesReceived: rubbish.length + peerFrame({ text: 'a' }).length });
  expect(link.counters.faults).toEqual({ cobs: 1, crc: 0, short: 0, oversize: 0, header: 0 });
});

test('the last sixteen frames both ways are kept for an error, oldest first', () => {
  const link = openLink();
  for (let seq = 0; seq < 20; seq++) delivered(link, peerFrame({ seq, text: 'abc' }), seq);
  said(link, 20);
  const { notes } = link.frames;
  expect(notes.map(({ seq }) => seq)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0]);
  expect(notes[0]).toMatchObject({
    direction: 'received',
    atMs: 5,
    channel: CHANNEL.command,
    payloadBytes: 3,
  });
  expect(notes[15]).toMatchObject({ direction: 'sent', atMs: 20, ack: 19, payloadBytes: 0 });
});
