import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { createReplay } from '../../src/traces/replay/create-replay.js';
import { TappedPort } from '../../src/traces/tapped-port.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { once } from '../support/once.js';
import { diagonalProgram } from '../support/test-board.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
const hasPty = process.platform === 'linux' || process.platform === 'darwin';
const RUN = { bank: 0, runSeed: 3, burnInTicks: 4, sampleCount: 200, ticksPerSample: 1 };

async function program(uri: string, record?: string): Promise<number[]> {
  const device = await connect(uri, { record });
  await device.loadProgram(0, { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 });
  const { codes } = await device.acquire(RUN);
  await device.close();
  return Array.from(codes);
}

describe('commands and recordings', () => {
  it('trace recover ends with exit code 1 if something was lost, else with 0', async () => {
    await program('emulator:ideal-8', file('whole.mcap'));
    const bytes = readFileSync(file('whole.mcap'));
    writeFileSync(file('cut.mcap'), bytes.subarray(0, bytes.length * 0.75));
    const cut = await runCommand('trace', 'recover', file('cut.mcap'), '--out', file('mended.mcap'));
    expect(cut.exitCode).toBe(1);
    expect(cut.stderr).toContain('were lost');
    expect((await runCommand('trace', 'doctor', file('mended.mcap'))).exitCode).toBe(0);
    const whole = await runCommand('trace', 'recover', file('whole.mcap'), '--out', file('same.mcap'));
    expect(whole.exitCode).toBe(0);
  });

  it.runIf(isBuilt && hasPty)(
    'emulate --replay serves a recorded session over a pseudo-terminal',
    { tags: 'long' },
    async () => {
      const recorded = await program('emulator:ideal-8', file('session.mcap'));
      const pty = ['--pty', file('board')];
      const server = new JsonProcess([
        BUILT_CLI,
        'emulate',
        '--json',
        '--replay',
        file('session.mcap'),
        ...pty,
      ]);
      const { uris } = await server.next<{ uris: string[] }>('listening');
      expect(await program(uris[0])).toEqual(recorded);
      expect(await server.end('SIGTERM')).toBe(0);
    },
  );

  /** A recording with frames that are longer than a pseudo-terminal carries. */
  const longFrames = once(async () => {
    const record = file('long-frames.mcap');
    const device = await connect('emulator:ideal-64', { record });
    await device.loadProgram(0, diagonalProgram(64));
    await device.acquire({ ...RUN, sampleCount: 400 });
    await device.close();
    return record;
  });

  it('emulate --replay refuses a pseudo-terminal that can not carry the recorded frames', async () => {
    const record = await longFrames();
    const refused = await runCommand('emulate', '--replay', record, '--pty', file('never'));
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(/frames of \d+ bytes, and a pseudo-terminal carries 8192 at most/);
    expect(existsSync(file('never'))).toBe(false);
  });

  it('a host with shorter frames than the recorded ones gets an error that does not blame another client', async () => {
    const mismatches: Error[] = [];
    const device = await createReplay(await longFrames(), undefined, {
      mode: 'strict',
      speed: Infinity,
      onMismatch: (error) => mismatches.push(error),
      onPortLost: () => undefined,
    });
    const [host, board] = memoryPortPair();
    new ServedDevice(device, board);
    const listen = { wrote: () => undefined, received: () => undefined, closed: () => undefined };
    const short = Object.assign(new TappedPort(host, listen), { frameBytesMax: 4096 });
    await expect(Device.open(short)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('opens no session with this host'),
    });
    expect(mismatches).toMatchObject([
      { message: expect.stringMatching(/hello.frameBytes: recorded \d+, got 4096/) },
    ]);
  });
});
