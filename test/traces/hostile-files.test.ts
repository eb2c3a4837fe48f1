import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { McapRecordBuilder } from '@mcap/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTrace } from '../../src/traces/open-trace.js';
import { ROOT } from '../repository/files.js';
import { runCommand } from '../support/command-line.js';
import { fuzzTraces } from './fuzz.js';

let directory: string;
const file = (name: string): string => path.join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'thermolink-hostile-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** A file with a valid beginning and end. `write` adds the part between them. */
function made(name: string, write: (records: McapRecordBuilder) => void): string {
  const records = new McapRecordBuilder();
  records.writeMagic();
  records.writeHeader({ profile: '', library: 'somebody else' });
  write(records);
  records.writeDataEnd({ dataSectionCrc: 0 });
  records.writeFooter({ summaryStart: 0n, summaryOffsetStart: 0n, summaryCrc: 0 });
  records.writeMagic();
  writeFileSync(file(name), records.buffer);
  return file(name);
}

const chunk = { messageStartTime: 0n, messageEndTime: 0n, uncompressedCrc: 0, compression: '' };

describe('a hostile recording', () => {
  it('thousands of damaged files are read or refused, without any other effect', async () => {
    const recorded = ['stop', 'ideal-dense', 'overload'].map((name) =>
      path.join(ROOT, `test/traces/recorded/${name}.mcap`),
    );
    const count = 300;
    const read = await fuzzTraces(recorded, file('damaged.mcap'), { count, seed: 1 });
    expect(read).toBeGreaterThan(count / 20);
    expect(read).toBeLessThan(count);
  });

  it.each([
    ['../../etc/passwd'],
    ['/etc/passwd'],
    ['..'],
    ['.hidden'],
    ['a\u0000b'],
    ['C:\\x'],
    ['aux.'],
    [''],
    ['x'.repeat(200)],
  ])('an attachment called %j is left out and reported', async (name) => {
    const attachment = { name, mediaType: '', logTime: 0n, createTime: 0n, data: Uint8Array.of(1) };
    const trace = await openTrace(made('name.mcap', (records) => records.writeAttachment(attachment)));
    expect(trace.attachments).toEqual([]);
    expect(trace.findings).toMatchObject([{ kind: 'badAttachment' }]);
    trace.close();
  });

  it('a compression that Node can not decompress is refused by name', async () => {
    const lz4 = { ...chunk, compression: 'lz4', uncompressedSize: 10n, records: new Uint8Array(10) };
    const trace = await openTrace(made('lz4.mcap', (records) => records.writeChunk(lz4)));
    expect(() => [...trace.messages()]).toThrow(/lz4.*compressed by "lz4"/);
    trace.close();
  });

  it('a chunk that claims a terabyte, or holds another chunk, is left out', async () => {
    const inner = new McapRecordBuilder();
    inner.writeChunk({ ...chunk, uncompressedSize: 0n, records: new Uint8Array(0) });
    const nested = { ...chunk, uncompressedSize: BigInt(inner.length), records: inner.buffer };
    const huge = { ...chunk, uncompressedSize: 1n << 40n, records: new Uint8Array(10) };
    for (const [name, content, problem] of [
      ['nested.mcap', nested, /holds another chunk/],
      ['huge.mcap', huge, /holds 10 bytes and claims/],
    ] as const) {
      const trace = await openTrace(made(name, (records) => records.writeChunk(content)));
      expect(() => [...trace.messages()]).toThrow(/holds no recorded link/);
      expect(trace.findings[0].problem).toMatch(problem);
      trace.close();
    }
  });

  it.each([
    ['is not an MCAP file', 'hello'],
    ['is empty', ''],
  ])('%s', async (problem, content) => {
    writeFileSync(file('other.mcap'), content);
    await expect(openTrace(file('other.mcap'))).rejects.toMatchObject({
      code: 'BAD_FILE',
      message: expect.stringContaining(problem),
    });
    await expect(openTrace(directory)).rejects.toMatchObject({ code: 'BAD_FILE' });
    await expect(openTrace(file('missing.mcap'))).rejects.toMatchObject({ code: 'BAD_FILE' });
  });

  it.each(['info', 'doctor', 'messages', 'plot', 'recover', 'to-test'])(
    'trace %s of a file that is not a recording gives a useful hint',
    async (command) => {
      writeFileSync(file('junk'), 'hello');
      const out = ['plot', 'recover'].includes(command) ? ['--out', file('never.svg')] : [];
      for (const [name, hint] of [
        ['junk', 'is not an MCAP file. Name a recorded session (MCAP).'],
        ['nowhere', 'Check the path.'],
      ]) {
        const { stderr, exitCode } = await runCommand('trace', command, file(name), ...out);
        expect(exitCode).toBe(1);
        expect(stderr).toContain(hint);
        expect(stderr).not.toContain('doctor');
      }
      expect(existsSync(file('never.svg'))).toBe(false);
    },
  );

  it('trace doctor explains why a recording that was cut off has no link', async () => {
    writeFileSync(
      file('cut.mcap'),
      readFileSync(path.join(ROOT, 'test/traces/recorded/stop.mcap')).subarray(0, 1000),
    );
    const { stderr, exitCode } = await runCommand('trace', 'doctor', file('cut.mcap'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/holds no recorded link: the record at byte \d+ claims/);
  });
});
