import type { z } from 'zod';
import type { Device } from '../driver/device.js';
import type { PartStore } from './part-store.js';

/** What a job has while a board does it. */
export interface JobUse {
  /** Aborted when the job is withdrawn, when its worker ends, or when it runs for too long. */
  readonly signal: AbortSignal;
  /** Tells how far it is: a share of the whole, and a few words. */
  readonly show: (share: number, text: string) => void;
  /** The matrices and files of jobs and results. */
  readonly parts: PartStore;
}

/**
 * A kind of work that a farm does: how its request is read, and how one board does it. The result must be a
 * function of the request and of the board, since a job may be begun again on another board of its class.
 */
export interface JobKind<Request = unknown> {
  /** One word or two, the same for client and worker. */
  readonly name: string;
  readonly request: z.ZodType<Request>;
  /**
   * Returns JSON. Errors: one that says something about the board lets another board do the job; any other is
   * the result of the job.
   */
  readonly run: (device: Device, request: Request, use: JobUse) => Promise<unknown>;
}
