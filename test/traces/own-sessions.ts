/**
 * The sessions of test/traces/recorded: the actions of a host with a board of each family. `npm run
 * traces:record` records them in virtual time on the memory port. own-sessions.test.ts plays them to the
 * present devices.
 */
import { type DynamicFault, EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { relax } from '../../src/algorithms/relax.js';
import { Device } from '../../src/driver/device.js';
import type { RunOptions } from '../../src/driver/device-api.js';
import { matrix } from '../../src/linalg/matrix.js';
import { calibrate } from '../../src/measure/calibrate.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { Recorder } from '../../src/traces/recorder.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { pause } from '../support/plugged-board.js';
import { diagonalProgram, NONCE, type Tamper, tamperedPort } from '../support/test-board.js';
import { UsbHub } from '../support/usb-hub.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** The actions of a host. `run` lets virtual time pass until its promise settles. */
export type Work = (device: Device, run: <T>(promise: Promise<T>) => Promise<T>) => Promise<void>;

/** One recorded session. */
export interface OwnSession {
  readonly name: string;
  readonly profile: string;
  /** A smaller board of the same family. */
  readonly cells?: number;
  readonly dieSeed?: number;
  readonly faults?: readonly DynamicFault[];
  /** The faults of the line for frames of the board. */
  readonly toHost?: () => Tamper;
  readonly work: Work;
  /** Whether the present C device must do the same: it has no imperfections, and its line loses nothing. */
  readonly onC?: boolean;
}

const NOISE = { noiseAmplitude: 16384, noiseShift: 12 };
const RUN: RunOptions = { bank: 0, runSeed: 3, burnInTicks: 20, sampleCount: 100, ticksPerSample: 2 };

/** A dense program with couplings of every sign, and noise. */
function denseProgram(cells: number, couplingBits = 16): ProgramImage {
  const image = { ...diagonalProgram(cells, 1500), couplingBits };
  const couplings = image.couplings.slice();
  for (let i = 0; i < cells; i++)
    for (let j = 0; j < cells; j++) if (i !== j) couplings[i * cells + j] = ((i * 7 + j * 7) % 5) * 300 - 600;
  for (let i = 0; i < couplings.length; i++) couplings[i] >>= 16 - couplingBits;
  return {
    ...image,
    couplings: couplingBits > 8 ? couplings : Int8Array.from(couplings),
    ...NOISE,
    initialState: Int16Array.from({ length: cells }, (_, i) => i * 500),
  };
}

/** A factored program: A = KᵀK + λI with 4 rows. */
function factoredProgram(cells: number): ProgramImage {
  const rows = 4;
  const couplings = Int8Array.from({ length: rows * cells }, (_, i) => ((i * 37) % 61) - 30);
  return {
    ...diagonalProgram(cells, 900),
    mode: PROGRAM_MODE.factored,
    rows,
    couplingBits: 8,
    couplings,
    damping: 8192,
    ...NOISE,
  };
}

/** Loads, runs twice, reads, keeps the state, and aborts a long run. */
const dense: Work = async (device, run) => {
  const { cells, couplingBits } = device.identity;
  await run(device.readStatus());
  await run(device.loadProgram(0, denseProgram(cells, couplingBits)));
  await run(device.acquire(RUN));
  await run(
    device.rewriteProgram(0, {
      ...denseProgram(cells, couplingBits),
      drive: new Int16Array(cells).fill(-700),
    }),
  );
  await run(device.acquire({ ...RUN, keepState: true, firstTick: 1000, runSeed: 4 }));
  await run(device.loadProgram(1, denseProgram(cells, couplingBits)));
  await run(device.acquire({ ...RUN, bank: 1, sampleCount: 0 }));
  await run(device.readStatus());
};

const factored: Work = async (device, run) => {
  await run(device.loadProgram(0, factoredProgram(8)));
  await run(device.acquire(RUN));
  await run(device.readStatus());
};

const stop: Work = async (device, run) => {
  await run(device.loadProgram(0, denseProgram(8)));
  const running = await run(device.run({ ...RUN, burnInTicks: 1e9, sampleCount: 1 }));
  await run(device.stop());
  await run(running.finished.catch(() => undefined));
  await run(device.acknowledge());
  await run(device.loadProgram(0, denseProgram(8)));
  await run(device.acquire({ ...RUN, sampleCount: 10 }));
};

/** A cell that is driven beyond its rail. */
const overload: Work = async (device, run) => {
  const image = {
    ...diagonalProgram(8, 16000),
    couplings: diagonalProgram(8).couplings.map((code) => code >> 4),
  };
  await run(device.loadProgram(0, image));
  await run(device.acquire(RUN).catch(() => undefined));
  await run(device.acquire({ ...RUN, onOverload: 'mark' }));
  await run(device.readStatus());
};

const reRequested: Work = async (device, run) => {
  await run(device.loadProgram(0, denseProgram(8)));
  await run(device.acquire({ ...RUN, sampleCount: 4000, ticksPerSample: 1, onLoss: 'reRequest' }));
};

/** The board restarts in the middle and forgets everything. */
const fault: Work = async (device, run) => {
  await run(device.loadProgram(0, denseProgram(8)));
  await run(device.acquire({ ...RUN, sampleCount: 50, ticksPerSample: 20 }));
  await run(device.acquire({ ...RUN, runSeed: 8 }));
  await run(device.readStatus());
};

const calibration: Work = async (device, run) => {
  await run(calibrate(device, { seed: 1, samples: 1000, crosspoints: false }));
};

/** Steps of a natural gradient: each has a new factor K and a new drive, and starts at the last state. */
const training: Work = async (device, run) => {
  let state: Float64Array = new Float64Array(8);
  for (let step = 0; step < 4; step++) {
    const factor = matrix(4, 8);
    for (let i = 0; i < factor.data.length; i++) factor.data[i] = Math.sin(1 + i * (step + 1));
    const drive = Float64Array.from({ length: 8 }, (_, i) => Math.cos(i + step));
    const { x } = await run(
      relax(device, {
        system: { kind: 'factored', factor, damping: 0.5 },
        drive,
        initial: state,
        time: 1,
        couplingBits: 8,
        address: { seed: 7, step, block: 0 },
      }),
    );
    state = x;
  }
};

/** Every third block is lost at its first sending. */
function losingBlocks(): Tamper {
  let blocks = 0;
  return (frame, bytes) => (frame?.channel === 2 && blocks++ % 3 === 1 ? [] : [bytes]);
}

/** Every fifth command frame of the board arrives twice, and every seventh is lost. */
function roughLine(): Tamper {
  let frames = 0;
  return (frame, bytes) => {
    if (frame?.channel !== 1) return [bytes];
    frames++;
    return frames % 7 === 6 ? [] : frames % 5 === 4 ? [bytes, bytes] : [bytes];
  };
}

export const OWN_SESSIONS: readonly OwnSession[] = [
  { name: 'ideal-dense', profile: 'ideal-8', work: dense, onC: true },
  { name: 'ideal-factored', profile: 'ideal-8', work: factored, onC: true },
  { name: 'crossbar-factored', profile: 'ideal-crossbar', work: factored, onC: true },
  { name: 'prototype-dense', profile: 'prototype-8', dieSeed: 2, work: dense },
  { name: 'prototype-crossbar', profile: 'prototype-crossbar', work: factored },
  { name: 'harsh', profile: 'harsh-64', work: dense },
  { name: 'spu', profile: 'spu-8', work: dense },
  { name: 'stop', profile: 'ideal-8', work: stop, onC: true },
  { name: 'overload', profile: 'ideal-8', work: overload, onC: true },
  { name: 'lost-blocks', profile: 'ideal-8', work: reRequested, toHost: losingBlocks },
  { name: 'rough-line', profile: 'ideal-8', work: dense, toHost: roughLine },
  {
    name: 'faults',
    profile: 'ideal-8',
    work: fault,
    faults: [
      { kind: 'deadCell', atTick: 300, cell: 2 },
      { kind: 'stuckAdcChannel', atTick: 500, cell: 5 },
    ],
  },
  { name: 'calibration', profile: 'prototype-8', cells: 2, dieSeed: 3, work: calibration },
  { name: 'training', profile: 'ideal-8', work: training, onC: true },
];

/**
 * Plays a session with the present emulator and records it. What the board sends arrives after `lateMs`.
 */
export async function recordOwn(
  { profile, cells, dieSeed = 1, faults, toHost, work }: OwnSession,
  file: string,
  lateMs = 0,
): Promise<void> {
  const clock = new VirtualClock();
  const run = <T>(promise: Promise<T>): Promise<T> => clock.run(promise);
  const recorder = new Recorder({ file, clock, messages: false });
  const [host, far] = memoryPortPair(`memory:${profile}`);
  const board = new EmulatedDevice({
    profile: { ...findProfile(profile)!, ...(cells === undefined ? {} : { cells, rows: cells }) },
    dieSeed,
    ...(faults ? { faults } : {}),
  });
  new ServedDevice(board, toHost ? tamperedPort(far, toHost()) : far, { clock, sliceTicksMax: 1024 });
  const device = await run(
    Device.open(recorder.tap(lateMs > 0 ? latePort(host, clock, lateMs) : host), { clock, nonce: NONCE }),
  );
  await work(device, run);
  await run(device.close());
  await recorder.close();
}

/** A port that receives everything `lateMs` later. */
function latePort(port: Port, clock: VirtualClock, lateMs: number): Port {
  const onData: Port['onData'] = (receiver) =>
    port.onData((bytes) => {
      const kept = bytes.slice();
      void clock.schedule(lateMs, () => receiver(kept));
    });
  return {
    name: port.name,
    frameBytesMax: port.frameBytesMax,
    get closed() {
      return port.closed;
    },
    onData,
    onClose: (receiver) => port.onClose(receiver),
    write: (bytes) => port.write(bytes),
    close: () => port.close(),
  };
}

/** Plays a session over a port of any kind, in real time, and records it. */
export async function recordOn(port: Port, { work }: OwnSession, file: string): Promise<void> {
  const recorder = new Recorder({ file, messages: false });
  const device = await Device.open(recorder.tap(port));
  await work(device, (promise) => promise);
  await device.close();
  await recorder.close();
}

/** A cable that is pulled in the middle of a run: the session is resumed. */
export async function recordPulledCable(file: string): Promise<void> {
  const clock = new VirtualClock();
  const recorder = new Recorder({ file, clock, messages: false });
  const hub = new UsbHub(clock);
  hub.add('A', 'ideal-8');
  hub.plugIn('A', '/dev/ttyACM0');
  const openPort = async (): Promise<Port> => recorder.tap(await hub.open('A'));
  const device = await clock.run(
    Device.open(await openPort(), { clock, nonce: NONCE, reconnect: { openPort } }),
  );
  await clock.run(device.loadProgram(0, denseProgram(8)));
  const run = { ...RUN, sampleCount: 4000, onLoss: 'reRequest' as const, watchdogMs: 60_000 };
  const acquiring = device.acquire(run);
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
  await hub.pull('A');
  void clock.schedule(400, () => hub.plugIn('A', '/dev/ttyACM1'));
  await pause(clock, 1000);
  await clock.run(acquiring);
  await clock.run(device.close());
  await recorder.close();
}
