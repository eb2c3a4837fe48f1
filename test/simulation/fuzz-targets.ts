import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import {
  decodeToDevice,
  decodeToHost,
  encodeAnswer,
  encodeCommand,
  encodeEvent,
} from '../../firmware-protocol/codec.js';
import {
  CHANNEL,
  type Channel,
  encodeFrame,
  type Frame,
  FrameDecoder,
} from '../../firmware-protocol/framing.js';
import { COMMAND_QUEUE_MAX, UNSEQUENCED_QUEUE_MAX } from '../../firmware-protocol/limits.js';
import { damaged, joined } from './damage.js';
import type { Corpus, RecordedFrame } from './fuzz-corpus.js';
import type { Random } from './random.js';

/** Throws when the answer of the target is wrong. An error of the target itself is a finding as well. */
export type FuzzTarget = (random: Random) => void;

/** The number of frames that `decoderTarget` takes at once. Every second one is damaged. */
export const DECODER_FRAMES = 8;

/**
 * Takes frames in one chunk, every other one damaged. The decoded frames must be the encoded ones, and no
 * whole frame may be missing.
 */
export function decoderTarget(corpus: Corpus): FuzzTarget {
  const decoder = new FrameDecoder(65536);
  return (random) => {
    const sources: RecordedFrame[] = [];
    const parts: Uint8Array[] = [];
    for (let i = 0; i < DECODER_FRAMES / 2; i++) {
      const bad = random.pick(corpus.frames);
      let good = random.pick(corpus.frames);
      // Two equal frames could not be distinguished.
      while (sameFrame(bad.frame, good.frame)) good = random.pick(corpus.frames);
      sources.push(bad, good);
      parts.push(damaged(bad.bytes, random), DELIMITER, good.bytes);
    }
    let next = 0;
    for (const item of decoder.push(joined(...parts))) {
      if (item.kind !== 'frame') continue;
      // A damaged frame may still contain a whole frame between two delimiters.
      if (next < sources.length && sameFrame(item.frame, sources[next].frame)) continue;
      if (next >= sources.length || !sameFrame(item.frame, sources[next + 1].frame))
        throw new Error(
          'a frame was accepted that nobody had sent, or a good one after a delimiter was lost',
        );
      next += 2;
    }
    if (next !== sources.length) throw new Error('a good frame after a delimiter was lost');
  };
}

const DELIMITER = new Uint8Array(1);

function sameFrame(a: Frame, b: Frame): boolean {
  return (
    a.channel === b.channel &&
    a.session === b.session &&
    a.flags === b.flags &&
    a.seq === b.seq &&
    a.ack === b.ack &&
    sameBytes(a.payload, b.payload)
  );
}

/**
 * Takes payloads that were damaged after the check of the CRC. Each is refused, or decoded to fields that
 * encode to the same bytes.
 */
export function codecTarget(corpus: Corpus): FuzzTarget {
  return (random) => {
    const toBoard = random.chance(0.5);
    const payload = damaged(random.pick(toBoard ? corpus.payloadsToBoard : corpus.payloadsToHost), random);
    const message = toBoard ? decodeToDevice(payload) : decodeToHost(payload);
    if (message.kind === 'bad') return;
    const encode = { command: encodeCommand, answer: encodeAnswer, event: encodeEvent }[message.kind] as (
      name: string,
      requestId: number,
      fields: unknown,
    ) => Uint8Array;
    const again = encode(message.name, message.requestId, message.fields);
    // Items after the known fields belong to a later version and are not encoded again.
    const extended = itemCount(payload) !== itemCount(again);
    const same = extended
      ? sameBytes(again.subarray(3), payload.subarray(3, again.length)) || payload[0] !== again[0]
      : sameBytes(again, payload);
    if (!same) throw new Error(`two payloads mean the same ${message.name}`);
  };
}

function itemCount(payload: Uint8Array): number {
  return payload[0] === 0xdc ? payload[1] * 256 + payload[2] : payload[0] & 15;
}

/**
 * Takes messages that were damaged before they were framed. A board executes or refuses each, and never fails
 * by a bug.
 */
export function boardTarget(corpus: Corpus): FuzzTarget {
  const hellos = corpus.payloadsToBoard.filter(
    (payload) => decodeToDevice(payload).kind === 'command' && payload[1] === 0,
  );
  let device = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
  const decoder = new FrameDecoder(65536);
  let nowMs = 0;
  let session = 0;
  const seq = [0, 0, 0, 0];
  let ack = 65535;
  const tell = (channel: Channel, payload: Uint8Array): void => {
    const header = { channel, session, flags: 0, seq: seq[channel]++ & 0xffff, ack };
    device.receive(encodeFrame({ ...header, payload }), nowMs);
  };
  const renew = (random: Random): void => {
    if (random.chance(0.1)) device = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
    else device.disconnect();
    const hello = random.pick(hellos);
    const message = decodeToDevice(hello);
    session = message.kind === 'command' && message.name === 'hello' ? message.fields.nonce[0] : 0;
    seq.fill(0);
    ack = 65535;
    tell(CHANNEL.open, hello);
  };
  return (random) => {
    if (random.chance(0.01) || !device.link.sessionOpen) renew(random);
    const payload = random.pick(corpus.payloadsToBoard);
    const damage = random.chance(0.5) ? damaged(payload, random) : payload;
    tell(random.chance(0.05) ? random.pick(Object.values(CHANNEL)) : channelOf(payload), damage);
    nowMs += random.whole(0, 3);
    device.advance(8);
    for (let bytes = device.poll(nowMs); bytes; bytes = device.poll(nowMs))
      for (const item of decoder.push(bytes)) {
        if (item.kind === 'fault') throw new Error(`the board wrote a frame with a fault: ${item.fault}`);
        if (item.frame.channel === CHANNEL.command && item.frame.payload.length > 0) ack = item.frame.seq;
      }
    if (device.board.fault !== 0) throw new Error('the firmware ran into a bug of its own');
    const { unacknowledged, unsequencedQueued } = device.link;
    if (unacknowledged > 2 * COMMAND_QUEUE_MAX || unsequencedQueued > UNSEQUENCED_QUEUE_MAX)
      throw new Error(`queues of ${unacknowledged} and ${unsequencedQueued}`);
  };
}

function channelOf(payload: Uint8Array): Channel {
  const message = decodeToDevice(payload);
  return message.kind === 'bad' ? CHANNEL.command : CHANNEL[message.row.channel];
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/**
 * Takes a whole session as a host wrote it, damaged in several places and cut into chunks anywhere. The board
 * executes only commands of the host, because all other bytes fail the CRC.
 */
export function sessionTarget(
  corpus: Corpus,
  onHeard: (hear: (payload: Uint8Array) => void) => void,
): FuzzTarget {
  const profile = findProfile('ideal-256')!;
  let device = new EmulatedDevice({ profile, dieSeed: 7 });
  let sessions = 0;
  const said = corpus.sessions.map((writes) => {
    const decoder = new FrameDecoder(65536);
    const items = writes.flatMap((bytes) => decoder.push(bytes));
    return new Set(items.flatMap((item) => (item.kind === 'frame' ? [text(item.frame.payload)] : [])));
  });
  let present = new Set<string>();
  onHeard((payload) => {
    if (!present.has(text(payload)))
      throw new Error('the board received a message that the host had not sent');
  });
  return (random) => {
    if (++sessions % 64 === 0) device = new EmulatedDevice({ profile, dieSeed: 7 });
    const chosen = random.whole(0, corpus.sessions.length - 1);
    present = said[chosen];
    let bytes = joined(...corpus.sessions[chosen]);
    for (let i = random.whole(1, 6); i > 0; i--) bytes = damaged(bytes, random);
    let nowMs = 0;
    for (let start = 0; start < bytes.length; ) {
      const end = Math.min(bytes.length, start + random.whole(1, 1200));
      device.receive(bytes.subarray(start, end), nowMs);
      start = end;
      nowMs += 5;
      device.advance(4);
      while (device.poll(nowMs));
    }
    // Bytes that are half received belong to this session and not to the next.
    device.receive(DELIMITER, nowMs);
    if (device.board.fault !== 0) throw new Error('the firmware ran into a bug of its own');
    device.disconnect();
  };
}

function text(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1');
}
