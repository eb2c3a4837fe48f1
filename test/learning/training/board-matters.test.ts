import { describe, expect, it } from 'vitest';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import { connect } from '../../../src/connect.js';
import type { BoardDevice } from '../../../src/driver/device-api.js';
import { firstExamples } from '../../../src/learning/data/dataset.js';
import { loadDataset } from '../../../src/learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../../src/learning/model/convolution-classifier.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { train } from '../../../src/learning/trainer.js';

/** The board behind `falsify`: everything is real but what is read from the cells. */
function falsified(device: BoardDevice, falsify: (codes: Int16Array) => Int16Array): BoardDevice {
  return {
    identity: device.identity,
    get uploadedBytes() {
      return device.uploadedBytes;
    },
    loadProgram: (...args) => device.loadProgram(...args),
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
const all = loadDataset({ kind: 'mnist' });
const data = { ...all, test: firstExamples(all.test, 500) };

async function testAccuracy(falsify: (codes: Int16Array) => Int16Array): Promise<number> {
  const model = createConvolutionClassifier({
    rows: data.rows,
    columns: data.columns,
    classes: data.classes,
  });
  const device = await connect('emulator:ideal-crossbar');
  try {
    const optimizer = createOptimizer('tngd', {}, createAnalogSolver(falsified(device, falsify)));
    const { summary } = await train({
      model,
      data,
      optimizer,
      epochs: 1,
      batch: BATCH,
      curvatureExamples: 4,
      trainSize: BATCH * STEPS,
      seed: 0,
    });
    return summary.testAccuracy;
  } finally {
    await device.close();
  }
}

describe('training goes through the board', () => {
  it('an honest board learns in 50 steps', async () => {
    expect(await testAccuracy((codes) => codes)).toBeGreaterThan(0.8);
  });

  it('a board that reads zeros teaches nothing', async () => {
    expect(await testAccuracy((codes) => new Int16Array(codes.length))).toBeLessThan(0.3);
  });

  it('a board that answers another system does not reach 80 %', async () => {
    // Cells shifted by a step whose multiples do not soon come back to where they were: reversing the order, say, would be
    // undone one step later, since the state is kept.
    expect(await testAccuracy((codes) => codes.map((_, i) => codes[(i + 2999) % codes.length]))).toBeLessThan(
      0.8,
    );
  });
});
