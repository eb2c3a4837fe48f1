import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { isClassifier } from './network/classifier.js';
import type { Examples, LossAndGradient, Network } from './network/contract.js';

/** A request to the thread. */
export interface GradientJob {
  /** If absent, the batch of the request before is used. */
  readonly batch?: Examples;
  /** If absent, the thread only prepares the batch. */
  readonly parameters?: Float64Array;
}

/**
 * The compiled program of the thread. Tests run from the sources also need it, because Node starts threads
 * only from JavaScript.
 */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts')
    ? '../../dist/src/learning/gradient-thread-main.js'
    : 'gradient-thread-main.js',
  import.meta.url,
);

/**
 * Least number of products in a forward pass over a batch for which the start of the thread is waited for.
 * Such a gradient takes some milliseconds, and the first one some 0.2 s, because the library compiles. With
 * smaller gradients a training takes tens of steps until the thread has started.
 */
const WAITED_PRODUCTS_MIN = 4e6;

/**
 * A thread that computes gradients of one network while this thread does other work. It makes the same
 * network from its settings, so the results are those of this thread, bit for bit. If it has ended, or if the
 * gradients are small and it has not started yet, the calling thread computes the gradient instead. Only the
 * time depends on this, never a result.
 */
export class GradientThread {
  readonly #network: Network;
  readonly #worker: Worker;
  #isReady: boolean;
  /** The batch that the thread was told to prepare. */
  #prepared: Examples | undefined;
  /** Settles the gradient that the thread is computing. */
  #settle: ((result: LossAndGradient | undefined) => void) | undefined;

  private constructor(network: Network, isReady: boolean) {
    this.#network = network;
    this.#isReady = isReady;
    this.#worker = new Worker(ENTRY, {
      workerData: network.settings,
      // The thread must not inherit this process's options (--input-type, --inspect-brk …).
      execArgv: [],
    });
    this.#worker.on('message', (message: 'ready' | LossAndGradient) => {
      if (message === 'ready') this.#isReady = true;
      else this.#answer(message);
    });
    // The error need not be kept: this thread computes the same batch again, and throws if the batch is the
    // cause.
    this.#worker.on('error', () => this.#ended());
    this.#worker.on('exit', () => this.#ended());
  }

  /**
   * Starts a thread for gradients of batches of `batch` examples. Returns undefined on a machine with one
   * processor and for a network that another thread cannot make from its settings.
   */
  static start(network: Network, batch: number): GradientThread | undefined {
    if (!isClassifier(network) || availableParallelism() === 1) return undefined;
    const perExample = network.layers.reduce(
      (sum, { outputs, inputs, positions }) => sum + outputs * inputs * positions,
      0,
    );
    return new GradientThread(network, batch * perExample >= WAITED_PRODUCTS_MIN);
  }

  /** Whether the thread computes the next gradient. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Tells the thread the batch of the next gradient. The thread prepares the batch when it has no gradient to
   * compute. Meanwhile the board answers, and this thread updates the parameters. The batch must not change
   * until its gradient has been computed.
   */
  prepare(batch: Examples): void {
    if (!this.#isReady) return;
    this.#prepared = batch;
    this.#send({ batch });
  }

  /** Returns a promise if the other thread computes, and the result itself if this thread computes. */
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
