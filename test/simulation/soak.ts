import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { Device } from '../../src/driver/device.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { FRAME_FAULTS } from './faults.js';
import { liveBytes } from './heap.js';
import { Lane } from './lane.js';
import { LinePort } from './line-port.js';
import { Random } from './random.js';
import { MortalClock, VirtualTime } from './virtual-time.js';

/** The rate of the line, 1 MB/s, in bytes a millisecond. */
const BYTES_PER_MS = 1000;
const FRAME_BYTES = 8192;
const LATENCY_MS = 1;
/** Share of the frames that have a fault. */
const FRAME_ERRORS = 0.001;
const CELLS = 256;
const MINUTE_MS = 60_000;
/** Bytes on the line in addition to the codes of a sample: headers, indices, COBS. */
const SAMPLE_BYTES = 2 * CELLS * 1.03;

export interface SoakResult {
  readonly samples: number;
  /** Samples that the host reports as lost. */
  readonly lost: number;
  /** Bytes in use at the end of each virtual minute. */
  readonly live: readonly number[];
  readonly retransmissions: number;
}

/** A stream of `minutes` virtual minutes at 1 MB/s, over a line with a fault in one of 1000 frames. */
export async function soak(
  minutes: number,
  seed: number,
  progress: (minute: number) => void,
): Promise<SoakResult> {
  const time = new VirtualTime();
  const random = new Random(seed, 1);
  const lane = (deliver: (bytes: Uint8Array) => void): Lane =>
    new Lane(time, {
      latencyMs: LATENCY_MS,
      bytesPerMs: BYTES_PER_MS,
      random,
      fault: () => (random.chance(FRAME_ERRORS) ? random.pick(FRAME_FAULTS) : undefined),
      deliver,
    });
  const toBoard = lane((bytes) => boardPort.deliver(bytes));
  const toHost = lane((bytes) => hostPort.deliver(bytes));
  const port = (name: string, out: Lane): LinePort =>
    new LinePort(name, 50 * BYTES_PER_MS, {
      frameBytesMax: FRAME_BYTES,
      send: (bytes) => out.send(bytes),
      schedule: (ms, callback) => time.schedule(ms, callback),
      closed: () => undefined,
    });
  const hostPort = port('host', toBoard);
  const boardPort = port('board', toHost);
  const board = new EmulatedDevice({ profile: findProfile(`ideal-${CELLS}`)!, dieSeed: 1 });
  new ServedDevice(board, boardPort, { clock: new MortalClock(time, 1), sliceTicksMax: 1024 });

  const result = { samples: 0, lost: 0, live: [] as number[], retransmissions: 0 };
  let ended = false;
  const work = stream(hostPort, time, minutes, result, random).finally(() => {
    ended = true;
  });
  // The work is awaited at the end. Until then a rejection must not count as unhandled.
  work.catch(() => undefined);
  let nextMs = MINUTE_MS;
  await time.run(() => {
    if (time.nowMs() >= nextMs) {
      nextMs += MINUTE_MS;
      result.live.push(liveBytes());
      progress(result.live.length);
    }
    return ended;
  });
  await work;
  return result;
}

async function stream(
  port: LinePort,
  time: VirtualTime,
  minutes: number,
  result: { samples: number; lost: number; retransmissions: number },
  random: Random,
): Promise<void> {
  const nonce = Uint8Array.from({ length: 8 }, () => random.whole(1, 255));
  const device = await Device.open(port, { clock: time, nonce });
  await device.loadProgram(0, stillProgram());
  const run = await device.run({
    bank: 0,
    runSeed: 1,
    burnInTicks: 0,
    sampleCount: Math.floor((minutes * MINUTE_MS * BYTES_PER_MS) / SAMPLE_BYTES),
    // The board only reads and sends: this tests the line.
    ticksPerSample: 0,
    onLoss: 'reRequest',
  });
  const cellsOf = (codes: Int16Array): boolean => codes.every((code, i) => code === codes[i % CELLS]);
  for await (const block of run.blocks) {
    result.samples += block.sampleCount;
    if (!cellsOf(block.codes)) throw new Error(`sample ${block.firstSample} is another one`);
  }
  await run.finished;
  result.lost = run.lost.reduce((sum, { from, to }) => sum + to - from, 0);
  result.retransmissions = device.linkCounters.retransmissions;
  await device.close();
}

/** A program in which no cell moves. */
function stillProgram(): ProgramImage {
  return {
    mode: PROGRAM_MODE.factored,
    cells: CELLS,
    rows: 1,
    couplingBits: 8,
    rowAttenuation: 0,
    couplings: new Int8Array(CELLS),
    drive: new Int16Array(CELLS),
    initialState: Int16Array.from({ length: CELLS }, (_, i) => 10 * i),
    damping: 0,
    noiseAmplitude: 0,
    noiseShift: 8,
  };
}
