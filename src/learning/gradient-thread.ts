import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { isClassifier } from './network/classifier.js';
import type { Examples, LossAndGradient, Network } from './network/contract.js';

/** What the thread is asked for. */
export interface GradientJob {
  /** Left out: the batch of the job before. */
  readonly batch?: Examples;
  /** Left out: the batch is to be prepared only. */
  readonly parameters?: Float64Array;
}

/**
 * The compiled program, also when a test runs the sources, because Node starts a thread from JavaScript only.
 */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts')
    ? '../../dist/src/learning/gradient-thread-main.js'
    : 'gradient-thread-main.js',
  import.meta.url,
);

/**
 * A thread that computes gradients of one network while this thread does other work. It makes the same
 * network from its settings, so the results are those of this thread, bit for bit. Where the thread is not
 * ready yet, or has ended, this thread computes instead: nothing but time depends on it.
 */
export class GradientThread {
  readonly #network: Network;
  readonly #worker: Worker;
  #isReady = false;
  /** The batch that the thread was told to prepare. */
  #prepared: Examples | undefined;
  /** Settles the job that the thread has. */
  #settle: ((result: LossAndGradient | undefined) => void) | undefined;

  private constructor(network: Network) {
    this.#network = network;
    this.#worker = new Worker(ENTRY, {
      workerData: network.settings,
      // The thread must not inherit this process's options (--input-type, --inspect-brk …).
      execArgv: [],
    });
    this.#worker.on('message', (message: 'ready' | LossAndGradient) => {
      if (message === 'ready') this.#isReady = true;
      else this.#answer(message);
    });
    // What breaks the thread is not lost: the same batch is computed here, and throws here if it is at fault.
    this.#worker.on('error', () => this.#ended());
    this.#worker.on('exit', () => this.#ended());
  }

  /** Undefined for a network of the caller's own code, and on a machine with one processor. */
  static start(network: Network): GradientThread | undefined {
    return isClassifier(network) && availableParallelism() > 1 ? new GradientThread(network) : undefined;
  }

  /** Whether the thread computes the next gradient. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Tells the thread the batch of the next gradient. The thread prepares it as soon as it has no gradient to
   * compute, while the board answers and this thread updates the parameters. The batch may not change until
   * its gradient is there.
   */
  prepare(batch: Examples): void {
    if (!this.#isReady) return;
    this.#prepared = batch;
    this.#send({ batch });
  }

  /** A promise while the thread computes; the result itself where this thread has computed it. */
  lossAndGradient(parameters: Float64Array, batch: Examples): LossAndGradient | Promise<LossAndGradient> {
    if (!this.#isReady) return this.#network.lossAndGradient(parameters, batch);
    return new Promise((resolve, reject) => {
      this.#settle = (result) => {
        try {
          resolve(result ?? this.#network.lossAndGradient(parameters, batch));
        } catch (error) {
          reject(error);
        }
      };
      this.#send(batch === this.#prepared ? { parameters } : { parameters, batch });
      this.#prepared = undefined;
    });
  }

  #send(job: GradientJob): void {
    this.#worker.postMessage(job, []);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ended(): void {
    this.#isReady = false;
    this.#answer(undefined);
  }

  #answer(result: LossAndGradient | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(result);
  }
}
