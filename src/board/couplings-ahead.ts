import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { BoardDevice } from '../driver/device-api.js';
import { isLoss } from './lost-work.js';
import { programImage, type SystemCodes } from './quantize.js';

/** Couplings that were sent before the turn of the use that needs them. */
export interface SentAhead {
  readonly codes: SystemCodes;
  readonly image: ProgramImage;
  /** Whether the board has received the couplings. */
  readonly isThere: boolean;
  readonly sessionCount: number | undefined;
  readonly uploadMs: number;
}

/**
 * Sends couplings. Lost couplings are not an error if the board can be made ready again, because they are
 * sent again later.
 */
export async function sendCouplings(
  device: BoardDevice,
  bank: number,
  codes: SystemCodes,
  signal: AbortSignal | undefined,
): Promise<SentAhead> {
  const start = performance.now();
  const none = new Int16Array(codes.cells);
  const image = programImage(codes, none, none, { amplitude: 0, shift: 0 });
  const { sessionCount } = device;
  let isThere = false;
  try {
    await device.uploadCouplings(bank, image, { signal });
    isThere = true;
  } catch (error) {
    if (device.recover === undefined || !isLoss(error, device, sessionCount)) throw error;
  }
  return { codes, image, isThere, sessionCount, uploadMs: performance.now() - start };
}
