import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from '../../../connect.js';
import type { Device } from '../../../driver/device.js';
import { type ThermolinkError, throwIfAborted } from '../../../errors.js';
import { percentile } from '../../statistics.js';
import { benchProgram } from './link.js';
import { type BenchPort, serveBenchBoard } from './record-port.js';

const UPLOAD_BYTES = 4e6;
const DOWNLOAD_BYTES = 4e6;
/**
 * The number of uploads and of reads of samples in one turn. Their bytes are several times the bytes that can
 * wait for the recorder.
 */
const REPEATS = 25;
/**
 * Most pairs that are measured again because their recording ended early. It ends on a machine so busy that
 * nothing could be written for a second.
 */
const ENDED_MAX = 5;
/** On a slow port a turn ends earlier, after this time. */
const WORK_MS = 1000;
/** Pairs of turns with and without a recording, after one unmeasured pair. */
const ROUNDS = 5;
/** At a slow rate codes pass in pieces, one in each interval. */
const [SLOW_BYTES_PER_SECOND, SLOW_PIECE_MS] = [1e6, 20];
/** How long each direction is measured at that rate. */
const SLOW_MS = 1000;

const FAST_WORKS = ['upload', 'again', 'download'] as const;
const SLOW_WORKS = ['slowUpload', 'slowDownload'] as const;
type FastWork = (typeof FAST_WORKS)[number];
type SlowWork = (typeof SLOW_WORKS)[number];

/** Times of one kind of work, in seconds for 1 MB of codes. */
interface Times {
  /** Processor time of the thread that host and board share. */
  readonly thread: number;
  /** Processor time of the thread that records. */
  readonly recorder: number;
  /** Processor time of the whole process, garbage collector and compiler included. */
  readonly process: number;
  /** Time by the clock. */
  readonly clock: number;
}

/** The turns of one kind of work: the one without a recording, and the one with it right after. */
interface Pair {
  readonly plain: Times;
  readonly recorded: Times;
}

/** The times of one kind of work with and without a recording, for 1 MB of codes: medians over the pairs. */
export interface RecordingCost {
  /** Processor seconds of the thread of host and board. */
  readonly plainSecondsPerMegabyte: number;
  readonly recordedSecondsPerMegabyte: number;
  /** Processor seconds of the recording thread, in addition. */
  readonly recorderSecondsPerMegabyte: number;
  /** Seconds by the clock. */
  readonly plainClockSecondsPerMegabyte: number;
  /**
   * The share of the port's full rate that is left with a recording, if the recording thread has a processor
   * to itself. The slower one of the two threads sets the rate.
   */
  readonly fullRateLeft: number;
  /** The slower one of the two threads. */
  readonly limit: 'host' | 'recorder';
  /** The share that is left by the clock. It depends on the load of this machine during the measurement. */
  readonly clockRateLeft: number;
}

/** What recording costs on a link of this process. */
export interface RecordBench {
  /** The first upload after connecting: memory of the board is made, and the recording thread starts. */
  readonly upload: RecordingCost;
  /** The same upload again. */
  readonly again: RecordingCost;
  readonly download: RecordingCost;
  /** Shares of a processor that recording takes at 1 MB/s, everything included: codes out, and samples in. */
  readonly slowUploadShare: number;
  readonly slowDownloadShare: number;
  /** Bytes of the file over bytes of codes. */
  readonly fileOverCodes: number;
  /** Pairs that were measured again because their recording ended early. */
  readonly endedEarly: number;
}

export interface RecordBenchOptions {
  /** How host and board are connected. Default: in memory. */
  readonly port?: BenchPort;
  /** Measured pairs of turns with and without a recording, after one unmeasured pair. */
  readonly rounds?: number;
  /** How often a turn repeats the upload, and reads samples. */
  readonly repeats?: number;
  /** How long each direction is measured at 1 MB/s. */
  readonly slowMs?: number;
  readonly onProgress?: (share: number) => void;
}

/**
 * Measures the cost of a recording: it does the same work with and without a recording in turns, on a board
 * of `profile` that this thread computes. Other work of the machine changes ratios of clock times much,
 * ratios of processor times little. Only Linux gives the processor time of each thread; elsewhere clock times
 * are used. Errors: those of `connect`; BAD_FILE if more than ENDED_MAX recordings ended early.
 */
export async function benchRecord(
  profile: string,
  signal: AbortSignal,
  {
    port = 'memory',
    rounds = ROUNDS,
    repeats = REPEATS,
    slowMs = SLOW_MS,
    onProgress = () => undefined,
  }: RecordBenchOptions = {},
): Promise<RecordBench> {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-bench-'));
  const pairs: Pair[][] = [];
  let [fileOverCodes, endedEarly] = [0, 0];
  try {
    for (let round = -1; round < rounds; ) {
      let ended: ThermolinkError | undefined;
      const turn = async (record?: string) => {
        throwIfAborted(signal);
        onProgress((round + (record === undefined ? 1 : 1.5)) / (rounds + 1));
        const board = await serveBenchBoard(profile, port);
        try {
          const others = new Set(threadSeconds().keys());
          const onWarning = (error: ThermolinkError): void => void (ended = error);
          const recording = record === undefined ? {} : { record: { file: record, onWarning } };
          const device = await connect(board.uri, { signal, ...recording });
          try {
            return await measure(device, others, { repeats, slowMs, signal });
          } finally {
            await device.close();
          }
        } finally {
          await board.close();
        }
      };
      const file = path.join(directory, `${round}.mcap`);
      const plain = await turn();
      const recorded = await turn(file);
      fileOverCodes = statSync(file).size / recorded.codeBytes;
      rmSync(file);
      if (ended && ++endedEarly > ENDED_MAX) throw ended;
      if (ended) continue;
      if (round >= 0)
        pairs.push(plain.times.map((times, work) => ({ plain: times, recorded: recorded.times[work] })));
      round++;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const pairsOf = (work: FastWork | SlowWork): readonly Pair[] => {
    const at = [...FAST_WORKS, ...SLOW_WORKS].indexOf(work);
    return pairs.map((pair) => pair[at]);
  };
  return {
    upload: costOf(pairsOf('upload')),
    again: costOf(pairsOf('again')),
    download: costOf(pairsOf('download')),
    slowUploadShare: slowShareOf(pairsOf('slowUpload')),
    slowDownloadShare: slowShareOf(pairsOf('slowDownload')),
    fileOverCodes,
    endedEarly,
  };
}

function costOf(pairs: readonly Pair[]): RecordingCost {
  const median = (value: (pair: Pair) => number): number => percentile(pairs.map(value), 0.5);
  const recordedSecondsPerMegabyte = median(({ recorded }) => recorded.thread);
  const recorderSecondsPerMegabyte = median(({ recorded }) => recorded.recorder);
  return {
    plainSecondsPerMegabyte: median(({ plain }) => plain.thread),
    recordedSecondsPerMegabyte,
    recorderSecondsPerMegabyte,
    plainClockSecondsPerMegabyte: median(({ plain }) => plain.clock),
    fullRateLeft: median(
      ({ plain, recorded }) => plain.thread / Math.max(recorded.thread, recorded.recorder),
    ),
    limit: recorderSecondsPerMegabyte > recordedSecondsPerMegabyte ? 'recorder' : 'host',
    clockRateLeft: median(({ plain, recorded }) => plain.clock / recorded.clock),
  };
}

function slowShareOf(pairs: readonly Pair[]): number {
  const seconds = pairs.map(({ plain, recorded }) => recorded.process - plain.process);
  return (percentile(seconds, 0.5) * SLOW_BYTES_PER_SECOND) / 1e6;
}

interface MeasureOptions {
  readonly repeats: number;
  readonly slowMs: number;
  readonly signal: AbortSignal;
}

/**
 * Times for 1 MB of codes of each kind of work, in the order of `FAST_WORKS` and `SLOW_WORKS`. `others`:
 * threads that were there before the session.
 */
async function measure(
  device: Device,
  others: ReadonlySet<string>,
  { repeats, slowMs, signal }: MeasureOptions,
): Promise<{ readonly times: readonly Times[]; readonly codeBytes: number }> {
  const image = benchProgram(device.identity, UPLOAD_BYTES);
  const piece = benchProgram(device.identity, (SLOW_BYTES_PER_SECOND * SLOW_PIECE_MS) / 1000);
  const run = { bank: 0, runSeed: 1, burnInTicks: 0, ticksPerSample: 0, signal };
  const load = async (): Promise<number> => {
    await device.loadProgram(0, image, { signal, timeoutMs: 60_000 });
    return image.couplings.byteLength;
  };
  const acquire = async (bytes: number): Promise<number> => {
    const sampleCount = Math.ceil(bytes / 2 / image.cells);
    await device.acquire({ ...run, sampleCount });
    return sampleCount * image.cells * 2;
  };
  const slowly = async (work: () => Promise<number>): Promise<number> => {
    const startMs = performance.now();
    let bytes = 0;
    while (performance.now() - startMs < slowMs) {
      bytes += await work();
      const dueMs = startMs + (bytes / SLOW_BYTES_PER_SECOND) * 1000;
      await wait(Math.max(0, dueMs - performance.now()), undefined, { signal });
    }
    return bytes;
  };
  const often = async (work: () => Promise<number>): Promise<number> => {
    const endMs = performance.now() + WORK_MS;
    let bytes = 0;
    for (let done = 0; done < repeats && performance.now() < endMs; done++) bytes += await work();
    return bytes;
  };
  const works = [
    load,
    () => often(load),
    () => often(() => acquire(DOWNLOAD_BYTES)),
    () =>
      slowly(async () => {
        await device.uploadCouplings(1, piece, { signal });
        return piece.couplings.byteLength;
      }),
    () => slowly(() => acquire((SLOW_BYTES_PER_SECOND * SLOW_PIECE_MS) / 1000)),
  ];
  const measured: { readonly times: Times; readonly codeBytes: number }[] = [];
  for (const work of works) measured.push(await timesOf(work, others));
  return {
    times: measured.map(({ times }) => times),
    codeBytes: measured.reduce((sum, { codeBytes }) => sum + codeBytes, 0),
  };
}

/** `work` returns how many bytes of codes have passed. */
async function timesOf(
  work: () => Promise<number>,
  others: ReadonlySet<string>,
): Promise<{ readonly times: Times; readonly codeBytes: number }> {
  const [threadsBefore, before, startMs] = [threadSeconds(), process.cpuUsage(), performance.now()];
  const codeBytes = await work();
  const clock = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  let [thread, recorder] = [threadsBefore.size > 0 ? 0 : clock, 0];
  for (const [id, seconds] of threadSeconds()) {
    const spent = seconds - (threadsBefore.get(id) ?? 0);
    if (id === String(process.pid)) thread += spent;
    else if (!others.has(id)) recorder += spent;
  }
  const perMegabyte = 1e6 / codeBytes;
  const times = {
    thread: thread * perMegabyte,
    recorder: recorder * perMegabyte,
    process: ((user + system) / 1e6) * perMegabyte,
    clock: clock * perMegabyte,
  };
  return { times, codeBytes };
}

/**
 * Processor seconds of each thread of this process, as Linux counts them, exact to some ms. Empty on other
 * systems.
 */
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
