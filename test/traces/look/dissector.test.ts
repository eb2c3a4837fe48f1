import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeToDevice, decodeToHost } from '../../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame, type Frame } from '../../../firmware-protocol/framing.js';
import type { ChannelName } from '../../../firmware-protocol/message-table.js';
import { LinkDecoder } from '../../../src/traces/link-decoder.js';
import { pcapngPieces } from '../../../src/traces/look/pcapng.js';
import { type WireFrame, wireFrames } from '../../../src/traces/look/wire-frames.js';
import type { LinkChunk, TraceMessage } from '../../../src/traces/trace-message.js';
import { joined } from '../../support/frames.js';
import { once } from '../../support/once.js';
import { hasTshark, tcpCapture, tshark, tsharkFields } from '../../support/tshark.js';
import { Ear, plainSession, simulatedSessions } from './recorded-chunks.js';

if (!hasTshark && process.env['CI']) throw new Error('CI has no tshark');

function capture(chunks: readonly LinkChunk[]): Uint8Array {
  return joined([...pcapngPieces(wireFrames(chunks), { application: 'a test' })]);
}

/** Messages as their receivers got them, and the other counts. */
function decoded(chunks: readonly LinkChunk[]) {
  const decoder = new LinkDecoder();
  const messages: TraceMessage[] = [];
  for (const chunk of chunks) decoder.push(chunk, (message) => messages.push(message));
  return { messages, findings: decoder.findings };
}

const CHANNEL_NAMES = Object.keys(CHANNEL) as ChannelName[];

/** The error of a frame or its message, in the words of the codec; undefined without an error. */
function verdict({ item, direction }: WireFrame): { fault?: string; rejected?: string } {
  if (item.kind === 'unfinished') return {};
  if (item.kind === 'fault') return { fault: item.fault };
  const { channel, payload } = item.frame;
  if (payload.length === 0) return {};
  const message = (direction === 'toDevice' ? decodeToDevice : decodeToHost)(payload);
  if (message.kind === 'bad') return { rejected: message.reason };
  if (CHANNEL[message.row.channel] === channel) return {};
  return { rejected: `${message.name} on channel ${CHANNEL_NAMES[channel]}` };
}

/** tshark's verdicts on the frames of a capture, one by one. Fails on an error of the script. */
function tsharkVerdicts(bytes: Uint8Array): { fault?: string; rejected?: string }[] {
  const fields = ['thermolink.fault', 'thermolink.rejected', '_ws.lua.error', '_ws.malformed'] as const;
  return tsharkFields(bytes, fields).map((row) => {
    expect(row['_ws.lua.error']).toEqual([]);
    const [fault, rejected] = [row['thermolink.fault'], row['thermolink.rejected']].map((words) =>
      words.join(' '),
    );
    // A frame with a fault is marked as malformed, for all tools that read this mark.
    expect(row['_ws.malformed'].length > 0).toBe(fault !== '' || rejected !== '');
    return { ...(fault === '' ? {} : { fault }), ...(rejected === '' ? {} : { rejected }) };
  });
}

/** A damaged frame: its bytes changed on the line, or its payload changed before the CRC was computed. */
const damage = fc.record({
  pick: fc.nat(),
  inPayload: fc.boolean(),
  edits: fc.array(
    fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('set', 'flip', 'cut', 'insert', 'drop'),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0x90, 0x9f, 0xc4, 0xc6, 0xcf, 0xd9, 0xda, 0xdc, 0xff)),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function edited(bytes: Uint8Array, edits: Damage['edits']): Uint8Array {
  const list = Array.from(bytes);
  for (const { at, kind, byte } of edits) {
    const place = at % (list.length + 1);
    if (kind === 'set') list[place] = byte;
    else if (kind === 'flip') list[place] = (list[place] ?? 0) ^ (1 << (byte % 8));
    else if (kind === 'cut') list.length = place;
    else if (kind === 'insert') list.splice(place, 0, byte);
    else list.splice(place, 1);
  }
  return Uint8Array.from(list);
}

interface Material {
  readonly direction: LinkChunk['direction'];
  readonly frame: Frame;
}

/** Damaged frames as chunks, one frame in each chunk. */
function damagedChunks(material: readonly Material[], count: number, seed: number): LinkChunk[] {
  const ear = new Ear();
  for (const { pick, inPayload, edits } of fc.sample(damage, { numRuns: count, seed })) {
    const { direction, frame } = material[pick % material.length];
    const bytes = inPayload
      ? encodeFrame({ ...frame, payload: edited(frame.payload, edits) })
      : joined([edited(encodeFrame(frame).subarray(0, -1), edits), Uint8Array.of(0)]);
    ear.hear(direction, bytes);
  }
  return ear.chunks;
}

describe.runIf(hasTshark)('the dissector for tshark', () => {
  it('shows every field of every message with the value that our decoder gives', async () => {
    const { chunks } = await plainSession();
    const { messages } = decoded(chunks);
    const names = new Set(messages.map(({ name }) => name));
    expect([...names]).toEqual(expect.arrayContaining(['hello', 'start', 'sampleBlock', 'refusal', 'stop']));
    const printed = tshark(capture(chunks), '-T', 'json', '--no-duplicate-keys', '-J', 'thermolink');
    const rows = (JSON.parse(printed) as Captured[])
      .map(({ _source: { layers } }) => layers.thermolink)
      .filter((layer) => layer['thermolink.delivered'] === '1');
    expect(rows).toHaveLength(messages.length);
    for (const [i, message] of messages.entries()) {
      const layer = rows[i];
      expect(layer['thermolink.message']).toBe(message.name);
      const tree = layer['thermolink.message_tree'] as Record<string, string>;
      expect(Number(tree['thermolink.requestId'])).toBe(message.requestId);
      const path = `thermolink.${message.name}${message.kind === 'answer' ? '.answer' : ''}`;
      for (const [name, value] of Object.entries(message.fields))
        expect([name, tree[`${path}.${name}`]]).toEqual([name, asPrinted(value)]);
    }
  });

  /** The plain session and the output of tshark, which needs a second. Several tests use this output. */
  const plainRows = once(async () => {
    const { chunks } = await plainSession();
    const fields = [
      ...(['thermolink.message', 'thermolink.writeCouplings.bank', 'thermolink.code'] as const),
      ...(['frame.time_epoch', 'thermolink.direction', 'frame.interface_name'] as const),
      ...(['frame.number', 'thermolink.responseIn', 'thermolink.requestIn'] as const),
      'thermolink.responseTime',
    ] as const;
    return { chunks, rows: tsharkFields(capture(chunks), fields, '-2') };
  });

  it('shows codes one by one, with the width of the program', { tags: 'long' }, async () => {
    const { chunks, rows } = await plainRows();
    const codes = (bank: string, message: string) =>
      rows
        .filter((row) => row['thermolink.message'][0] === message && row['thermolink.code'].length > 0)
        .filter((row) => bank === '' || row['thermolink.writeCouplings.bank'][0] === bank)
        .map((row) => row['thermolink.code'].map(Number));
    const identity = (cells: number, code: number) =>
      Array.from({ length: cells * cells }, (_, i) => (i % (cells + 1) === 0 ? code : 0));
    expect(codes('0', 'writeCouplings')).toEqual([identity(8, 32767)]);
    expect(codes('1', 'writeCouplings')).toEqual([identity(4, 127)]);
    expect(codes('', 'writeDrive')).toEqual([new Array(8).fill(1000), new Array(4).fill(-77)]);
    const block = decoded(chunks).messages.find(({ name }) => name === 'sampleBlock')!;
    expect(codes('', 'sampleBlock')[0]).toEqual(Array.from(block.samples!.codes.slice(0, 64)));
  });

  it('shows times exact to the nanosecond, and directions as the host sees them', {
    tags: 'long',
  }, async () => {
    const { chunks, rows } = await plainRows();
    const frames = [...wireFrames(chunks)];
    expect(rows.map((row) => row['frame.time_epoch'][0].replace('.', ''))).toEqual(
      frames.map(({ hostTimeNs }) => String(hostTimeNs)),
    );
    expect(rows.map((row) => row['thermolink.direction'][0])).toEqual(
      frames.map(({ direction }) => direction),
    );
    expect(new Set(rows.map((row) => row['frame.interface_name'].join(' ')))).toEqual(
      new Set(['host to board', 'board to host']),
    );
  });

  it('shows the answer of each command, and the time that each answer took', async () => {
    const { rows } = await plainRows();
    const asked = rows.filter((row) => row['thermolink.responseIn'].length > 0);
    expect(asked.length).toBeGreaterThan(10);
    for (const row of asked) {
      const answer = rows[Number(row['thermolink.responseIn'][0]) - 1];
      expect(answer['thermolink.requestIn']).toEqual(row['frame.number']);
      expect(Number(answer['thermolink.responseTime'][0])).toBeGreaterThan(0);
    }
  });

  it('counts messages and errors on a bad line as our decoder does', { tags: 'long' }, () =>
    countsAlike([1], 10),
  );

  it('counts them as our decoder does on more bad lines', { tags: 'long' }, () =>
    countsAlike([1, 2, 3], 100),
  );

  const countsAlike = async (seeds: number[], retransmissions: number): Promise<void> => {
    const chunks = await simulatedSessions(seeds);
    const { messages, findings } = decoded(chunks);
    expect(findings.retransmissions).toBeGreaterThan(retransmissions);
    const flags = ['delivered', 'retransmission', 'outOfOrder', 'foreign', 'fault'] as const;
    const rows = tsharkFields(capture(chunks), [
      'thermolink.direction',
      'thermolink.message',
      'thermolink.rejected',
      '_ws.lua.error',
      ...flags.map((flag) => `thermolink.${flag}` as const),
    ]);
    const count = (flag: (typeof flags)[number]) =>
      rows.filter((row) => row[`thermolink.${flag}`].length > 0).length;
    expect(rows.filter((row) => row['_ws.lua.error'].length > 0)).toEqual([]);
    expect({
      framesFaulty: count('fault'),
      retransmissions: count('retransmission'),
      framesOutOfOrder: count('outOfOrder'),
      framesForeign: count('foreign'),
    }).toEqual({
      framesFaulty: findings.framesFaulty,
      retransmissions: findings.retransmissions,
      framesOutOfOrder: findings.framesOutOfOrder,
      framesForeign: findings.framesForeign,
    });
    expect(
      rows
        .filter((row) => row['thermolink.delivered'].length > 0)
        .map((row) => `${row['thermolink.direction'][0]} ${row['thermolink.message'][0] ?? 'bad'}`),
    ).toEqual(messages.map(({ direction, name }) => `${direction} ${name}`));
  };

  const judgesAlike = async (count: number, seed: number): Promise<void> => {
    const frames = [...wireFrames((await plainSession()).chunks)];
    const material = frames.flatMap(({ direction, item }) =>
      item.kind === 'frame' ? [{ direction, frame: item.frame }] : [],
    );
    const chunks = damagedChunks(material, count, seed);
    const ours = [...wireFrames(chunks)].map(verdict);
    expect(ours.filter(({ rejected }) => rejected !== undefined).length).toBeGreaterThan(count / 5);
    expect(ours.filter(({ fault }) => fault !== undefined).length).toBeGreaterThan(count / 5);
    expect(tsharkVerdicts(capture(chunks))).toEqual(ours);
  };

  it('judges a hundred damaged frames as the codec does, without an error of its own', { tags: 'long' }, () =>
    judgesAlike(100, 1),
  );

  it('judges a hundred thousand damaged frames as the codec does', { tags: 'long' }, () =>
    judgesAlike(100_000, 2),
  );

  it('shows integers of 64 bits that an older board leaves out', { tags: 'long' }, () => {
    // An answer to readCounters: opcode, request and the ten counters without the ones that came later.
    const payload = Uint8Array.from([0x9c, 3, 16, 25, 19, 0, 0, 0, 0, 0, 0, 0, 0]);
    const header = { channel: CHANNEL.command, session: 1, flags: 0, seq: 0, ack: 0 } as const;
    const ear = new Ear();
    ear.hear('toHost', encodeFrame({ ...header, payload }));
    expect(tsharkVerdicts(capture(ear.chunks))).toEqual([{}]);
  });

  it('reads the longest frames, and longer ones than the protocol allows', { tags: 'long' }, async () => {
    const ear = new Ear();
    const header = { channel: CHANNEL.sample, session: 1, flags: 0, seq: 0, ack: 0 } as const;
    for (const length of [65_524, 65_525, 70_000])
      ear.hear('toHost', encodeFrame({ ...header, payload: new Uint8Array(length).fill(7) }));
    ear.hear('toHost', joined([new Uint8Array(200_000).fill(9), Uint8Array.of(0)]));
    const ours = [...wireFrames(ear.chunks)].map(verdict);
    expect(ours.map(({ fault }) => fault)).toEqual([undefined, 'oversize', 'oversize', 'oversize']);
    expect(tsharkVerdicts(capture(ear.chunks))).toEqual(ours);
  });

  it('reads a capture of TCP in which segments cut frames anywhere', { tags: 'long' }, async () => {
    const { chunks } = await plainSession();
    const segments = chunks.flatMap(({ direction, bytes }) => {
      const toBoard = direction === 'toDevice';
      const cut = Math.floor(bytes.length / 3);
      return [bytes.subarray(0, cut), bytes.subarray(cut)].map((part) => ({ toBoard, bytes: part }));
    });
    const rows = tsharkFields(
      tcpCapture(segments.filter(({ bytes }) => bytes.length > 0)),
      ['thermolink.message', '_ws.lua.error'],
      '-d',
      'tcp.port==7000,thermolink',
    );
    expect(rows.flatMap((row) => row['_ws.lua.error'])).toEqual([]);
    expect(rows.flatMap((row) => row['thermolink.message'])).toEqual(
      decoded(chunks).messages.map(({ name }) => name),
    );
  });
});

interface Captured {
  readonly _source: { readonly layers: { readonly thermolink: Readonly<Record<string, unknown>> } };
}

/** A value as tshark prints it in JSON. */
function asPrinted(value: number | string | Uint8Array): string {
  if (value instanceof Uint8Array)
    return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  return String(value);
}
