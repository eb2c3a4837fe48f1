import { PerformanceObserver } from 'node:perf_hooks';
import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { Device } from '../../../driver/device.js';
import { type Dataset, firstExamples } from '../../../learning/data/dataset.js';
import { createConvolutionClassifier } from '../../../learning/network/convolution-classifier.js';
import type { Optimizer } from '../../../learning/optimizers/contract.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import { CONTROL } from '../../../learning/optimizers/registry.js';
import { mapTiming, type StepRecord, type StepTiming } from '../../../learning/record.js';
import { train } from '../../../learning/trainer.js';
import { percentile } from '../../statistics.js';

export interface TrainingBenchOptions {
  readonly data: Dataset;
  /** Measured steps of each optimizer. */
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, what: string) => void;
}

/** Host time of one training step of one optimizer. */
export interface StepCost {
  /** Median over the steps of the whole step. */
  readonly stepMs: number;
  /**
   * Processor time of all threads of this process per step. Unlike `stepMs`, it does not count other
   * programs.
   */
  readonly processorMs: number;
  /** Median over the steps of each part. */
  readonly parts: StepTiming;
  /** Share of the time of the steps in which the garbage collector stopped everything else, 0 … 1. */
  readonly garbageShare: number;
  /** Mean over the steps. */
  readonly uploadBytes: number;
}

export interface TrainingBench {
  readonly tngd: StepCost;
  readonly control: StepCost;
  /** `stepMs` of tngd over that of the control. */
  readonly ratio: number;
  /** `processorMs` of tngd over that of the control. */
  readonly processorRatio: number;
}

/** tngd and control take turns, so that other work of the machine slows both in the same way. */
const ROUNDS = 4;
/** Steps before the measured ones of each round: the compiler of the host works in the background. */
const WARM_UP_STEPS = 10;
/** Number of examples of the evaluation at the end of each round. Its time is not measured. */
const TEST_EXAMPLES = 100;

/**
 * Trains the network of `thermolink train` by tngd on `device` and by the control, and measures the parts of
 * a step.
 */
export async function benchTraining(device: Device, options: TrainingBenchOptions): Promise<TrainingBench> {
  const optimizers = {
    tngd: createOptimizer('tngd', {}, createAnalogSolver(device)),
    control: createOptimizer('sgd', CONTROL),
  };
  const meters = { tngd: new StepMeter(), control: new StepMeter() };
  const stepsPerRound = WARM_UP_STEPS + Math.ceil(options.steps / ROUNDS);
  for (let round = 0; round < ROUNDS; round++)
    for (const [turn, name] of (['tngd', 'control'] as const).entries()) {
      const before = (2 * round + turn) * stepsPerRound;
      await measure(optimizers[name], meters[name], stepsPerRound, options, (step) =>
        options.onProgress((before + step) / (2 * ROUNDS * stepsPerRound), name),
      );
    }
  const tngd = meters.tngd.cost();
  const control = meters.control.cost();
  return {
    tngd,
    control,
    ratio: tngd.stepMs / control.stepMs,
    processorRatio: tngd.processorMs / control.processorMs,
  };
}

async function measure(
  optimizer: Optimizer,
  meter: StepMeter,
  steps: number,
  { data, batch, seed, signal }: TrainingBenchOptions,
  onStep: (done: number) => void,
): Promise<void> {
  const { rows, columns, classes } = data;
  try {
    await train({
      network: createConvolutionClassifier({ rows, columns, classes }),
      data: { ...data, test: firstExamples(data.test, Math.min(TEST_EXAMPLES, data.test.count)) },
      optimizer,
      epochs: Math.ceil((steps * batch) / data.train.count),
      batch,
      trainSize: Math.min(steps * batch, data.train.count),
      seed,
      signal,
      onStep: (record) => {
        if (record.step === WARM_UP_STEPS - 1) meter.start();
        else if (record.step >= WARM_UP_STEPS) meter.add(record);
        if (record.step === steps - 1) meter.stop();
        onStep(record.step + 1);
      },
    });
  } finally {
    meter.stop();
  }
}

/** Adds up the cost of steps, over one or several series of steps. */
class StepMeter {
  readonly #records: StepRecord[] = [];
  readonly #collections = new PerformanceObserver((list) => this.#addCollections(list.getEntries()));
  #isRunning = false;
  #startedMs = 0;
  #processorBefore = process.cpuUsage();
  #wallMs = 0;
  #processorMs = 0;
  #garbageMs = 0;

  start(): void {
    this.#isRunning = true;
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#processorBefore = process.cpuUsage();
    this.#startedMs = performance.now();
  }

  add(record: StepRecord): void {
    if (this.#isRunning) this.#records.push(record);
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#wallMs += performance.now() - this.#startedMs;
    const { user, system } = process.cpuUsage(this.#processorBefore);
    this.#processorMs += (user + system) / 1000;
    this.#addCollections(this.#collections.takeRecords());
    this.#collections.disconnect();
  }

  cost(): StepCost {
    const count = this.#records.length;
    const median = (value: (record: StepRecord) => number): number =>
      percentile(this.#records.map(value), 0.5);
    return {
      stepMs: median(({ timing }) => Object.values(timing).reduce((sum, ms) => sum + ms, 0)),
      processorMs: this.#processorMs / count,
      parts: mapTiming((part) => median(({ timing }) => timing[part])),
      garbageShare: this.#garbageMs / this.#wallMs,
      uploadBytes: this.#records.reduce((sum, { uploadBytes }) => sum + uploadBytes, 0) / count,
    };
  }

  #addCollections(entries: readonly { readonly duration: number }[]): void {
    for (const { duration } of entries) this.#garbageMs += duration;
  }
}
