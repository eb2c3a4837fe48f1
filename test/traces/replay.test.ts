import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Port } from '../../firmware-protocol/port.js';
import { connect } from '../../src/connect.js';
import type { Samples } from '../../src/driver/collect-samples.js';
import { Device } from '../../src/driver/device.js';
import type { RunOptions } from '../../src/driver/device-api.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { Recorder } from '../../src/traces/recorder.js';
import { createReplay } from '../../src/traces/replay/create-replay.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { failure, pause, pluggedBoard } from '../support/plugged-board.js';
import { diagonalProgram, openTestBoard } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

const NOISY = { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 };
const RUN: RunOptions = { bank: 0, runSeed: 3, burnInTicks: 4, sampleCount: 200, ticksPerSample: 1 };

let directory: string;
const file = (name: string): string => join(directory, name);
const replay = (name: string, query = ''): string => `replay:${file(name)}${query}`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-replay-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** The samples in a form for one comparison. */
const digestOf = ({ codes }: Samples): string =>
  createHash('sha256').update(new Uint8Array(codes.buffer)).digest('hex');

/** A program that calls the library: it reads, loads, runs twice and reads again. */
async function program(device: Device, runSeed = 3): Promise<string[]> {
  await device.readStatus();
  await device.loadProgram(0, NOISY);
  const first = await device.acquire({ ...RUN, runSeed });
  const second = await device.acquire({ ...RUN, runSeed: runSeed + 1, sampleCount: 30_000 });
  await device.readCounters();
  return [digestOf(first), digestOf(second)];
}

/** A port that passes received bytes on after some time. */
function lateReads(port: Port, clock: VirtualClock, delayMs: number): Port {
  return {
    name: port.name,
    frameBytesMax: port.frameBytesMax,
    get closed() {
      return port.closed;
    },
    onData: (receiver) =>
      port.onData((bytes) => {
        const copy = bytes.slice();
        clock.schedule(delayMs, () => receiver(copy));
      }),
    onClose: (receiver) => port.onClose(receiver),
    write: (bytes) => port.write(bytes),
    close: () => port.close(),
  };
}

/** Runs a program against a device and closes it. */
async function against<T>(uri: string, work: (device: Device) => Promise<T>, record?: string): Promise<T> {
  const device = await connect(uri, record === undefined ? {} : { record });
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}

describe('a program against its recorded session', () => {
  let recorded: string[];

  beforeAll(async () => {
    recorded = await against('emulator:ideal-8', (device) => program(device), file('program.mcap'));
  });

  it.each(['strict', 'semantic', 'lenient'])('gets the same samples, mode %s', async (mode) => {
    expect(await against(replay('program.mcap', `?mode=${mode}`), (device) => program(device))).toEqual(
      recorded,
    );
  });

  it('takes the recorded time, or half of it, if an option asks for it', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder({ file: file('slow.mcap'), clock });
    const slow = await openTestBoard('ideal-8', {
      clock,
      wrap: (port) => recorder.tap(lateReads(port, clock, 40)),
    });
    const startMs = clock.nowMs();
    await clock.run(program(slow.device));
    const tookMs = clock.nowMs() - startMs;
    await clock.run(slow.device.close());
    await recorder.close();
    for (const [timing, share] of [
      ['recorded', 1],
      ['2x', 0.5],
      ['instant', 0],
    ] as const) {
      const own = new VirtualClock();
      const device = await own.run(connect(replay('slow.mcap', `?timing=${timing}`), { clock: own }));
      const beginMs = own.nowMs();
      await own.run(program(device));
      expect((own.nowMs() - beginMs) / tookMs).toBeCloseTo(share, 1);
      await own.run(device.close());
    }
  });

  it.each([0, 10])(
    'the error of a changed program names the message, the field, both values and the line of the program, with a stack limit of %i',
    async (limit) => {
      const before = Error.stackTraceLimit;
      Error.stackTraceLimit = limit;
      const error = await failure(against(replay('program.mcap'), (device) => program(device, 5))).finally(
        () => {
          Error.stackTraceLimit = before;
        },
      );
      expect(error).toMatchObject({
        code: 'REPLAY_MISMATCH',
        message: expect.stringMatching(
          /start\.runSeed: recorded 3, got 5\. The call is .*replay\.test\.ts:\d+:\d+/,
        ),
        data: { field: 'runSeed', expected: 3, got: 5 },
      });
    },
  );

  it('can be served to other programs, and begins again for the next client', async () => {
    const never = (): never => {
      throw new Error('the program is the recorded one');
    };
    const options = { mode: 'strict', speed: Infinity, onMismatch: never, onPortLost: never } as const;
    const board = await createReplay(file('program.mcap'), undefined, options);
    const server = new BoardServer(board, {
      onEvent: ({ event }) => {
        if (event === 'left') board.rewind();
      },
    });
    for (let client = 0; client < 2; client++) {
      const [host, far] = memoryPortPair('client');
      server.addConnection(far);
      const device = await Device.open(host);
      expect(await program(device)).toEqual(recorded);
      await device.close();
    }
  });

  it('a program that ends early fails when it closes the device; one that asks for more fails at once', async () => {
    const early = await failure(against(replay('program.mcap'), (device) => device.readStatus()));
    expect(early).toMatchObject({ code: 'REPLAY_MISMATCH', data: { expected: 'defineProgram', got: 'end' } });
    const more = await failure(
      against(replay('program.mcap'), async (device) => {
        await program(device);
        await device.acknowledge();
      }),
    );
    expect(more).toMatchObject({ data: { field: 'command', expected: 'nothing more', got: 'acknowledge' } });
  });

  it('mode semantic allows repeated and missing reads, strict does not', async () => {
    const other = async (device: Device): Promise<string[]> => {
      await device.loadProgram(0, NOISY);
      const first = await device.acquire(RUN);
      await device.readStatus();
      await device.readStatus();
      const second = await device.acquire({ ...RUN, runSeed: 4, sampleCount: 30_000 });
      return [digestOf(first), digestOf(second)];
    };
    expect(await against(replay('program.mcap', '?mode=semantic'), other)).toEqual(recorded);
    expect(await failure(against(replay('program.mcap'), other))).toMatchObject({ code: 'REPLAY_MISMATCH' });
  });

  it('mode lenient answers by content, in any order and any number of times', async () => {
    const codes = await against(replay('program.mcap', '?mode=lenient'), async (device) => {
      await device.loadProgram(0, NOISY);
      const second = await device.acquire({ ...RUN, runSeed: 4, sampleCount: 30_000 });
      const first = await device.acquire(RUN);
      return [digestOf(first), digestOf(second), digestOf(await device.acquire(RUN))];
    });
    expect(codes).toEqual([...recorded, recorded[0]]);
    const unknown = (device: Device) => program(device, 77);
    expect(await failure(against(replay('program.mcap', '?mode=lenient'), unknown))).toMatchObject({
      code: 'REPLAY_MISMATCH',
    });
  });
});

describe('the commands of a laboratory with their recorded sessions', () => {
  /** The output of a command, without the time and the device. */
  async function printed(device: string, ...args: string[]): Promise<string> {
    const { stdout, exitCode } = await runCommand(...args, '--device', device, '--json');
    expect(exitCode).toBe(0);
    const { timing: _, device: __, ...result } = JSON.parse(stdout);
    return JSON.stringify(result);
  }

  it('solve', async () => {
    writeFileSync(file('A.csv'), '4,1\n1,3\n');
    writeFileSync(file('b.csv'), '1\n2\n');
    const command = ['solve', '--matrix', file('A.csv'), '--rhs', file('b.csv')];
    const first = await printed('emulator:prototype-8', ...command, '--record', file('solve.mcap'));
    expect(await printed(replay('solve.mcap'), ...command)).toBe(first);
  });

  it('calibrate', { tags: 'long' }, async () => {
    const command = ['calibrate', '--samples', '1000', '--out', file('calibration.json')];
    await printed('emulator:prototype-8?die=2', ...command, '--record', file('calibrate.mcap'));
    const first = readFileSync(file('calibration.json'), 'utf8');
    await printed(replay('calibrate.mcap'), ...command);
    const again = JSON.parse(readFileSync(file('calibration.json'), 'utf8'));
    const { measuredAt: _, expiresAt: __, ...measured } = again;
    expect(JSON.parse(first)).toMatchObject(measured);
  });

  it('a short training', { tags: 'long' }, async () => {
    const train = (device: string, ...more: string[]) =>
      runCommand(
        ...['train', 'mnist', '--data', fewDigits(), '--train-size', '256', '--batch', '128'],
        ...['--epochs', '1', '--device', device, '--json', ...more],
      );
    const first = JSON.parse((await train('emulator:ideal-crossbar', '--record', file('train.mcap'))).stdout);
    const again = JSON.parse((await train(replay('train.mcap'))).stdout);
    expect(again.steps).toBe(first.steps);
    expect(again.testLoss).toBe(first.testLoss);
  });
});

describe('a session with faults', () => {
  it('lost blocks that were requested again', async () => {
    const clock = new VirtualClock();
    let blocks = 0;
    const recorder = new Recorder({ file: file('lossy.mcap'), clock });
    const { device } = await openTestBoard('ideal-8', {
      clock,
      toHost: (frame, bytes) => (frame?.channel === 2 && blocks++ % 3 === 1 ? [] : [bytes]),
      wrap: (port) => recorder.tap(port),
    });
    const run = { ...RUN, sampleCount: 30_000, onLoss: 'reRequest' as const };
    await clock.run(device.loadProgram(0, NOISY));
    const codes = digestOf(await clock.run(device.acquire(run)));
    await clock.run(device.close());
    await recorder.close();
    const again = await clock.run(connect(replay('lossy.mcap'), { clock }));
    await clock.run(again.loadProgram(0, NOISY));
    expect(digestOf(await clock.run(again.acquire(run)))).toEqual(codes);
    await clock.run(again.close());
  });

  it('a cable that was pulled during a run', async () => {
    const clock = new VirtualClock();
    const recorder = new Recorder({ file: file('pulled.mcap'), clock });
    const plugged = await pluggedBoard(NOISY, { wrap: (port) => recorder.tap(port), clock });
    const work = async (device: Device, pull: (n: number) => Promise<void>) => {
      const run = { ...RUN, sampleCount: 40_000, onLoss: 'reRequest' as const, watchdogMs: 60_000 };
      const acquiring = device.acquire(run);
      await pull(0);
      const first = digestOf(await clock.run(acquiring));
      await clock.run(device.loadProgram(0, NOISY));
      const last = await clock.run(device.acquire(RUN));
      return [first, digestOf(last)];
    };
    const recorded = await work(plugged.device, async () => {
      for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
      await plugged.hub.pull('A');
      void clock.schedule(400, () => plugged.hub.plugIn('A', '/dev/ttyACM1'));
      await pause(clock, 1000);
    });
    await clock.run(plugged.device.close());
    await recorder.close();
    const device = await clock.run(connect(replay('pulled.mcap'), { clock }));
    await clock.run(device.loadProgram(0, NOISY));
    const again = await work(device, () => Promise.resolve());
    expect(again).toEqual(recorded);
    await clock.run(device.close());
  });
});
