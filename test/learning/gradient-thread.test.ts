import { afterEach, describe, expect, it, vi } from 'vitest';
import { GradientThread } from '../../src/learning/gradient-thread.js';
import type { Network } from '../../src/learning/network/contract.js';
import { createConvolutionClassifier } from '../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../src/learning/network/mlp.js';
import { createOptimizer } from '../../src/learning/optimizers/create.js';
import { train } from '../../src/learning/trainer.js';
import { exactSolver } from '../support/exact-solver.js';
import { barsDataset, noiseExamples, noiseVector } from '../support/network-examples.js';

const BATCH = 9;
const threads: GradientThread[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.close();
});

/** Waits without computing: the thread needs the processor to load its modules. */
const untilReady = (thread: GradientThread) =>
  vi.waitUntil(() => thread.isReady, { timeout: 60_000, interval: 5 });

async function readyThread(network: Network): Promise<GradientThread> {
  const thread = GradientThread.start(network, BATCH)!;
  threads.push(thread);
  await untilReady(thread);
  return thread;
}

describe('a gradient thread', () => {
  it('gives the bits of the main thread for a perceptron', { tags: 'long' }, () =>
    expectSameBits(createMlp({ inputCount: 12, hidden: [7], classes: 4 })),
  );

  it('gives the bits of the main thread for a convolution', { tags: 'long' }, () =>
    expectSameBits(createConvolutionClassifier({ rows: 8, columns: 8, classes: 3, hidden: [5] })),
  );

  async function expectSameBits(network: Network): Promise<void> {
    const thread = await readyThread(network);
    for (const seed of [1, 2, 3]) {
      const parameters = noiseVector(network.parameterCount, seed, 0.3);
      const batch = noiseExamples(BATCH, network.inputCount, network.outputCount, seed);
      const found = thread.lossAndGradient(parameters, batch);
      expect(found).toBeInstanceOf(Promise);
      expect(await found).toEqual(network.lossAndGradient(parameters, batch));
    }
  }

  it('gives the same bits for a batch that it has prepared, and for another batch', {
    tags: 'long',
  }, async () => {
    const network = createConvolutionClassifier({ rows: 8, columns: 8, classes: 3, hidden: [5] });
    const thread = await readyThread(network);
    const parameters = noiseVector(network.parameterCount, 5, 0.3);
    const batches = [5, 6, 7].map((seed) => noiseExamples(BATCH, 64, 3, seed));
    for (const [told, asked] of [
      [0, 0],
      [1, 2],
      [2, 2],
      [0, 1],
    ]) {
      thread.prepare(batches[told]);
      const found = await thread.lossAndGradient(parameters, batches[asked]);
      expect(found).toEqual(network.lossAndGradient(parameters, batches[asked]));
    }
    // After the end of the thread nothing is sent to it, and the main thread computes.
    await thread.close();
    thread.prepare(batches[0]);
    expect(thread.lossAndGradient(parameters, batches[0])).toEqual(
      network.lossAndGradient(parameters, batches[0]),
    );
  });

  it('leaves the work to the main thread before it is ready, after it has ended, and after a failure', async () => {
    const network = createMlp({ inputCount: 12, hidden: [7], classes: 4 });
    const batch = noiseExamples(BATCH, 12, 4, 4);
    const parameters = noiseVector(network.parameterCount, 4, 0.3);
    const expected = network.lossAndGradient(parameters, batch);
    const thread = GradientThread.start(network, BATCH)!;
    threads.push(thread);
    expect(thread.lossAndGradient(parameters, batch)).toEqual(expected);
    await untilReady(thread);
    const failing = thread.lossAndGradient(parameters.subarray(1), batch);
    await expect(failing).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    expect(thread.isReady).toBe(false);
    expect(thread.lossAndGradient(parameters, batch)).toEqual(expected);
    const closed = await readyThread(network);
    const cut = closed.lossAndGradient(parameters, batch);
    await closed.close();
    expect(await cut).toEqual(expected);
  });

  it('computes large gradients from the first one on; if it ends, the main thread computes the lost gradient', {
    tags: 'long',
  }, async () => {
    const network = createConvolutionClassifier({ rows: 28, columns: 28, classes: 2 });
    const count = 64;
    const batch = noiseExamples(count, 28 * 28, 2, 4);
    const parameters = noiseVector(network.parameterCount, 4, 0.3);
    const expected = network.lossAndGradient(parameters, batch);
    for (const ends of [false, true]) {
      const thread = GradientThread.start(network, count)!;
      threads.push(thread);
      expect(thread.isReady).toBe(true);
      const found = thread.lossAndGradient(parameters, batch);
      expect(found).toBeInstanceOf(Promise);
      if (ends) await thread.close();
      expect(await found).toEqual(expected);
      expect(thread.isReady).toBe(!ends);
    }
  });

  it('is not started for a network that its settings cannot make again', () => {
    expect(
      GradientThread.start({ ...createMlp({ inputCount: 2, hidden: [], classes: 2 }) }, BATCH),
    ).toBeUndefined();
  });
});

it('a training with a gradient thread takes the steps of one without, bit for bit', () =>
  expectSameTraining('ngd', 8));

it('a training by tngd with a gradient thread takes the same steps, bit for bit', { tags: 'long' }, () =>
  expectSameTraining('tngd', 20),
);

async function expectSameTraining(name: 'tngd' | 'ngd', epochs: number): Promise<void> {
  const data = barsDataset(330, 90);
  const network = createMlp({ inputCount: 64, hidden: [6], classes: 3 });
  const trained = (one: Network) =>
    train({
      network: one,
      data,
      optimizer: createOptimizer(name, {}, exactSolver()),
      epochs,
      batch: 32,
      seed: 3,
    });
  const { parameters, summary } = await trained(network);
  const alone = await trained({ ...network });
  expect(parameters).toEqual(alone.parameters);
  expect(summary.testLoss).toBe(alone.summary.testLoss);
}
