import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '../../../connect.js';
import type { Device } from '../../../driver/device.js';
import { throwIfAborted } from '../../../errors.js';
import { benchProgram } from './link.js';

const UPLOAD_BYTES = 4e6;
const DOWNLOAD_BYTES = 4e6;
/** With and without a recording in turns, after one unmeasured turn of each. */
const ROUNDS = 7;
/** The rate at which the share of a processor is told. */
const SLOW_BYTES_PER_SECOND = 1e6;

const WORKS = ['upload', 'again', 'download'] as const;
type Work = (typeof WORKS)[number];

/** Processor time of one kind of work, with and without a recording. */
export interface RecordingCost {
  /**
   * Processor seconds of host and board in this process for 1 MB of codes in the fastest turn, since other
   * work of the machine only adds.
   */
  readonly plainSecondsPerMegabyte: number;
  readonly recordedSecondsPerMegabyte: number;
  /** How much of the port's full rate is left with a recording, by processor time. */
  readonly fullRateLeft: number;
  /** Share of a processor that recording takes at 1 MB/s. */
  readonly shareAtOneMegabyte: number;
}

/** What recording costs on a link of this process. */
export interface RecordBench {
  /** The first upload after connecting, when memory of the board is still to be made. */
  readonly upload: RecordingCost;
  /** The same upload again. */
  readonly again: RecordingCost;
  readonly download: RecordingCost;
  /** Bytes of the file over bytes of codes. */
  readonly fileOverCodes: number;
}

/**
 * Measures what a recording costs, by processor time of this process in turns of the same work with and
 * without it, so that other work of the machine does not count. `device` must be computed in this process.
 */
export async function benchRecord(uri: string, signal: AbortSignal): Promise<RecordBench> {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-bench-'));
  const none = (): Record<Work, number[]> => ({ upload: [], again: [], download: [] });
  const times = { plain: none(), recorded: none() };
  let fileOverCodes = 0;
  try {
    for (let round = -1; round < ROUNDS; round++)
      for (const kind of ['plain', 'recorded'] as const) {
        throwIfAborted(signal);
        const file = path.join(directory, `${round}.mcap`);
        const device = await connect(uri, { signal, ...(kind === 'recorded' ? { record: file } : {}) });
        const { codeBytes, ...seconds } = await measure(device, signal);
        await device.close();
        if (kind === 'recorded') {
          fileOverCodes = statSync(file).size / codeBytes;
          rmSync(file);
        }
        if (round < 0) continue;
        for (const work of WORKS) times[kind][work].push(seconds[work]);
      }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const costOf = (work: Work): RecordingCost => {
    const plain = Math.min(...times.plain[work]);
    const recorded = Math.min(...times.recorded[work]);
    return {
      plainSecondsPerMegabyte: plain,
      recordedSecondsPerMegabyte: recorded,
      fullRateLeft: plain / recorded,
      shareAtOneMegabyte: ((recorded - plain) * SLOW_BYTES_PER_SECOND) / 1e6,
    };
  };
  return {
    upload: costOf('upload'),
    again: costOf('again'),
    download: costOf('download'),
    fileOverCodes,
  };
}

/** Processor seconds for 1 MB of codes of each kind of work. */
async function measure(device: Device, signal: AbortSignal) {
  const image = benchProgram(device.identity, UPLOAD_BYTES, 'everySize');
  const uploadBytes = image.couplings.byteLength;
  const load = () => device.loadProgram(0, image, { signal, timeoutMs: 60_000 });
  const upload = await processorSeconds(load);
  const again = await processorSeconds(load);
  const sampleCount = Math.ceil(DOWNLOAD_BYTES / 2 / image.cells);
  const run = { bank: 0, runSeed: 1, burnInTicks: 0, sampleCount, ticksPerSample: 0, signal };
  const download = await processorSeconds(() => device.acquire(run));
  const downloadBytes = sampleCount * image.cells * 2;
  return {
    upload: upload / (uploadBytes / 1e6),
    again: again / (uploadBytes / 1e6),
    download: download / (downloadBytes / 1e6),
    codeBytes: 2 * uploadBytes + downloadBytes,
  };
}

async function processorSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
