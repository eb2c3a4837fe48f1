import { describe, expect, it, vi } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { benchProgram } from '../../src/cli/commands/bench/link.js';
import { Device } from '../../src/driver/device.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { diagonalProgram } from '../support/test-board.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** The board's end of a wire. Its reader can stop reading. */
function stallable(port: Port): { readonly port: Port; stall(): void; release(): void } {
  let gate: Promise<void> | undefined;
  let open: () => void = () => undefined;
  return {
    port: {
      name: port.name,
      frameBytesMax: port.frameBytesMax,
      get closed() {
        return port.closed;
      },
      onData: (receiver) => port.onData(receiver),
      onClose: (receiver) => port.onClose(receiver),
      close: () => port.close(),
      async write(bytes) {
        await gate;
        await port.write(bytes);
      },
    },
    stall() {
      gate = new Promise((resolve) => (open = resolve));
    },
    release: () => open(),
  };
}

describe('a host that stops reading', () => {
  it('counts as silent: the watchdog ends its run although the write still waits', async () => {
    const clock = new VirtualClock();
    const [host, far] = memoryPortPair('test');
    const wire = stallable(far);
    const board = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
    new ServedDevice(board, wire.port, { clock, sliceTicksMax: 64 });
    const device = await clock.run(Device.open(host, { clock }));
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const run = await clock.run(
      device.run({
        bank: 0,
        runSeed: 1,
        burnInTicks: 0,
        sampleCount: 1e9,
        ticksPerSample: 1,
        watchdogMs: 1000,
      }),
    );
    run.finished.catch(() => undefined);
    wire.stall();
    // A host that has stopped also writes nothing to the board.
    host.write = () => new Promise(() => undefined);
    const startMs = clock.nowMs();
    await clock.run(new Promise<void>((resolve) => clock.schedule(2000, resolve)));
    expect(board.board).toMatchObject({ state: 'safe', watchdogTrips: 1 });
    expect(clock.nowMs() - startMs).toBe(2000);
    wire.release();
  });
});

describe('the length of a slice', () => {
  const RUN = { bank: 0, runSeed: 1, burnInTicks: 200, sampleCount: 0, ticksPerSample: 0 };

  /** A served board that stores the ticks of each slice. At most `ticksMax` ticks pass in a slice. */
  async function sliced(ticksMax: number) {
    const clock = new VirtualClock();
    const [host, far] = memoryPortPair('test');
    const board = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
    new ServedDevice(board, far, { clock, sliceTicksMax: 64 });
    const asked: number[] = [];
    const advance = board.advance.bind(board);
    vi.spyOn(board, 'advance').mockImplementation((ticks) => {
      asked.push(ticks);
      return advance(Math.min(ticks, ticksMax));
    });
    const runOnce = async (): Promise<number[]> => {
      asked.length = 0;
      const device = await clock.run(Device.open(host, { clock }));
      await clock.run(device.loadProgram(0, diagonalProgram(8)));
      const run = await clock.run(device.run(RUN));
      await clock.run(run.finished);
      expect(board.board.runId).toBe(1);
      return [...asked];
    };
    return runOnce;
  }

  it('is measured anew for the first run of every session', async () => {
    const runOnce = await sliced(64);
    const first = await runOnce();
    expect(first.slice(0, 5)).toEqual([4, 8, 16, 32, 64]);
    expect(await runOnce()).toEqual(first);
  });

  it('does not grow after slices in which only a part of the ticks passed', async () => {
    const runOnce = await sliced(2);
    expect(new Set(await runOnce())).toEqual(new Set([4]));
  });
});

describe('slices in one turn of the event loop', () => {
  /** The ticks of the slices of a run, turn by turn. Each reading of the clock takes `lookMs`. */
  async function slicesByTurns(lookMs: number): Promise<number[][]> {
    let nowMs = 0;
    const turns: number[][] = [[]];
    const clock: Clock = {
      nowMs: () => (nowMs += lookMs),
      schedule: () => () => undefined,
      defer(callback) {
        turns.push([]);
        setImmediate(callback);
      },
    };
    const [host, far] = memoryPortPair('test');
    const board = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
    new ServedDevice(board, far, { clock });
    const advance = board.advance.bind(board);
    vi.spyOn(board, 'advance').mockImplementation((ticks) => {
      turns.at(-1)!.push(ticks);
      return advance(ticks);
    });
    const device = await Device.open(host, { clock: STILL });
    await device.loadProgram(0, diagonalProgram(8));
    const options = { bank: 0, runSeed: 1, burnInTicks: 200, sampleCount: 0, ticksPerSample: 0 };
    await (await device.run(options)).finished;
    return turns.filter((slices) => slices.length > 0);
  }

  it('follow each other while they are short', async () => {
    expect(await slicesByTurns(0.01)).toEqual([[4, 8, 16, 32, 64, 128]]);
  });

  it('end the turn after a millisecond, and on a clock that stands still', async () => {
    const slow = await slicesByTurns(0.3);
    expect(slow.slice(0, 2)).toEqual([
      [4, 8],
      [16, 32],
    ]);
    expect(await slicesByTurns(0)).toEqual([[4], [8], [16], [32], [64], [128]]);
  });
});

/** Time stands still and nothing is sent again. An answer that the board does not send hangs the test. */
const STILL: Clock = {
  nowMs: () => 0,
  schedule: () => () => undefined,
  defer: (callback) => void setImmediate(callback),
};

describe('an upload', () => {
  it.each([20_000, 40_000, 65_536, 1_000_000])(
    'in pieces of %i bytes: every write is answered, and several answers are sent together',
    async (pieceBytes) => {
      const [host, far] = memoryPortPair('test');
      const written: number[] = [];
      const board = new EmulatedDevice({ profile: findProfile('ideal-crossbar')!, dieSeed: 1 });
      const port: Port = {
        name: far.name,
        frameBytesMax: far.frameBytesMax,
        get closed() {
          return far.closed;
        },
        // One call brings the bytes of five turns, as from a socket whose reader was busy.
        onData(receiver) {
          let came: Uint8Array[] = [];
          const readAfter = (turns: number): void => {
            if (turns > 0) return void setImmediate(() => readAfter(turns - 1));
            const all = came;
            came = [];
            for (const bytes of all)
              for (let at = 0; at < bytes.length; at += pieceBytes)
                receiver(bytes.subarray(at, at + pieceBytes));
          };
          far.onData((bytes) => {
            if (came.push(bytes.slice()) === 1) readAfter(5);
          });
        },
        onClose: (receiver) => far.onClose(receiver),
        close: () => far.close(),
        write(bytes) {
          written.push(bytes.length);
          return far.write(bytes);
        },
      };
      new ServedDevice(board, port, { clock: STILL });
      const device = await Device.open(host, { clock: STILL });
      const image = benchProgram(device.identity, 3e6);
      const sentBefore = board.link.counters.framesSent;
      written.length = 0;
      await device.uploadCouplings(0, image);
      expect(board.link.counters.framesDuplicate).toBe(0);
      const frames = board.link.counters.framesSent - sentBefore;
      expect(frames).toBeGreaterThan(40);
      expect(written.length).toBeLessThan(pieceBytes < 32_768 ? frames + 1 : frames / 2);
      expect(Math.max(...written)).toBeLessThan(200);
      await device.close();
    },
  );
});
