import { expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import type { Dataset, ExampleSet } from '../../src/learning/data/dataset.js';
import { createMlp } from '../../src/learning/network/mlp.js';
import { createOptimizer } from '../../src/learning/optimizers/create.js';
import { train } from '../../src/learning/trainer.js';
import { testRandom } from '../support/network-examples.js';
import { makeMcu, readUf2File } from './firmware.js';
import { PicoChip, readUf2 } from './pico-chip.js';
import { plugInUsb } from './pico-port.js';

const INPUTS = 4;
const CLASSES = 3;
const BATCH = 8;
const STEPS = 2;

/** Points around three corners: small enough for 64 cells. */
function corners(count: number, seed: number): ExampleSet {
  const random = testRandom(seed);
  const labels = Uint8Array.from({ length: count }, () => Math.floor(random.uniform() * CLASSES));
  const inputs = Float32Array.from({ length: count * INPUTS }, (_, i) => {
    const label = labels[Math.floor(i / INPUTS)];
    return 0.5 * random.uniform() + (i % INPUTS === label ? 0.5 : 0);
  });
  return { count, inputs, labels };
}

const DATA: Dataset = {
  name: 'corners',
  rows: 1,
  columns: INPUTS,
  classes: CLASSES,
  train: corners(BATCH * STEPS, 1),
  test: corners(BATCH, 2),
  digest: 'corners 1 2',
};

async function trainSome(device: Device): Promise<unknown> {
  const { summary, parameters } = await train({
    network: createMlp({ inputCount: INPUTS, hidden: [4], classes: CLASSES }),
    data: DATA,
    optimizer: createOptimizer('tngd', {}, createAnalogSolver(device)),
    epochs: 1,
    batch: BATCH,
    seed: 3,
  });
  const { timing: _, repeats: __, ...facts } = summary;
  return { ...facts, parameters: [...parameters] };
}

test('a training on a Pico gives the parameters of the emulator, bit for bit', {
  timeout: 300_000,
}, async () => {
  const emulated = await connect('emulator:ideal-64');
  const expected = await trainSome(emulated);
  await emulated.close();
  const { port, clock, run, chip } = plugInUsb(
    new PicoChip(readUf2(readUf2File(makeMcu('pico'), 'thermolink-pico.uf2'))),
  );
  const device = await run(Device.open(port, { clock }));
  const trained = await run(trainSome(device));
  expect(trained).toEqual(expected);
  expect(chip.nanos).toBeGreaterThan(0);
});
