import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { verdictText } from '../../../src/cli/commands/trace/verify/verdict-text.js';
import { connect, openPort } from '../../../src/connect.js';
import { Device } from '../../../src/driver/device.js';
import { ThermolinkError } from '../../../src/errors.js';
import { openTrace } from '../../../src/traces/open-trace.js';
import { Recorder } from '../../../src/traces/recorder.js';
import type { TraceMessage } from '../../../src/traces/trace-message.js';
import { compareRuns } from '../../../src/traces/verify/compare-runs.js';
import { judge } from '../../../src/traces/verify/judge.js';
import { verifyTrace } from '../../../src/traces/verify/verify.js';
import type { VerifyOptions } from '../../../src/traces/verify/verify-result.js';
import { temporaryDirectory } from '../../cli/support/temporary-files.js';
import { DEVICES, type DeviceUnderTest } from '../../device-contract/devices.js';
import { Random } from '../../simulation/random.js';
import { runCommand } from '../../support/command-line.js';
import { diagonalProgram } from '../../support/test-board.js';

const directory = temporaryDirectory();
const PLAIN = diagonalProgram(8, 3000);
/** Couplings of 12 bits. Every board supports this width. */
const NOISY = {
  ...PLAIN,
  couplingBits: 12,
  couplings: PLAIN.couplings.map((code) => code >> 4),
  noiseAmplitude: 16000,
  noiseShift: 16,
};
const RUN = { bank: 0, burnInTicks: 200, sampleCount: 200, ticksPerSample: 64 };

async function messagesOf(path: string): Promise<TraceMessage[]> {
  const trace = await openTrace(path);
  try {
    return [...trace.messages()];
  } finally {
    trace.close();
  }
}

/** Records the session of `work` with a board. */
async function recorded(
  name: string,
  uri: string,
  work: (device: Device) => Promise<unknown>,
): Promise<TraceMessage[]> {
  const path = join(directory, name);
  const device = await connect(uri, { record: path });
  try {
    await work(device);
  } finally {
    await device.close();
  }
  return messagesOf(path);
}

async function verified(messages: Iterable<TraceMessage>, uri: string, options?: VerifyOptions) {
  return verifyTrace(messages, await openPort(uri), options);
}

/** A session with several runs, two banks, a run that is aborted, a stop and a refusal. */
async function variedSession(device: Device): Promise<void> {
  await device.loadProgram(0, NOISY);
  await device.acquire({ ...RUN, runSeed: 1 });
  await device.loadProgram(1, diagonalProgram(8, 500));
  await device.acquire({ ...RUN, bank: 1, runSeed: 2, sampleCount: 3, firstTick: 1000 });
  await device.readStatus();
  const run = await device.run({ ...RUN, runSeed: 3, sampleCount: 1_000_000 });
  for await (const block of run.blocks) if (block.firstSample > 2000) break;
  await run.finished;
  await device.acquire({ ...RUN, runSeed: 4 });
  await device.stop();
  await device.acquire({ ...RUN, runSeed: 5 }).catch(() => undefined);
  await device.acknowledge();
  await device.readStatus();
}

/** The devices that are compared with the emulator in this process. */
const OTHERS: readonly (readonly [string, DeviceUnderTest | undefined])[] = [
  ['the emulator in this process', undefined],
  ...DEVICES.map((device) => [device.name, device] as const),
];

/** Quick tests use a device in this process and one line. The long tests use all devices. */
const QUICK_OTHERS = OTHERS.slice(0, 2);
const LONG_OTHERS = OTHERS.slice(2);

let varied: TraceMessage[];
let statistics: TraceMessage[];
let readings: TraceMessage[];

beforeAll(async () => {
  varied = await recorded('varied.mcap', 'emulator:ideal-8', variedSession);
  statistics = await recorded('statistics.mcap', 'emulator:prototype-8?die=1', async (device) => {
    await device.loadProgram(0, NOISY);
    await device.acquire({ ...RUN, runSeed: 1, sampleCount: 4000 });
  });
  await recorded('short.mcap', 'emulator:prototype-8?die=1', async (device) => {
    for (let i = 0; i < 40; i++) {
      await device.loadProgram(0, { ...NOISY, drive: NOISY.drive.map((code) => code + 100 * i) });
      await device.acquire({ ...RUN, runSeed: i, sampleCount: 2 });
    }
  });
  const settle = (device: Device) => device.acquire({ ...RUN, runSeed: 1, sampleCount: 1 });
  readings = await recorded('readings.mcap', 'emulator:prototype-8?die=1', async (device) => {
    await device.loadProgram(0, { ...NOISY, noiseAmplitude: 0 });
    await settle(device);
    await device.rewriteProgram(0, {
      ...NOISY,
      noiseAmplitude: 0,
      drive: NOISY.drive.map((code) => -code),
    });
    await settle(device);
  });
});

describe('the same digital noise', () => {
  it.each(QUICK_OTHERS)('gives every message again: %s', expectAgain);
  it.each(LONG_OTHERS)('gives every message again: %s', { tags: 'long' }, expectAgain);

  async function expectAgain(_: string, device: DeviceUnderTest | undefined): Promise<void> {
    if (device && (device.profile !== 'ideal-8' || device.missing() !== undefined)) return;
    const running = await device?.start();
    try {
      const port = running ? await running.open() : await openPort('emulator:ideal-8');
      // The C device has a firmware version of its own; its model and die are the same.
      const result = await verifyTrace(varied, port, { mode: 'exact' });
      expect(result.differences).toEqual([]);
      expect(result.runsThatDiffer).toBe(0);
      expect(result.passed).toBe(true);
      expect(result.runs).toHaveLength(4);
      expect(result.samples).toBeGreaterThan(2400);
    } finally {
      await running?.end();
    }
  }

  it('is chosen automatically for the same die, and one wrong bit is found', async () => {
    const result = await verified(varied, 'emulator:ideal-8');
    expect([result.mode, result.passed]).toEqual(['exact', true]);
    const at = varied.findIndex(({ samples }) => samples);
    const block = varied[at];
    const codes = block.samples!.codes.slice();
    codes[11] ^= 1;
    const falsified = varied.with(at, { ...block, samples: { ...block.samples!, codes } });
    const other = await verified(falsified, 'emulator:ideal-8');
    expect(other.passed).toBe(false);
    const first = other.runs.find((run) => run.firstDifference)?.firstDifference;
    expect(first).toEqual({ sample: 1, cell: 3, recorded: codes[11], found: codes[11] ^ 1 });
  });

  it('shows a different field by message and name', async () => {
    const at = varied.findIndex(({ name, kind }) => name === 'commit' && kind === 'answer');
    const commit = varied[at];
    const falsified = varied.with(at, { ...commit, fields: { ...commit.fields, noiseCodeMax: 17 } });
    const { differences, passed } = await verified(falsified, 'emulator:ideal-8');
    expect(passed).toBe(false);
    expect(differences).toEqual([
      { message: commit.index, name: 'commit', field: 'noiseCodeMax', recorded: 17, found: 16000 },
    ]);
  });
});

describe('a watchdog that tripped', () => {
  /** The host becomes silent during a run, and then goes on. */
  async function silentSession(): Promise<TraceMessage[]> {
    const path = join(directory, 'silent.mcap');
    const recorder = new Recorder({ file: path });
    const port = recorder.tap(await openPort('emulator:ideal-8'));
    let isSilent = false;
    const write = port.write.bind(port);
    port.write = (bytes) => (isSilent ? Promise.resolve() : write(bytes));
    const device = await Device.open(port);
    await device.loadProgram(0, NOISY);
    const run = await device.run({ ...RUN, runSeed: 1, sampleCount: 1_000_000, watchdogMs: 200 });
    isSilent = true;
    const report = await run.finished;
    isSilent = false;
    expect(report.outcome).toBe('watchdog');
    await device.readCounters();
    await device.acknowledge();
    await device.readStatus();
    await device.loadProgram(0, NOISY);
    await device.acquire({ ...RUN, runSeed: 2 });
    await device.close();
    await recorder.close();
    return messagesOf(path);
  }

  let messages: TraceMessage[];
  beforeAll(async () => void (messages = await silentSession()));

  it.each(QUICK_OTHERS)('ends the run again after the same silence: %s', expectTripped);
  it.each(LONG_OTHERS)('ends the run again after the same silence: %s', { tags: 'long' }, expectTripped);

  async function expectTripped(_: string, device: DeviceUnderTest | undefined): Promise<void> {
    if (device && (device.profile !== 'ideal-8' || device.missing() !== undefined)) return;
    const running = await device?.start();
    try {
      const port = running ? await running.open() : await openPort('emulator:ideal-8');
      const result = await verifyTrace(messages, port, { mode: 'exact' });
      expect(result.differences).toEqual([]);
      expect([result.passed, result.runs.length]).toEqual([true, 2]);
    } finally {
      await running?.end();
    }
  }
});

describe('other noise', () => {
  it('on the same board agrees', async () => {
    const { mode, passed, runsThatDiffer, verdict } = await verified(
      statistics,
      'emulator:prototype-8?die=1',
      {
        freshNoise: 1,
        // A false alarm comes once in a million seeds.
        rate: 1e-6,
      },
    );
    expect([mode, passed, runsThatDiffer]).toEqual(['statistical', true, 1]);
    const cells = { mean: 8, variance: 8, innovation: 8, autocorrelation: 8 };
    expect(verdict.tests).toEqual({ ...cells, covariance: 28, reading: 0 });
  });

  it('with deviations in cells of equal means is not taken for a board with swapped cells, but swapped cells are found', async () => {
    const result = await verified(statistics, 'emulator:prototype-8?die=1', { freshNoise: 5 });
    const random = new Random(3, 1);
    const samples = (means: readonly number[], spreads: readonly number[]) => ({
      cells: 8,
      codes: Int16Array.from({ length: 8 * 4000 }, (_, at) =>
        Math.round(means[at % 8] + spreads[at % 8] * random.whole(-100, 100)),
      ),
    });
    const textOf = (recorded: ReturnType<typeof samples>, found: ReturnType<typeof samples>): string => {
      const comparisons = [{ ...compareRuns(recorded, found), runs: [0], isOneProgram: true }];
      const verdict = judge(comparisons, 1e-3);
      expect(verdict.deviations.length).toBeGreaterThan(1);
      return verdictText({ ...result, comparisons, verdict, passed: false, runsThatDiffer: 1 }, []);
    };
    const [none, same] = [Array(8).fill(0), Array(8).fill(1)];
    const wide = same.with(2, 1.4).with(5, 1.4);
    expect(textOf(samples(none, same), samples(none, wide))).not.toContain('swapped');
    const [before, after] = [none.with(2, 90), none.with(5, 90)];
    expect(textOf(samples(before, same), samples(after, same))).toContain('cells 2 and 5 are swapped');
  });

  it('of another die deviates, in its converters and in its registers', async () => {
    const { passed, verdict, differences } = await verified(statistics, 'emulator:prototype-8?die=2');
    expect(passed).toBe(false);
    expect(differences.map(({ field }) => field)).toContain('noiseCodeMax');
    expect(verdict.deviations.filter(({ statistic }) => statistic === 'mean').length).toBeGreaterThan(3);
  });

  it('in short runs is compared over all runs together', async () => {
    const short = await messagesOf(join(directory, 'short.mcap'));
    const same = await verified(short, 'emulator:prototype-8?die=1', { freshNoise: 1, rate: 1e-6 });
    expect([same.passed, same.runsNotCompared]).toEqual([true, 0]);
    expect(same.comparisons.map((one) => [one.isOneProgram, one.samples, one.readings])).toEqual([
      [false, 80, undefined],
      [false, 80, 640],
    ]);
    const dead = await verified(short, 'emulator:prototype-8?die=1&faults=deadCell:3@0', { freshNoise: 1 });
    expect(dead.verdict.deviations.map(({ statistic, cell }) => `${statistic} ${cell}`)).toContain('mean 3');
  });
});

describe('single readings without noise', () => {
  it('of the same board agree within the noise of its converters', async () => {
    const { passed, verdict } = await verified(readings, 'emulator:prototype-8?die=1', {
      freshNoise: 1,
      rate: 1e-6,
    });
    expect([passed, verdict.tests.reading]).toEqual([true, 16]);
  });

  it('of another die deviate, although there are only two readings', async () => {
    const { verdict } = await verified(readings, 'emulator:prototype-8?die=2');
    expect(new Set(verdict.deviations.map(({ statistic }) => statistic))).toEqual(new Set(['reading']));
    expect(verdict.deviations.length).toBeGreaterThan(6);
  });
});

describe('a board that is of another kind', () => {
  it('is recognized by its sizes, and commands that it refuses are differences', async () => {
    const { passed, differences } = await verified(varied, 'emulator:prototype-64');
    expect(passed).toBe(false);
    expect(differences.map(({ field }) => field)).toContain('cells');
  });

  it('a trace without a session is refused', async () => {
    const refused = await verified([], 'emulator:ideal-8').catch((error: unknown) => error);
    expect((refused as ThermolinkError).code).toBe('BAD_FILE');
    const badRate = await verified(varied, 'emulator:ideal-8', { rate: 0 }).catch((error: unknown) => error);
    expect(badRate).toBeInstanceOf(ThermolinkError);
  });

  it('an abort ends the verification', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort() };
    const error = await verified(varied, 'emulator:ideal-8', options).catch((reason: unknown) => reason);
    expect((error as ThermolinkError).code).toBe('ABORTED');
  });
});

describe('thermolink trace verify', () => {
  const file = (name: string): string => join(directory, name);

  it('exits with 0 and says that every message is equal', async () => {
    const { exitCode, stdout } = await runCommand(
      'trace',
      'verify',
      file('varied.mcap'),
      '--device',
      'emulator:ideal-8',
    );
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('every message is equal')]);
  });

  it('exits with 1 on a deviation, with volts, a probability and a picture', async () => {
    const { exitCode, stdout, stderr } = await runCommand(
      ...['trace', 'verify', file('statistics.mcap'), '--device', 'emulator:prototype-8?die=2'],
      ...['--out', file('comparison')],
    );
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/cell \d: mean [+-][\d.]+ ± [\d.]+ mV from [\d.]+ V \([+-][\d.]+ %\), chance/);
    expect(stdout).toContain('another board');
    expect(stderr).toContain('TRACE_DEVIATES');
    const { exitCode: again, stdout: json } = await runCommand(
      ...['trace', 'verify', file('statistics.mcap'), '--device', 'emulator:prototype-8?die=2', '--json'],
    );
    const { error } = JSON.parse(json) as { error: { code: string; data: { report: { passed: boolean } } } };
    expect([again, error.code, error.data.report.passed]).toEqual([1, 'TRACE_DEVIATES', false]);
  });

  it('writes report and picture of any session', () => expectPicture('readings.mcap'));
  it.each(['short.mcap', 'varied.mcap'])(
    'writes report and picture of the session %s',
    { tags: 'long' },
    expectPicture,
  );

  async function expectPicture(name: string): Promise<void> {
    const words = [
      'trace',
      'verify',
      file(name),
      '--device',
      'emulator:prototype-8?die=7',
      '--out',
      file(`of ${name}`),
    ];
    const { exitCode, stdout } = await runCommand(...words);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/deviates/)]);
    expect(readFileSync(join(file(`of ${name}`), 'verify.svg'), 'utf8')).toContain('standard errors');
  }

  it('asks for a device and refuses modes that exclude each other', async () => {
    const none = await runCommand('trace', 'verify', file('varied.mcap'));
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('--device')]);
    const both = await runCommand('trace', 'verify', file('varied.mcap'), '--exact', '--statistical');
    expect(both.exitCode).toBe(2);
    expect(both.stderr).toContain('--exact excludes --statistical and --fresh-noise');
  });
});
