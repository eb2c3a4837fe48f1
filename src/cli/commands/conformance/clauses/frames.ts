import { cobsEncode } from '../../../../../firmware-protocol/cobs.js';
import { encodeCommand } from '../../../../../firmware-protocol/codec.js';
import { CHANNEL, openFrame, sealFrame } from '../../../../../firmware-protocol/framing.js';
import { FRAME_OVERHEAD_BYTES } from '../../../../../firmware-protocol/limits.js';
import { type Bench, type Clause, equal, must } from '../clause.js';
import type { WireHost } from '../wire-host.js';

/** Time between a frame and its delimiter, ms. */
const HELD_BACK_MS = 60;
const FRAME_BYTES_BEFORE_HELLO = 256;

/**
 * Returns a ping with the next frame number, as COBS bytes, after `edit` has changed its raw bytes. With
 * `after` the CRC is computed again. The frame number is not used up.
 */
function edited(host: WireHost, edit: (raw: Uint8Array) => void, after = false): Uint8Array {
  const payload = encodeCommand('ping', 9999, { token: 9 });
  const raw = openFrame(new Uint8Array(payload.length + FRAME_OVERHEAD_BYTES), [payload]);
  const header = { channel: CHANNEL.command, session: host.nonce[0], flags: 0, seq: host.seq, ack: host.ack };
  sealFrame(raw, header);
  edit(raw);
  if (after) sealAgain(raw);
  return cobsEncode(raw).slice();
}

/** Writes a good CRC into a frame with an edited header. `sealFrame` would write the header again. */
function sealAgain(raw: Uint8Array): void {
  const end = raw.length - 4;
  let crc = 0xffffffff;
  for (let at = 0; at < end; at++) {
    crc ^= raw[at];
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  new DataView(raw.buffer, raw.byteOffset).setUint32(end, ~crc >>> 0, true);
}

const flipped = (host: WireHost) => edited(host, (raw) => (raw[raw.length - 1] ^= 0x55));

/**
 * Throws unless the board counts the given number of frames of `send` as faulty and does not execute them.
 */
async function counted(
  { host, counters }: { host: WireHost; counters: () => Promise<{ framesFaulty: number }> },
  faulty: number,
  send: () => void,
  what: string,
) {
  const before = await counters();
  send();
  host.write(host.command('ping', { token: 1 }));
  await host.answer(host.requestId, `a ping behind ${what}`);
  equal(
    (await counters()).framesFaulty - before.framesFaulty,
    faulty,
    `how many faulty frames ${what} counted as`,
  );
  const executed = host.heard.some(({ message }) => message?.requestId === 9999);
  must(!executed, `${what} was executed`);
}

const bench = (use: Bench) => ({ host: use.host, counters: () => use.counters() });

export const FRAME_CLAUSES: readonly Clause[] = [
  {
    id: 'FRAME-1',
    what: 'a frame whose CRC-32 (ISO-HDLC) is wrong is dropped',
    check: (use) =>
      counted(bench(use), 1, () => use.host.write(flipped(use.host)), 'a frame with a wrong CRC'),
  },
  {
    id: 'FRAME-2',
    what: 'frames of channel open have seq, ack and flags 0 for any session',
    async check({ host }) {
      const nonce = host.begin();
      host.write(host.openFrame(host.helloPayload(nonce), { session: 0x5a }));
      await host.helloAnswer();
      const { frame } = host.heard.find(({ name }) => name === 'hello')!;
      equal([frame.seq, frame.ack, frame.flags], [0, 0, 0], 'seq, ack and flags of the answer to HELLO');
    },
  },
  {
    id: 'FRAME-3',
    what: 'a frame of another session is counted and dropped',
    async check(use) {
      const { host } = use;
      const before = await use.counters();
      const payload = encodeCommand('ping', 9999, { token: 1 });
      host.write(host.frame(CHANNEL.command, host.seq, payload, { session: host.nonce[0] ^ 0x80 }));
      equal((await use.counters()).framesForeign - before.framesForeign, 1, 'the count of foreign frames');
      must(!host.heard.some(({ message }) => message?.requestId === 9999), 'a foreign frame was executed');
    },
  },
  {
    id: 'FRAME-4',
    what: 'a command after HELLO in the same chunk belongs to the session that HELLO opens',
    async check({ host }) {
      const hello = host.helloFrame(host.begin());
      host.write(hello, host.command('ping', { token: 7 }));
      const { fields } = await host.answer<'ping'>(1, 'a ping behind HELLO');
      equal(fields?.token, 7, 'the token');
    },
  },
  {
    id: 'FRAME-5',
    what: 'a stop is executed whatever number its frame has',
    async check({ host }) {
      for (const [stopNumber, seq] of [
        [1, 40_000],
        [2, 3],
        [3, 3],
      ]) {
        host.write(host.stop(stopNumber, 0, { seq }));
        const { message } = await host.next(({ name }) => name === 'stop', `an answer to stop ${stopNumber}`);
        must(message?.kind === 'answer' && message.name === 'stop', 'a stop was not answered');
        equal(message.fields.stopNumber, stopNumber, 'the number of the stop that was answered');
      }
    },
  },
  {
    id: 'FRAME-6',
    what: 'the answer to HELLO and its refusal have at most 256 bytes',
    async check({ host }) {
      host.write(host.helloFrame(host.nonce), host.helloFrame(new Uint8Array(8).fill(9), { major: 99 }));
      await host.next(({ name }) => name === 'helloRefused', 'a refusal of HELLO');
      for (const { name, payload } of host.heard)
        if (name === 'hello' || name === 'helloRefused')
          must(
            payload.length + FRAME_OVERHEAD_BYTES <= FRAME_BYTES_BEFORE_HELLO,
            `${name} has ${payload.length + FRAME_OVERHEAD_BYTES} bytes`,
          );
    },
  },
  {
    id: 'FRAME-7',
    what: 'a frame is taken when its delimiter comes, and the board ends each of its frames with a delimiter',
    async check({ host }) {
      const frame = host.command('ping', { token: 3 });
      host.write(frame.subarray(0, -1));
      await host.wait(HELD_BACK_MS);
      must(!host.heard.some(({ name }) => name === 'ping'), 'a ping was answered before its delimiter');
      host.write(Uint8Array.of(0));
      await host.answer(host.requestId, 'a ping whose delimiter came late');
      equal(host.lastByte, 0, 'the last byte behind an answer');
    },
  },
  {
    id: 'FRAME-8',
    what: 'an extra delimiter goes before frames of open and stop, and before repeated command frames',
    async check({ host }) {
      const before = (name: string): void => {
        const found = host.heard.findLast((heard) => heard.name === name);
        must(found !== undefined && found.delimiters > 0, `no delimiter goes before ${name}`);
      };
      before('hello');
      host.write(host.stop(1, 0));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      before('stop');
      host.acknowledges = false;
      host.write(host.command('ping', { token: 1 }));
      for (let i = 0; i < 2; i++)
        await host.next(({ name }) => name === 'ping', 'an answer that is sent again');
      before('ping');
    },
  },
  {
    id: 'FRAME-9',
    what: 'empty frames between delimiters are ignored',
    check: (use) => counted(bench(use), 0, () => use.host.write(new Uint8Array(5)), 'delimiters alone'),
  },
  {
    id: 'FRAME-10',
    what: 'bytes beyond the longest frame are dropped up to the next delimiter, and counted once',
    check(use) {
      const send = (): void => {
        for (let sent = 0; sent < use.board.frameBytes + 3000; sent += 1000)
          use.host.write(new Uint8Array(1000).fill(7));
        use.host.write(Uint8Array.of(0));
      };
      return counted(bench(use), 1, send, 'a frame without end');
    },
  },
  {
    id: 'FRAME-11',
    what: 'a good frame after a delimiter is taken, even after damaged bytes',
    async check(use) {
      const { host } = use;
      for (const rubbish of [[1, 2, 3], [0xff, 0xff], Array.from({ length: 300 }, (_, i) => (i % 255) + 1)]) {
        host.write(Uint8Array.from(rubbish), Uint8Array.of(0), host.command('ping', { token: 4 }));
        await host.answer(host.requestId, 'a ping behind rubbish');
        // On a slow line an answer is sent again before it is acknowledged.
        const answered = host.heard.filter(({ name, repeated }) => name === 'ping' && !repeated).length;
        equal(answered, host.requestId, 'how many pings were answered');
      }
    },
  },
  {
    id: 'FRAME-12',
    what: 'broken COBS, short frames, wrong CRCs, and unknown versions, channels and flags each count as one fault',
    check(use) {
      const { host } = use;
      const header = (at: number, value: number) => edited(host, (raw) => (raw[at] = value), true);
      const send = (): void => {
        host.write(Uint8Array.of(9, 1, 1, 0), cobsEncode(new Uint8Array(11).fill(3)).slice(), flipped(host));
        host.write(header(0, 2), header(1, 4), header(3, 2));
      };
      return counted(bench(use), 6, send, 'six kinds of rubbish');
    },
  },
];
