import { readFileSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findProfile } from '../../emulator/index.js';
import { redactor, withoutFolder } from '../../src/cli/commands/report/redact.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const file = (name: string): string => join(directory, name);

async function unzipped(path: string): Promise<Map<string, Buffer>> {
  const reader = new ZipReader(new Uint8ArrayReader(readFileSync(path)));
  const parts = new Map<string, Buffer>();
  for (const entry of await reader.getEntries())
    if (!entry.directory) parts.set(entry.filename, Buffer.from(await entry.getData(new Uint8ArrayWriter())));
  return parts;
}

const jsonOf = (parts: Map<string, Buffer>, name: string) => JSON.parse(parts.get(name)!.toString());

afterEach(() => vi.unstubAllEnvs());

describe('thermolink report', () => {
  it('replaces the file of --out, as other results do', { tags: 'long' }, async () => {
    const out = ['--no-self-test', '--out', file('again.zip')];
    writeFileSync(file('again.zip'), 'older');
    expect((await runCommand('report', ...out, '--device', 'emulator:ideal-8')).exitCode).toBe(0);
    expect([...(await unzipped(file('again.zip'))).keys()]).toContain('device.json');
  });

  it('holds the facts that a developer asks for first, and lists them', async () => {
    const { exitCode, stdout } = await runCommand(
      'report',
      '--device',
      'emulator:ideal-8',
      '--out',
      file('report.zip'),
    );
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('self-test passed')]);
    const parts = await unzipped(file('report.zip'));
    const names = [
      'versions.json',
      'ports.json',
      'device.json',
      'self-test.json',
      'last-frames.json',
      'session.mcap',
    ];
    expect([...parts.keys()]).toEqual(['contents.txt', ...names]);
    for (const name of names) expect(parts.get('contents.txt')!.toString()).toContain(name);
    expect(jsonOf(parts, 'device.json')).toMatchObject({
      device: 'emulator:ideal-8',
      identity: { model: 'ideal-8', cells: 8 },
      statusBefore: { state: 'idle' },
      statusAfter: { state: 'done' },
      counters: { framesFaulty: 0 },
    });
    expect(jsonOf(parts, 'self-test.json')).toMatchObject({ passed: true });
    expect(jsonOf(parts, 'last-frames.json').messages.at(-1)).toMatchObject({
      name: 'readCounters',
      kind: 'answer',
    });
    writeFileSync(file('session.mcap'), parts.get('session.mcap')!);
    const trace = await openTrace(file('session.mcap'));
    expect([...trace.messages()].some(({ name }) => name === 'runEnded')).toBe(true);
    trace.close();
  });

  it('holds no secret, no home, no path and no name of the machine', async () => {
    const profile = file('secret-place.json');
    writeFileSync(profile, JSON.stringify(findProfile('ideal-8')));
    vi.stubEnv('LAB_API_TOKEN', 'tok-5c1f0a77');
    const uri = `emulator:file=${profile}`;
    expect((await runCommand('report', '--device', uri, '--out', file('quiet.zip'))).exitCode).toBe(0);
    const parts = await unzipped(file('quiet.zip'));
    const secrets = [directory, homedir(), 'tok-5c1f0a77', process.cwd(), `"${hostname()}`];
    for (const [name, content] of parts)
      for (const secret of secrets) expect([name, content.includes(secret)]).toEqual([name, false]);
    expect(jsonOf(parts, 'device.json').device).toBe('emulator:file=secret-place.json');
  });

  it.each(['a URI', 'a relative URI'])('holds no folder of a profile that is refused: %s', async (kind) => {
    const profile = file('refused-place.json');
    writeFileSync(profile, '{"cells": -1}');
    const written = kind === 'a URI' ? profile : relative(process.cwd(), profile);
    const out = file(`refused ${kind}.zip`);
    const { stdout } = await runCommand('report', '--device', `emulator:file=${written}`, '--out', out);
    const parts = await unzipped(out);
    expect(jsonOf(parts, 'device.json').error.message).toContain('refused-place.json');
    for (const [name, content] of parts)
      for (const folder of [directory, dirname(written)])
        expect([name, content.includes(folder)]).toEqual([name, false]);
    expect(stdout).toContain('refused-place.json');
  });

  it('tells that a board cannot be reached, and nothing else about it', async () => {
    const { exitCode, stdout } = await runCommand(
      'report',
      '--device',
      'tcp://127.0.0.1:1',
      '--out',
      file('away.zip'),
      '--json',
    );
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([0, 'CANNOT_CONNECT']);
    const parts = await unzipped(file('away.zip'));
    expect(jsonOf(parts, 'device.json').error.code).toBe('CANNOT_CONNECT');
    expect(parts.has('session.mcap')).toBe(false);
  });

  it('runs nothing on the board with --no-self-test', async () => {
    await runCommand('report', '--device', 'emulator:ideal-8', '--out', file('still.zip'), '--no-self-test');
    const parts = await unzipped(file('still.zip'));
    expect([parts.has('self-test.json'), jsonOf(parts, 'device.json').statusAfter.runId]).toEqual([false, 0]);
  });

  it('asks for a device', async () => {
    const { exitCode, stderr } = await runCommand('report');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--device')]);
  });
});

describe('the removal of secrets from texts', () => {
  it('removes the folders in every part of a device URI, but not the names of devices', () => {
    for (const [uri, shown] of [
      ['hubs://host/b?ca=/home/ada/x/ca.pem&token_file=/srv/t/tok', 'hubs://host/b?ca=ca.pem&token_file=tok'],
      ['replay:/home/ada/a.mcap?mode=strict', 'replay:a.mcap?mode=strict'],
      ['serial:/dev/ttyACM0?baud=115200', 'serial:/dev/ttyACM0?baud=115200'],
    ] as const) {
      expect(withoutFolder(uri)).toBe(shown);
      expect(redactor({}, uri)(`open '${uri}' failed`)).toBe(`open '${shown}' failed`);
    }
  });

  it('removes the value of every variable with a secret name, unless the value is short', () => {
    const redact = redactor({
      GITHUB_TOKEN: 'abcdef123',
      DB_PASSWORD: 'no',
      HOME: '/home/ada',
      PORT: '/dev/ttyACM0',
    });
    expect(redact('abcdef123 no /home/ada/x /dev/ttyACM0')).toBe('<secret> no ~/x /dev/ttyACM0');
  });
});
