import type { z } from 'zod';
import type { Device } from '../driver/device.js';
import type { PartStore } from './part-store.js';

/** The context of a job while a board does it. */
export interface JobUse {
  /** Aborted when the job is withdrawn, when its worker ends, or when it runs for too long. */
  readonly signal: AbortSignal;
  /** Reports progress: a share of the whole, and a few words. */
  readonly show: (share: number, text: string) => void;
  /** The matrices and files of jobs and results. */
  readonly parts: PartStore;
}

/**
 * A kind of work that a farm does: how its request is read, and how one board does it. The result must depend
 * only on the request and the board, because a job may be started again on another board of its class.
 */
export interface JobKind<Request = unknown> {
  /** Name of the kind, one or two words, the same for client and worker. */
  readonly name: string;
  readonly request: z.ZodType<Request>;
  /**
   * Returns JSON. After an error that concerns the board, another board does the job. Any other error is the
   * result of the job.
   */
  readonly run: (device: Device, request: Request, use: JobUse) => Promise<unknown>;
}
