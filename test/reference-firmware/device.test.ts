import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { connect } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';
import type { RunOptions } from '../../src/driver/device-api.js';
import { integersFrom, programImage } from '../support/analog-boards.js';
import { make, makeExample, missingTools, SANITIZED } from './build.js';
import { DeviceProcess } from './device-process.js';

const missing = missingTools();
const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
afterAll(() => rmSync(directory, { recursive: true }));

const NOISE = { damping: 16384, noiseAmplitude: 20011, noiseShift: 12 };

function denseProgram(cells: number, seed: number, diagonal = 16000): ProgramImage {
  const draw = integersFrom(seed);
  const couplings = new Int16Array(cells * cells);
  const largest = Math.floor(diagonal / (2 * cells));
  for (let i = 0; i < cells; i++) {
    couplings[i * cells + i] = diagonal;
    for (let j = 0; j < i; j++) couplings[i * cells + j] = couplings[j * cells + i] = draw(-largest, largest);
  }
  const drive = Int16Array.from({ length: cells }, () => draw(-3000, 3000));
  const initialState = Int16Array.from({ length: cells }, () => draw(-9000, 9000));
  return programImage({ cells, couplings, drive, initialState, ...NOISE });
}

function factoredProgram(cells: number, rows: number, seed: number): ProgramImage {
  const draw = integersFrom(seed);
  const couplings = Int8Array.from({ length: cells * rows }, () => draw(-20, 20));
  const shape = { mode: PROGRAM_MODE.factored, cells, rows, couplings, couplingBits: 8, rowAttenuation: 1 };
  const drive = Int16Array.from({ length: cells }, () => draw(-2000, 2000));
  return programImage({ ...shape, drive, ...NOISE });
}

const RUN: RunOptions = { bank: 0, runSeed: 5, burnInTicks: 20, sampleCount: 300, ticksPerSample: 3 };

/** The results of a session with some loads and runs: everything except times. */
async function session(device: Device, work: (device: Device, told: unknown[]) => Promise<void>) {
  const told: unknown[] = [];
  try {
    await work(device, told);
    const { stateDigest, tick, state, committedBanks, runId } = await device.readStatus();
    told.push({ stateDigest, tick, state, committedBanks, runId });
  } finally {
    await device.close();
  }
  return told;
}

describe.skipIf(missing !== undefined)(`the device in C${missing ? ` (${missing})` : ''}`, () => {
  let program: string;

  beforeAll(() => {
    program = make('thermolink-device', ...SANITIZED);
  });

  /** The same session with the C device and the emulator. */
  async function sameAsEmulator(
    profile: string,
    die: number,
    work: (device: Device, told: unknown[]) => Promise<void>,
  ): Promise<void> {
    const board = await DeviceProcess.start(program, '--profile', profile, '--die', String(die));
    const told = await session(await connect(board.uri), work);
    expect(await board.end()).toEqual({ code: 0, errors: '' });
    expect(told).toEqual(await session(await connect(`emulator:${profile}?die=${die}`), work));
    expect(told.length).toBeGreaterThan(1);
  }

  test('HELLO describes the board as the emulator does', async () => {
    const board = await DeviceProcess.start(program, '--profile', 'ideal-64', '--die', '4294967295');
    const [device, emulator] = await Promise.all(
      [board.uri, 'emulator:ideal-64?die=4294967295'].map((uri) => connect(uri)),
    );
    expect({ ...device.identity, firmwareVersion: '' }).toEqual({
      ...emulator.identity,
      firmwareVersion: '',
    });
    await Promise.all([device.close(), emulator.close()]);
  });

  test('bit-identical samples: dense and factored, two banks, a state that is kept', () =>
    sameAsEmulator('ideal-64', 3, async (device, told) => {
      told.push(await device.loadProgram(0, denseProgram(64, 1)), await device.acquire(RUN));
      told.push(await device.loadProgram(1, factoredProgram(33, 7, 2)));
      told.push(await device.acquire({ ...RUN, bank: 1, runSeed: 4294967295, sampleCount: 3000 }));
      told.push(await device.acquire({ ...RUN, firstTick: 2 ** 32 - 50, keepState: true }));
      told.push(await device.acquire({ ...RUN, sampleCount: 0, burnInTicks: 100 }));
    }));

  test(
    'bit-identical samples: a sample in several blocks, a smaller tick, eight bits',
    { tags: 'long' },
    () =>
      sameAsEmulator('ideal-crossbar', 7, async (device, told) => {
        told.push(await device.loadProgram(0, factoredProgram(8192, 4, 3)));
        told.push(await device.acquire({ ...RUN, sampleCount: 20, burnInTicks: 3, ticksPerSample: 1 }));
      }),
  );

  test('an overload ends the run exactly after the tick in which it happens, or is only marked', () =>
    sameAsEmulator('ideal-8', 1, async (device, told) => {
      const image = { ...denseProgram(8, 4, 400), drive: new Int16Array(8).fill(32767) };
      told.push(await device.loadProgram(0, image));
      told.push(await device.acquire({ ...RUN, sampleCount: 2000, ticksPerSample: 1 }));
      told.push(await device.acknowledge());
      told.push(await device.acquire({ ...RUN, onOverload: 'mark' }));
    }));

  test('rewritten programs, another digest, refusals', () =>
    sameAsEmulator('ideal-8', 1, async (device, told) => {
      const image = denseProgram(8, 4);
      told.push(await device.loadProgram(0, image));
      const drive = Int16Array.from(image.drive, (code) => -code);
      told.push(await device.rewriteProgram(0, { ...image, drive, noiseAmplitude: 0 }));
      told.push(await device.acquire(RUN));
      const changed = { ...image, drive: Int16Array.from(drive), noiseAmplitude: 0 };
      changed.drive[3] += 100;
      const sent = device.uploadedBytes;
      told.push(await device.rewriteProgram(0, changed, { since: { ...image, drive } }));
      expect(device.uploadedBytes - sent).toBe(2);
      told.push(await device.acquire(RUN));
      const codes = async (error: Promise<unknown>): Promise<unknown> =>
        error.catch(({ code, data }: { code: string; data?: { reason?: unknown } }) => ({
          code,
          reason: data?.reason,
        }));
      told.push(await codes(device.loadProgram(1, denseProgram(9, 4))));
      told.push(await codes(device.loadProgram(0, { ...image, noiseAmplitude: 5 })));
      told.push(await codes(device.run(RUN)));
    }));

  test('a run without end: abort, stop, a client that leaves, and another one that is told BUSY', async () => {
    const board = await DeviceProcess.start(program, '--profile', 'ideal-8');
    const device = await connect(board.uri);
    await device.loadProgram(0, denseProgram(8, 4));
    const endless = { ...RUN, sampleCount: 0, burnInTicks: 2 ** 50 };
    const aborted = await device.run(endless);
    await aborted.abort();
    expect(await aborted.finished).toMatchObject({ outcome: 'aborted' });
    const stopped = await device.run(endless);
    await expect(connect(board.uri)).rejects.toMatchObject({ code: 'BUSY' });
    await device.stop();
    expect(await stopped.finished).toMatchObject({ outcome: 'stopped' });
    expect(await device.readStatus()).toMatchObject({ state: 'safe', committedBanks: 1 });
    await device.close();
    const next = await connect(board.uri);
    expect(await next.readStatus()).toMatchObject({ state: 'idle', committedBanks: 1, runId: 0 });
    await next.loadProgram(0, denseProgram(8, 4));
    await next.run(endless);
    await next.close();
    const last = await connect(board.uri);
    expect(await last.readCounters()).toMatchObject({
      framesFaulty: 0,
      messagesRejected: 0,
      watchdogTrips: 0,
    });
    await last.close();
    expect(await board.end()).toEqual({ code: 0, errors: '' });
  });

  test('over a pseudo-terminal, for one client after another', async () => {
    const link = path.join(directory, 'board');
    const board = await DeviceProcess.start(program, '--profile', 'ideal-8', '--pty', link);
    expect(board.uri).toBe(`serial:${link}`);
    for (let client = 0; client < 2; client++) {
      const device = await connect(board.uri);
      await device.loadProgram(0, denseProgram(8, 4));
      expect((await device.acquire(RUN)).report.outcome).toBe('completed');
      await device.close();
    }
    expect(await board.end()).toEqual({ code: 0, errors: '' });
    expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('a calibration record stays in its file when the program ends, and an erased record is removed from the file', async () => {
    const file = path.join(directory, 'record');
    const record = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919) >> 4);
    // `toEqual` takes seconds for so many bytes.
    const expectRecord = (bytes: Uint8Array | undefined): void =>
      expect(Buffer.compare(bytes!, record)).toBe(0);
    /** Returns the record of a board with that file. Then the board stores `next`. */
    const boardWith = async (next?: Uint8Array): Promise<Uint8Array | undefined> => {
      const board = await DeviceProcess.start(program, '--profile', 'ideal-8', '--calibration-file', file);
      const device = await connect(board.uri);
      const found = await device.readCalibration();
      if (next !== undefined) await device.keepCalibration(next);
      await device.close();
      expect(await board.end()).toEqual({ code: 0, errors: '' });
      return found;
    };
    expect(await boardWith(record.subarray(0, 100))).toBeUndefined();
    expect(await boardWith(record)).toEqual(record.subarray(0, 100));
    expectRecord(readFileSync(file));
    // A write that was cut leaves its new file, and does not change the old record.
    writeFileSync(`${file}.new`, 'half');
    expectRecord(await boardWith(new Uint8Array(0)));
    expect(existsSync(file)).toBe(false);
    expect(await boardWith(record)).toBeUndefined();
    expectRecord(readFileSync(file));
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  test('a record that cannot be stored is refused, and the old record stays', async () => {
    const folder = path.join(directory, 'gone');
    mkdirSync(folder);
    const args = ['--profile', 'ideal-8', '--calibration-file', path.join(folder, 'record')];
    const board = await DeviceProcess.start(program, ...args);
    const device = await connect(board.uri);
    await device.keepCalibration(Uint8Array.of(1, 2, 3));
    rmSync(folder, { recursive: true });
    await expect(device.keepCalibration(Uint8Array.of(4))).rejects.toMatchObject({ code: 'DEVICE_REFUSED' });
    expect(await device.readCalibration()).toEqual(Uint8Array.of(1, 2, 3));
    await device.close();
    expect((await board.end()).errors).toMatch(/record\.new: No such file/);
  });

  test('a calibration file that is longer than any record is refused', async () => {
    const file = path.join(directory, 'long');
    writeFileSync(file, new Uint8Array(2 ** 20 + 1));
    await expect(DeviceProcess.start(program, '--calibration-file', file)).rejects.toThrow('it ended with 2');
  });

  test('a board that fails its self-test reports it, and runs nothing until the host acknowledges it', {
    tags: 'long',
  }, async () => {
    const link = path.join(directory, 'stuck');
    const board = await DeviceProcess.start(makeExample({ stuckCell: 2 }), link);
    const device = await connect(board.uri);
    expect(device.identity).toMatchObject({ serialNumber: 'example 7', bootEpoch: 1024 });
    expect(await device.readStatus()).toMatchObject({ state: 'fault', fault: 'selfTest' });
    await device.loadProgram(0, denseProgram(4, 4)).catch(() => undefined);
    await expect(device.acquire(RUN)).rejects.toMatchObject({ code: 'DEVICE_REFUSED' });
    await device.acknowledge();
    expect(await device.readStatus()).toMatchObject({ state: 'safe', fault: 'none' });
    await device.close();
  });

  test.each([
    [['--tcp', '0.0.0.0:0'], 1],
    [['--tcp', '127.0.0.1'], 1],
    [['--profile', 'none'], 2],
    [['--die', '-1'], 2],
    [['--die'], 2],
    [['--calibration-file'], 2],
    [['--calibration-file', '/'], 2],
  ])('%j is refused', async (args, code) => {
    await expect(DeviceProcess.start(program, ...args)).rejects.toThrow(`it ended with ${code}`);
    expect(existsSync(program)).toBe(true);
  });
});
