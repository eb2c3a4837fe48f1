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
 * Default number of bytes that each work sends in one turn at full rate. This is several times the bytes that
 * can wait for the recorder.
 */
export const STREAM_BYTES = 100e6;
/**
 * Most pairs that are measured again because their recording ended early. It ends on a machine so busy that
 * nothing could be written for a second.
 */
const ENDED_MAX = 5;
/**
 * A turn at full rate begins no more work after the time in which a port of this speed carries all its bytes.
 * On a slower port a turn therefore has fewer bytes.
 */
const SLOW_BYTES_PER_SECOND = 100e6;
/** Pairs of turns with and without a recording, after one unmeasured pair. */
const ROUNDS = 5;
/**
 * The rates of real lines: a serial port or USB at full speed, and USB at high speed. At such a rate codes
 * pass in pieces, one in each interval.
 */
const LINE_BYTES_PER_SECOND = [1e6, 40e6] as const;
const PIECE_MS = 20;
/** How long each direction is measured at each of these rates. */
const LINE_MS = 1000;

const FAST_WORKS = ['upload', 'again', 'download'] as const;
type FastWork = (typeof FAST_WORKS)[number];

/** Times of one kind of work, in seconds for 1 MB of codes. */
interface Times {
  /** Processor time of the thread that host and board share. */
  readonly thread: number;
  /** Processor time of the thread that records. */
  readonly recorder: number;
  /** Processor time of the whole process, garbage collector and compiler included. */
  readonly process: number;
  /** Time for which the thread of host and board was ready and had no processor. */
  readonly waiting: number;
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
  /** Seconds for which the thread of host and board was ready and had no processor. */
  readonly plainWaitSecondsPerMegabyte: number;
  readonly recordedWaitSecondsPerMegabyte: number;
  /** Seconds by the clock. */
  readonly plainClockSecondsPerMegabyte: number;
  readonly recordedClockSecondsPerMegabyte: number;
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

/** What recording costs at the rate of a line: medians over the pairs. */
export interface LineCost {
  /** The rate of the line, in bytes of codes per second. */
  readonly bytesPerSecond: number;
  readonly direction: 'upload' | 'download';
  /** The rate without a recording. It is smaller than that of the line if host and board do not keep up. */
  readonly plainBytesPerSecond: number;
  /** The rate with a recording over the one without, by the clock. */
  readonly clockRateLeft: number;
  /** The share of a processor that recording takes, everything included. */
  readonly processorShare: number;
}

/** What recording costs on a link of this process. */
export interface RecordBench {
  /** The first upload after connecting: memory of the board is made, and the recording thread starts. */
  readonly upload: RecordingCost;
  /** The same upload again. */
  readonly again: RecordingCost;
  readonly download: RecordingCost;
  /** The cost at the rates of real lines: codes out, and samples in. */
  readonly lines: readonly LineCost[];
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
  /** Bytes that each work sends in one turn at full rate; STREAM_BYTES if not given. */
  readonly streamBytes?: number;
  /** How long each direction is measured at the rate of each line. */
  readonly lineMs?: number;
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
    streamBytes = STREAM_BYTES,
    lineMs = LINE_MS,
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
            return await measure(device, others, { streamBytes, lineMs, signal });
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
  const pairsOf = (work: FastWork): readonly Pair[] => pairs.map((pair) => pair[FAST_WORKS.indexOf(work)]);
  const lines = LINE_BYTES_PER_SECOND.flatMap((bytesPerSecond, line) =>
    (['upload', 'download'] as const).map((direction, way) => ({
      ...{ bytesPerSecond, direction },
      ...lineCostOf(
        pairs.map((pair) => pair[FAST_WORKS.length + 2 * line + way]),
        bytesPerSecond,
      ),
    })),
  );
  return {
    upload: costOf(pairsOf('upload')),
    again: costOf(pairsOf('again')),
    download: costOf(pairsOf('download')),
    lines,
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
    plainWaitSecondsPerMegabyte: median(({ plain }) => plain.waiting),
    recordedWaitSecondsPerMegabyte: median(({ recorded }) => recorded.waiting),
    plainClockSecondsPerMegabyte: median(({ plain }) => plain.clock),
    recordedClockSecondsPerMegabyte: median(({ recorded }) => recorded.clock),
    fullRateLeft: median(
      ({ plain, recorded }) => plain.thread / Math.max(recorded.thread, recorded.recorder),
    ),
    limit: recorderSecondsPerMegabyte > recordedSecondsPerMegabyte ? 'recorder' : 'host',
    clockRateLeft: median(({ plain, recorded }) => plain.clock / recorded.clock),
  };
}

function lineCostOf(pairs: readonly Pair[], bytesPerSecond: number) {
  const median = (value: (pair: Pair) => number): number => percentile(pairs.map(value), 0.5);
  return {
    plainBytesPerSecond: 1e6 / median(({ plain }) => plain.clock),
    clockRateLeft: median(({ plain, recorded }) => plain.clock / recorded.clock),
    processorShare:
      (median(({ plain, recorded }) => recorded.process - plain.process) * bytesPerSecond) / 1e6,
  };
}

interface MeasureOptions {
  readonly streamBytes: number;
  readonly lineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Times for 1 MB of codes of each kind of work. The kinds of `FAST_WORKS` come first. Then come codes out and
 * samples in, for each of `LINE_BYTES_PER_SECOND`. `others` are the threads that were there before the
 * session.
 */
async function measure(
  device: Device,
  others: ReadonlySet<string>,
  { streamBytes, lineMs, signal }: MeasureOptions,
): Promise<{ readonly times: readonly Times[]; readonly codeBytes: number }> {
  const image = benchProgram(device.identity, UPLOAD_BYTES);
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
  const paced = async (bytesPerSecond: number, work: () => Promise<number>): Promise<number> => {
    const startMs = performance.now();
    let bytes = 0;
    while (performance.now() - startMs < lineMs) {
      bytes += await work();
      const dueMs = startMs + (bytes / bytesPerSecond) * 1000;
      await wait(Math.max(0, dueMs - performance.now()), undefined, { signal });
    }
    return bytes;
  };
  const often = async (work: () => Promise<number>): Promise<number> => {
    const endMs = performance.now() + (streamBytes / SLOW_BYTES_PER_SECOND) * 1000;
    let bytes = 0;
    do bytes += await work();
    while (bytes < streamBytes && performance.now() < endMs);
    return bytes;
  };
  const works = [
    load,
    () => often(load),
    () => often(() => acquire(DOWNLOAD_BYTES)),
    ...LINE_BYTES_PER_SECOND.flatMap((bytesPerSecond) => {
      const pieceBytes = (bytesPerSecond * PIECE_MS) / 1000;
      const piece = benchProgram(device.identity, pieceBytes);
      const upload = async (): Promise<number> => {
        await device.uploadCouplings(1, piece, { signal });
        return piece.couplings.byteLength;
      };
      return [() => paced(bytesPerSecond, upload), () => paced(bytesPerSecond, () => acquire(pieceBytes))];
    }),
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
  const waitedBefore = waitedSeconds();
  const codeBytes = await work();
  const clock = (performance.now() - startMs) / 1000;
  const waiting = waitedSeconds() - waitedBefore;
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
    waiting: waiting * perMegabyte,
    clock: clock * perMegabyte,
  };
  return { times, codeBytes };
}

/**
 * Seconds for which this thread was ready and had no processor, as Linux counts them. 0 on other systems.
 */
function waitedSeconds(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
  } catch {
    return 0;
  }
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
