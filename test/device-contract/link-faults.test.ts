import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import type { RunOptions } from '../../src/driver/device-api.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { openWebSerialPort } from '../../src/web/serial-port.js';
import { FaultPlan } from '../simulation/fault-plan.js';
import { type FaultName, FRAME_FAULTS } from '../simulation/faults.js';
import { drawScenario } from '../simulation/scenario.js';
import { FakeSerialPort } from '../support/fake-web-serial.js';
import { diagonalProgram } from '../support/test-board.js';
import { DEVICES, type DeviceUnderTest, optionsOn } from './devices.js';
import { FaultyPort } from './faulty-port.js';

/** SEED=1 SEEDS=100 npx vitest run test/device-contract/link-faults.test.ts plays 100 schedules. */
const FIRST_SEED = Number(process.env['SEED'] ?? 0);
const SEEDS = Number(process.env['SEEDS'] ?? 8);
/** Every fault happens in at least one of this number of schedules. */
const ALL_FAULTS_SEEDS = 8;
/** Stalls and repeated frames take time. The deadlines here must be longer than that. */
const PATIENT = { timeoutMs: 40_000 };
const FAULTS: readonly FaultName[] = [...FRAME_FAULTS, 'stall'];

const SAMPLES = 30_000;
const PROGRAM: ProgramImage = { ...diagonalProgram(8), noiseAmplitude: 20011, noiseShift: 12 };
const RUN: RunOptions = {
  ...PATIENT,
  bank: 0,
  runSeed: 3,
  burnInTicks: 20,
  sampleCount: SAMPLES,
  ticksPerSample: 1,
  watchdogMs: 60_000,
  onLoss: 'reRequest',
};
const ENDLESS: RunOptions = { ...RUN, sampleCount: 0, burnInTicks: 1e12 };

/** The work of one session. The host must receive exactly the same as over a faultless line. */
async function work(device: Device, samplesMax = SAMPLES): Promise<unknown[]> {
  const told: unknown[] = [];
  const acquire = async (change: Partial<RunOptions> = {}): Promise<void> => {
    const wanted = { ...RUN, ...change };
    const sampleCount = Math.min(wanted.sampleCount, samplesMax);
    const { codes, report } = await device.acquire({ ...wanted, sampleCount });
    told.push(
      report.outcome,
      report.samplesTaken,
      report.ticksDone,
      Buffer.from(codes.buffer).toString('base64'),
    );
  };
  told.push(await device.loadProgram(0, PROGRAM, PATIENT));
  await acquire();
  const drive = PROGRAM.drive.map((code) => -code);
  told.push(await device.rewriteProgram(0, { ...PROGRAM, drive }, PATIENT));
  await acquire({ runSeed: 4, keepState: true });
  const aborted = await device.run(ENDLESS);
  await aborted.abort();
  told.push((await aborted.finished).outcome);
  const stopped = await device.run(ENDLESS);
  await device.stop(PATIENT);
  told.push((await stopped.finished).outcome, await device.acknowledge(PATIENT));
  const far = {
    ...PROGRAM,
    damping: 0,
    drive: new Int16Array(8).fill(32767),
    couplings: new Int16Array(64).fill(1),
  };
  told.push(await device.loadProgram(1, far, PATIENT));
  await acquire({ bank: 1, sampleCount: 10_000 });
  told.push(await device.acknowledge(PATIENT), await device.loadProgram(0, PROGRAM, PATIENT));
  await acquire();
  const { state, stateDigest, tick } = await device.readStatus(PATIENT);
  told.push(state, stateDigest, tick);
  return told;
}

/** The same work on a faultless line, with the emulator in this process. */
async function undisturbed({ profile, samplesMax }: DeviceUnderTest): Promise<unknown[]> {
  const device = await connect(`emulator:${profile}`);
  try {
    return await work(device, samplesMax);
  } finally {
    await device.close();
  }
}

interface Outcome {
  readonly told: unknown[];
  readonly hits: ReadonlyMap<FaultName, number>;
  readonly mended: number;
}

async function disturbed(under: DeviceUnderTest, seed: number): Promise<Outcome> {
  const board = await under.start();
  const { scenario, draws } = drawScenario(seed);
  const proxy = new FaultyPort(await board.open(), new FaultPlan(scenario, draws.faults));
  try {
    const device = await Device.open(proxy.port);
    try {
      const told = await work(device, under.samplesMax);
      const { retransmissions, framesFaulty } = await device.readCounters(PATIENT);
      return {
        told,
        hits: proxy.hits,
        mended: device.linkCounters.retransmissions + retransmissions + framesFaulty,
      };
    } finally {
      await device.close();
    }
  } finally {
    await board.end();
  }
}

const overWebSerial: DeviceUnderTest = {
  name: 'the emulator over a port of Web Serial',
  missing: () => undefined,
  profile: 'ideal-8',
  start() {
    const serial = new FakeSerialPort({ usbVendorId: 0x2e8a, usbProductId: 0x000a });
    const server = new BoardServer(new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 }));
    server.addLine(serial.board);
    return Promise.resolve({
      uri: 'web-serial:',
      hangsUp: false,
      open: () => openWebSerialPort(serial),
      end: () => server.close(),
    });
  },
};

/**
 * Boards with real cells give other samples every time: their answers cannot be compared with the model's.
 */
const exact = [
  ...DEVICES.filter(({ profile }) => profile !== undefined),
  // The same device, over another port of the host.
  ...(DEVICES.some(({ name }) => name === 'the emulator over TCP') ? [overWebSerial] : []),
];

describe.each(exact.map((under) => ({ under, name: under.name, missing: under.missing() })))(
  'a line with faults in front of $name',
  ({ under, missing }) => {
    it.skipIf(missing !== undefined)(
      'the host gets the same as over a faultless line',
      under.name === 'the C device over TCP' ? { tags: 'long' } : optionsOn(under),
      () => expectNothingChanged(under, 1),
    );

    it.skipIf(missing !== undefined)(
      `the host gets the same as over a faultless line in ${SEEDS} schedules`,
      { tags: 'long' },
      () => expectNothingChanged(under, SEEDS),
    );
  },
);

async function expectNothingChanged(under: DeviceUnderTest, schedules: number): Promise<void> {
  const expected = await undisturbed(under);
  const seeds = Array.from({ length: schedules }, (_, i) => FIRST_SEED + i);
  const total = new Map<FaultName, number>();
  let mended = 0;
  const one = async (seed: number): Promise<void> => {
    const outcome = await disturbed(under, seed).catch((error: unknown) => {
      throw new Error(`SEED=${seed} SEEDS=1: ${String(error)}`, { cause: error });
    });
    expect({ seed, told: outcome.told }).toEqual({ seed, told: expected });
    for (const [fault, hits] of outcome.hits) total.set(fault, (total.get(fault) ?? 0) + hits);
    mended += outcome.mended;
  };
  if (under.onlyOne) for (const seed of seeds) await one(seed);
  // The schedules run at once, because each mostly waits.
  else await Promise.all(seeds.map(one));
  if (process.env['SHOW']) console.log(total, mended);
  expect(mended).toBeGreaterThan(0);
  if (schedules < ALL_FAULTS_SEEDS) return;
  for (const fault of FAULTS) expect(total.get(fault) ?? 0, fault).toBeGreaterThan(0);
}
