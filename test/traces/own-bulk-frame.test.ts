import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeToDevice, encodeCommand } from '../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame, type Frame } from '../../firmware-protocol/framing.js';
import { LinkDecoder } from '../../src/traces/link-decoder.js';
import { messageJson } from '../../src/traces/message-json.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { ownBulkFrame } from '../../src/traces/own-bulk-frame.js';
import { ROOT } from '../repository/files.js';

const CODES = {
  zeros: () => 0,
  'no zeros': () => 255,
  'small numbers of 16 bits': (i: number) => (i % 2 === 0 ? (i * 37) & 255 : 0),
  'every byte': (i: number) => (i * 29 + (i >> 8)) & 255,
};

function write(codesLength: number, codeOf: (i: number) => number): Frame {
  const codes = Uint8Array.from({ length: codesLength }, (_, i) => codeOf(i));
  const payload = encodeCommand('writeCouplings', 70_000, { bank: 1, firstEntry: 300, codes });
  return { channel: CHANNEL.command, session: 0, flags: 1, seq: 0xff00, ack: 0x01ff, payload };
}

describe('a long frame of this program with only its head decoded', () => {
  it.each(Object.entries(CODES))('equals the wholly decoded frame except for its codes: %s', (_, codeOf) => {
    for (const codesLength of [2048, 4000, 8191, 65_492]) {
      const frame = write(codesLength, codeOf);
      const wire = encodeFrame(frame);
      const { payload, ...header } = ownBulkFrame(wire, 0, wire.length - 1)!;
      const { payload: whole, ...expected } = frame;
      expect(header).toEqual(expected);
      expect(payload.length).toBe(whole.length);
      const [told, meant] = [decodeToDevice(payload), decodeToDevice(whole)];
      if (meant.kind !== 'command' || told.kind !== 'command') throw new Error('a write is a command');
      expect({ ...told.fields, codes: undefined }).toEqual({ ...meant.fields, codes: undefined });
      const { codes } = told.fields as { codes: Uint8Array };
      expect([codes.length, codes.some((code) => code !== 0)]).toEqual([codesLength, false]);
    }
  });

  it('is decoded wholly if it is cut, too long, or of another kind', () => {
    const wire = encodeFrame(write(4000, CODES['every byte']));
    expect(ownBulkFrame(wire, 0, wire.length - 100)).toBeUndefined();
    expect(ownBulkFrame(wire, 1, wire.length - 1)).toBeUndefined();
    const twice = Uint8Array.from([...wire.subarray(0, -1), ...wire]);
    expect(ownBulkFrame(twice, 0, twice.length - 1)).toBeUndefined();
    const text = encodeFrame({ ...write(4000, CODES.zeros), payload: new Uint8Array(4000).fill(0xa1) });
    expect(ownBulkFrame(text, 0, text.length - 1)).toBeUndefined();
  });

  it('does not change the JSON of a session, for any pieces of writes', async () => {
    const trace = await openTrace(path.join(ROOT, 'test/traces/recorded/harsh.mcap'));
    const chunks = [...trace.chunks()].map((chunk) => ({ ...chunk, bytes: chunk.bytes.slice() }));
    trace.close();
    const jsonOf = (own: boolean, pieceBytes: number): string[] => {
      const decoder = new LinkDecoder();
      const lines: string[] = [];
      for (const { bytes, ...chunk } of chunks)
        for (let at = 0; at < bytes.length; at += pieceBytes)
          decoder.push(
            { ...chunk, bytes: bytes.subarray(at, at + pieceBytes) },
            (message) => lines.push(messageJson(message, {})),
            { copy: false, own: own && chunk.direction === 'toDevice' },
          );
      expect(decoder.findings).toMatchObject({ framesFaulty: 0, openGaps: 0 });
      return lines;
    };
    const whole = jsonOf(false, 1e6);
    expect(whole.some((line) => line.includes('{"bytes":'))).toBe(true);
    for (const pieceBytes of [1e6, 5000, 100]) expect(jsonOf(true, pieceBytes)).toEqual(whole);
  });
});
