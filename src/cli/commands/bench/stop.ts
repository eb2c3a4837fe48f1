import type { ProgramImage } from '../../../../firmware-protocol/program-image.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';

export interface StopBench {
  /**
   * The longest time from asking to the answer of the board, in a board run without end. The board answers
   * once it is safe.
   */
  readonly stopDuringRunMaxMs: number;
  /** The same during an upload into the other bank, which keeps the port full. */
  readonly stopDuringUploadMaxMs: number;
}

const ROUNDS = 10;
/** Long enough for the port to be full, and for the board run to have found its slice. */
const SATURATE_MS = 150;
/** A board run of this many ticks does not end while a program waits for it. */
const ENDLESS_TICKS = 2 ** 50;

/**
 * Measures how long a stop takes, alone and behind an upload: the worst of ROUNDS. The board is idle then,
 * and its programs must be committed again.
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
        // The stop cancels the upload.
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
