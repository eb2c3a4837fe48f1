import type { ProgramImage } from '../../../../firmware-protocol/program-image.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';

export interface StopBench {
  /** Longest time from the request to the answer, in a run without end. The board answers once it is safe. */
  readonly stopDuringRunMaxMs: number;
  /** The same while an upload into the other bank keeps the port full. */
  readonly stopDuringUploadMaxMs: number;
}

const ROUNDS = 10;
/** After this time a port is full, and the run has found how many ticks fit a slice. */
const SATURATE_MS = 150;
/** A run with this number of ticks does not end by itself during the measurement. */
const ENDLESS_TICKS = 2 ** 50;

/**
 * Measures the longest of ROUNDS stops, alone and behind an upload. The board is idle afterwards, and
 * programs have to be committed again.
 */
export async function benchStop(
  device: Device,
  image: ProgramImage,
  signal: AbortSignal,
): Promise<StopBench> {
  const banks = device.identity.banks;
  const uploadUntil = async (ended: () => boolean): Promise<void> => {
    while (!ended())
      await device.uploadCouplings(1, image, { signal, timeoutMs: 60_000 }).catch((error: unknown) => {
        // The stop cancels the calls in progress.
        if (!ended() && !isCancelled(error)) throw error;
      });
  };
  const stopOnce = async (uploads: boolean): Promise<number> => {
    await device.rewriteProgram(0, image, { signal });
    const run = await device.run({
      bank: 0,
      runSeed: 0,
      burnInTicks: ENDLESS_TICKS,
      sampleCount: 0,
      ticksPerSample: 0,
      signal,
    });
    let stopped = false;
    const uploading = uploads && banks > 1 ? uploadUntil(() => stopped) : undefined;
    await new Promise((resolve) => setTimeout(resolve, SATURATE_MS));
    const startMs = performance.now();
    await device.stop({ signal, timeoutMs: 10_000 });
    const tookMs = performance.now() - startMs;
    stopped = true;
    await uploading;
    await run.finished;
    await device.acknowledge({ signal });
    return tookMs;
  };
  const worst = async (uploads: boolean): Promise<number> => {
    let maxMs = 0;
    for (let round = 0; round < ROUNDS; round++) maxMs = Math.max(maxMs, await stopOnce(uploads));
    return maxMs;
  };
  return { stopDuringRunMaxMs: await worst(false), stopDuringUploadMaxMs: await worst(true) };
}

function isCancelled(error: unknown): boolean {
  return error instanceof ThermolinkError && error.code === 'DEVICE_REFUSED';
}
