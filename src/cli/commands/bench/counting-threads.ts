import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { throwIfAborted } from '../../../errors.js';

/** The thread counts to the number that it is sent, in registers alone, and then answers. */
const COUNTING = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (Math.imul(sum, 31) + i) | 0;
  parentPort.postMessage(sum);
});`;
const WARM_UP_COUNT = 10_000_000;
/** The compiler of the host makes the loop faster after its first call. */
const WARM_UP_ROUNDS = 3;

/** Threads that only compute. If they slow each other down, all other work is slowed down too. */
export class CountingThreads {
  readonly #workers: readonly Worker[];
  #count = WARM_UP_COUNT;

  private constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => new Worker(COUNTING, { eval: true, execArgv: [] }));
  }

  /** Threads whose task takes about `taskMs`. */
  static async start(threads: number, taskMs: number, signal?: AbortSignal): Promise<CountingThreads> {
    const started = new CountingThreads(threads);
    try {
      for (let round = 0; round < WARM_UP_ROUNDS; round++)
        started.#count = Math.ceil((started.#count * taskMs) / (await started.#timeMs(threads, signal)));
      return started;
    } catch (error) {
      await started.close();
      throw error;
    }
  }

  /** The time of the task on all threads at once, divided by the time on one. */
  async ratio(signal?: AbortSignal): Promise<number> {
    const aloneMs = await this.#timeMs(1, signal);
    return (await this.#timeMs(this.#workers.length, signal)) / aloneMs;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  async #timeMs(threads: number, signal: AbortSignal | undefined): Promise<number> {
    const startMs = performance.now();
    const answers = this.#workers.slice(0, threads).map((worker) => {
      worker.postMessage(this.#count, []);
      return once(worker, 'message', signal ? { signal } : {});
    });
    await Promise.all(answers).catch((error: unknown) => {
      throwIfAborted(signal);
      throw error;
    });
    return performance.now() - startMs;
  }
}
