import { describe, expect, it } from 'vitest';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { connect } from '../../../src/connect.js';
import type { BoardDevice } from '../../../src/driver/device-api.js';
import type { Dataset } from '../../../src/learning/data/dataset.js';
import { loadDataset } from '../../../src/learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { type TrainResult, train } from '../../../src/learning/trainer.js';
import { fewDigits } from '../../support/few-digits.js';

/** The board behind `falsify`: everything is real except the codes that are read from the cells. */
function falsified(device: BoardDevice, falsify: Falsify): BoardDevice {
  return {
    identity: device.identity,
    get uploadedBytes() {
      return device.uploadedBytes;
    },
    loadProgram: (...args) => device.loadProgram(...args),
    uploadCouplings: (...args) => device.uploadCouplings(...args),
    rewriteProgram: (...args) => device.rewriteProgram(...args),
    run: (options) => device.run(options),
    async acquire(options) {
      const { codes, report } = await device.acquire(options);
      return { codes: falsify(codes), report };
    },
  };
}

const STEPS = 50;
const BATCH = 32;
const digits = (train: number, test: number): Dataset =>
  loadDataset({ kind: 'directory', directory: fewDigits(train, test) });

type Falsify = (codes: Int16Array) => Int16Array;

async function training(falsify: Falsify, steps: number, data: Dataset): Promise<TrainResult> {
  const network = createConvolutionClassifier({
    rows: data.rows,
    columns: data.columns,
    classes: data.classes,
  });
  const device = await connect('emulator:ideal-crossbar');
  try {
    const optimizer = createOptimizer('tngd', {}, createAnalogSolver(falsified(device, falsify)));
    return await train({
      network,
      data,
      optimizer,
      epochs: 1,
      batch: BATCH,
      curvatureExamples: 4,
      trainSize: BATCH * steps,
      seed: 0,
    });
  } finally {
    await device.close();
  }
}

const testAccuracy = async (falsify: Falsify): Promise<number> =>
  (await training(falsify, STEPS, digits(BATCH * STEPS, 500))).summary.testAccuracy;

const honest: Falsify = (codes) => codes;
const zeros: Falsify = (codes) => new Int16Array(codes.length);
/**
 * Shifts the cells by a number for which repeated shifts do not soon give the first order again. A reversed
 * order would be undone one step later, because the state is kept.
 */
const shifted: Falsify = (codes) => codes.map((_, i) => codes[(i + 2999) % codes.length]);

describe('the board decides the direction of a step', () => {
  it('a step of three boards gives three different results, and zeros give no step', async () => {
    const data = digits(2 * BATCH, 10);
    const [start, still, straight, astray] = [
      (await training(zeros, 1, data)).parameters,
      (await training(zeros, 2, data)).parameters,
      (await training(honest, 1, data)).parameters,
      (await training(shifted, 1, data)).parameters,
    ];
    expect(still).toEqual(start);
    expect(straight).not.toEqual(start);
    expect(astray).not.toEqual(start);
    expect(astray).not.toEqual(straight);
  });
});

describe('training goes through the board', { tags: 'long' }, () => {
  it('a correct board learns in 50 steps', async () => {
    expect(await testAccuracy(honest)).toBeGreaterThan(0.8);
  });

  it('a training on a board that reads zeros learns nothing', async () => {
    expect(await testAccuracy(zeros)).toBeLessThan(0.3);
  });

  it('a board that answers another system does not reach 80 %', async () => {
    expect(await testAccuracy(shifted)).toBeLessThan(0.8);
  });
});
