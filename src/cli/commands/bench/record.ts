import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '../../../connect.js';
import type { Device } from '../../../driver/device.js';
import { throwIfAborted } from '../../../errors.js';
import { benchProgram } from './link.js';

const UPLOAD_BYTES = 4e6;
const DOWNLOAD_BYTES = 4e6;
/**
 * So often the upload is repeated, and samples are read: several times what waits for the recorder at most.
 */
const REPEATS = 25;
/** With and without a recording in turns, after one unmeasured turn of each. */
const ROUNDS = 4;
/** The rate at which the share of a processor is told. */
const SLOW_BYTES_PER_SECOND = 1e6;

const WORKS = ['upload', 'again', 'download'] as const;
type Work = (typeof WORKS)[number];

/** What work took. */
interface Times {
  /** Processor seconds of the thread that host and board share. */
  readonly thread: number;
  /** Processor seconds of the thread that records. */
  readonly recorder: number;
  /** Processor seconds of the whole process, garbage collector and compiler included. */
  readonly process: number;
  /** Seconds by the clock. */
  readonly clock: number;
}

/** What one kind of work takes with and without a recording, for 1 MB of codes, each in its fastest turn. */
export interface RecordingCost {
  /** Processor seconds of the thread of host and board. */
  readonly plainSecondsPerMegabyte: number;
  readonly recordedSecondsPerMegabyte: number;
  /** Processor seconds of the recording thread, beside that. */
  readonly recorderSecondsPerMegabyte: number;
  /**
   * How much of the port's full rate a recording leaves where the recording thread has a processor to itself:
   * the slower one of the two threads sets the rate.
   */
  readonly fullRateLeft: number;
  /** The same by the clock, as this machine was while it was measured. */
  readonly clockRateLeft: number;
  /** Share of a processor that recording takes at 1 MB/s, everything included. */
  readonly shareAtOneMegabyte: number;
}

/** What recording costs on a link of this process. */
export interface RecordBench {
  /** The first upload after connecting: memory of the board is made, and the recording thread starts. */
  readonly upload: RecordingCost;
  /** The same upload again. */
  readonly again: RecordingCost;
  readonly download: RecordingCost;
  /** Bytes of the file over bytes of codes. */
  readonly fileOverCodes: number;
}

export interface RecordBenchOptions {
  /** Measured turns with and without a recording, after one unmeasured turn of each. */
  readonly rounds?: number;
  /** How often a turn repeats the upload, and reads samples. */
  readonly repeats?: number;
  readonly onProgress?: (share: number) => void;
}

/**
 * Measures what a recording costs, in turns of the same work with and without it. The ratios of processor
 * times do not depend on other work of the machine; those of the clock do. `device` must be computed in this
 * process. Threads are told apart on Linux only; elsewhere their times are those of the clock.
 */
export async function benchRecord(
  uri: string,
  signal: AbortSignal,
  { rounds = ROUNDS, repeats = REPEATS, onProgress = () => undefined }: RecordBenchOptions = {},
): Promise<RecordBench> {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-bench-'));
  const none = (): Record<Work, Times[]> => ({ upload: [], again: [], download: [] });
  const times = { plain: none(), recorded: none() };
  let fileOverCodes = 0;
  try {
    for (let round = -1; round < rounds; round++)
      for (const kind of ['plain', 'recorded'] as const) {
        throwIfAborted(signal);
        onProgress((round + (kind === 'plain' ? 1 : 1.5)) / (rounds + 1));
        const file = path.join(directory, `${round}.mcap`);
        const others = new Set(threadSeconds().keys());
        const device = await connect(uri, { signal, ...(kind === 'recorded' ? { record: file } : {}) });
        const { codeBytes, ...measured } = await measure(device, others, repeats, signal);
        await device.close();
        if (kind === 'recorded') {
          fileOverCodes = statSync(file).size / codeBytes;
          rmSync(file);
        }
        if (round < 0) continue;
        for (const work of WORKS) times[kind][work].push(measured[work]);
      }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const costOf = (work: Work): RecordingCost => {
    const fastest = (kind: keyof typeof times, seconds: (turn: Times) => number): Times =>
      times[kind][work].reduce((best, turn) => (seconds(turn) < seconds(best) ? turn : best));
    const slowerThread = ({ thread, recorder }: Times): number => Math.max(thread, recorder);
    const [plain, recorded] = [fastest('plain', slowerThread), fastest('recorded', slowerThread)];
    const leftOf = (seconds: (turn: Times) => number): number =>
      seconds(fastest('plain', seconds)) / seconds(fastest('recorded', seconds));
    return {
      plainSecondsPerMegabyte: plain.thread,
      recordedSecondsPerMegabyte: recorded.thread,
      recorderSecondsPerMegabyte: recorded.recorder,
      fullRateLeft: leftOf(slowerThread),
      clockRateLeft: leftOf(({ clock }) => clock),
      shareAtOneMegabyte: ((recorded.process - plain.process) * SLOW_BYTES_PER_SECOND) / 1e6,
    };
  };
  return {
    upload: costOf('upload'),
    again: costOf('again'),
    download: costOf('download'),
    fileOverCodes,
  };
}

/** Times for 1 MB of codes of each kind of work. `others`: threads that were there before the session. */
async function measure(device: Device, others: ReadonlySet<string>, repeats: number, signal: AbortSignal) {
  const image = benchProgram(device.identity, UPLOAD_BYTES, 'everySize');
  const uploadBytes = image.couplings.byteLength;
  const sampleCount = Math.ceil(DOWNLOAD_BYTES / 2 / image.cells);
  const downloadBytes = sampleCount * image.cells * 2;
  const run = { bank: 0, runSeed: 1, burnInTicks: 0, sampleCount, ticksPerSample: 0, signal };
  const load = () => device.loadProgram(0, image, { signal, timeoutMs: 60_000 });
  const acquire = () => device.acquire(run);
  return {
    upload: await timesOf(load, 1, uploadBytes, others),
    again: await timesOf(load, repeats, uploadBytes, others),
    download: await timesOf(acquire, repeats, downloadBytes, others),
    codeBytes: (1 + repeats) * uploadBytes + repeats * downloadBytes,
  };
}

async function timesOf(
  work: () => Promise<unknown>,
  repeats: number,
  codeBytes: number,
  others: ReadonlySet<string>,
): Promise<Times> {
  const [threadsBefore, before, startMs] = [threadSeconds(), process.cpuUsage(), performance.now()];
  for (let repeat = 0; repeat < repeats; repeat++) await work();
  const clock = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  let [thread, recorder] = [threadsBefore.size > 0 ? 0 : clock, 0];
  for (const [id, seconds] of threadSeconds()) {
    const spent = seconds - (threadsBefore.get(id) ?? 0);
    if (id === String(process.pid)) thread += spent;
    else if (!others.has(id)) recorder += spent;
  }
  const perMegabyte = 1e6 / (codeBytes * repeats);
  return {
    thread: thread * perMegabyte,
    recorder: recorder * perMegabyte,
    process: ((user + system) / 1e6) * perMegabyte,
    clock: clock * perMegabyte,
  };
}

/** Processor seconds of each thread of this process, as Linux counts them to some ms; elsewhere none. */
function threadSeconds(): ReadonlyMap<string, number> {
  const folder = '/proc/self/task';
  try {
    return new Map(
      readdirSync(folder).map((id) => {
        const [ns] = readFileSync(path.join(folder, id, 'schedstat'), 'utf8').split(' ');
        return [id, Number(ns) / 1e9];
      }),
    );
  } catch {
    return new Map();
  }
}
