import type { ThermolinkError } from '../../../errors.js';

/** The arguments of a piece of work. */
export interface Piece {
  /** Whether another worker had begun it and failed. */
  readonly isAbandoned: boolean;
  /** Aborted when the caller wants it, or when another piece has failed for good. */
  readonly ended: AbortSignal;
}

/** How work is shared out over workers, such as boards. */
export interface Sharing<Worker> {
  /** Whether a worker may take a piece. If no worker may take a piece, any worker takes it. */
  readonly isFor: (piece: number, worker: Worker) => boolean;
  readonly work: (piece: number, worker: Worker, how: Piece) => Promise<void>;
  /** Whether an error is the fault of the worker, so that another worker may take the piece. */
  readonly isOfWorker: (error: unknown) => error is ThermolinkError;
  /** Called when a worker is left out. */
  readonly leftOut: (worker: Worker, error: ThermolinkError, piece: number) => void;
}

/**
 * Does all pieces. They begin in their order, and each worker has one piece at a time. A worker that fails
 * gets no more pieces, and another one takes its piece.
 *
 * Errors: if all workers have failed, the error of the last one; any error that is not the fault of a worker,
 * after all workers have ended their pieces. With one worker, the errors of the pieces.
 */
export async function shareOut<Worker>(
  workers: readonly Worker[],
  pieces: readonly number[],
  signal: AbortSignal,
  { isFor, work, isOfWorker, leftOut }: Sharing<Worker>,
): Promise<void> {
  const waiting = new Set(pieces);
  const abandoned = new Set<number>();
  const able = new Set(workers);
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  let going = 0;
  let failure: { readonly error: unknown } | undefined;
  let wake: () => void = () => undefined;
  let changed = Promise.resolve();
  const renew = (): void => {
    const before = wake;
    changed = new Promise((resolve) => {
      wake = resolve;
    });
    before();
  };
  renew();

  const next = (worker: Worker): number | undefined => {
    for (const piece of waiting) {
      if (isFor(piece, worker)) return piece;
      if (![...able].some((other) => isFor(piece, other))) return piece;
    }
    return undefined;
  };

  const serve = async (worker: Worker): Promise<void> => {
    while (failure === undefined) {
      const piece = next(worker);
      if (piece === undefined) {
        // A piece in work may be given back.
        if (going === 0) return;
        await changed;
        continue;
      }
      waiting.delete(piece);
      going++;
      try {
        await work(piece, worker, { isAbandoned: abandoned.has(piece), ended });
      } catch (error) {
        if (able.size > 1 && isOfWorker(error) && failure === undefined && !signal.aborted) {
          able.delete(worker);
          abandoned.add(piece);
          waiting.add(piece);
          leftOut(worker, error, piece);
          return;
        }
        failure ??= { error };
        stop.abort();
      } finally {
        going--;
        renew();
      }
    }
  };

  await Promise.all(workers.map(serve));
  if (failure !== undefined) throw failure.error;
}
