import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../firmware-protocol/codec.js';
import { crc32 } from '../../firmware-protocol/crc.js';
import { CHANNEL, encodeFrame } from '../../firmware-protocol/framing.js';
import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import { GAUSSIAN_TABLE } from '../../firmware-protocol/gaussian-table.generated.js';
import { noiseGroup, noiseWord, philox4x32 } from '../../firmware-protocol/philox.js';
import { TABLE_HASH_HEX } from '../../firmware-protocol/table-hash.generated.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../firmware-protocol/version.js';
import { readRepositoryFile } from './files.js';

const PROTOCOL = readRepositoryFile('docs/reference/protocol.md');
const DEVICE_MODEL = readRepositoryFile('docs/reference/device-model.md');
const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?!$)/g, '$& ');

describe('numbers that the documents print for other implementations', () => {
  it('protocol.md: a ping with a token of two bytes, its CRC and its bytes on the wire', () => {
    const payload = encodeCommand('ping', 1, { token: 1000 });
    const frame = { channel: CHANNEL.command, session: 0xa5, flags: 0, seq: 0, ack: 65535, payload };
    const header = [1, frame.channel, frame.session, 0, 0, 0, 255, 255];
    expect(PROTOCOL).toContain(`\`${hex(payload)}\``);
    expect(PROTOCOL).toContain(`CRC-32 ${crc32(Uint8Array.of(...header, ...payload)).toString(16)}`);
    expect(PROTOCOL).toContain(`\n    ${hex(encodeFrame(frame))}\n`);
  });

  it('protocol.md: version and table hash', () => {
    expect(PROTOCOL).toContain(`Version ${PROTOCOL_MAJOR}.${PROTOCOL_MINOR}, frozen`);
    expect(PROTOCOL.replace(/\s+/g, ' ')).toContain(`Its value is \`${TABLE_HASH_HEX}\``);
  });

  it('device-model.md: four words of Philox, and the noise of a cell', () => {
    const words = new Uint32Array(4);
    philox4x32(100, 0, noiseGroup(1), 0, 4, 7, words);
    expect([noiseGroup(1), noiseWord(1)]).toEqual([1, 0]);
    const shown = [...words].map((word) => word.toString(16).padStart(8, '0')).join(' ');
    expect(DEVICE_MODEL).toContain(shown);
    expect(DEVICE_MODEL).toContain(`its z is ${gaussianOfWord(words[0])}.`);
  });

  it('the file of the noise table has the values and the CRC that device-model.md states', () => {
    const lines = readRepositoryFile('firmware-protocol/vectors/gaussian-table.txt').trimEnd().split('\n');
    expect(lines).toHaveLength(31 * 64);
    const entries = Int16Array.from(lines.flatMap((line) => line.split(' ').map(Number)));
    expect(entries).toEqual(GAUSSIAN_TABLE);
    const bytes = new Uint8Array(entries.length * 2);
    const view = new DataView(bytes.buffer);
    for (const [i, entry] of entries.entries()) view.setInt16(2 * i, entry, true);
    expect(DEVICE_MODEL).toContain(`CRC-32 ${crc32(bytes).toString(16)}`);
  });
});
