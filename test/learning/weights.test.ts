import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readMatrix, readVector } from '../../src/files/read-array.js';
import { readSafetensors, writeSafetensors } from '../../src/files/safetensors.js';
import { classReport } from '../../src/learning/confusion.js';
import { createConvolutionClassifier } from '../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../src/learning/network/mlp.js';
import { readWeights, writeWeights } from '../../src/learning/weights.js';

const directory = mkdtempSync(join(tmpdir(), 'thermolink-weights-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'weights.safetensors');

const NETWORKS = [
  createMlp({ inputCount: 4, hidden: [3], classes: 2 }),
  createConvolutionClassifier({ rows: 8, columns: 8, classes: 3, channels: 2, hidden: [5] }),
];

describe.each(NETWORKS)('weights of a network of the kind $name', (network) => {
  const parameters = network.init(7);

  it('are read back as the same network with the same bits', async () => {
    await writeWeights(file, { network, parameters });
    const read = readWeights(file);
    expect(read.parameters).toEqual(parameters);
    expect(read.network.settings).toEqual(network.settings);
    const inputs = Float32Array.from({ length: 2 * network.inputCount }, (_, i) => (i % 5) / 5);
    expect(read.network.predict(read.parameters, inputs)).toEqual(network.predict(parameters, inputs));
  });

  it('are the same arrays in .npz', async () => {
    const npz = join(directory, 'weights.npz');
    await writeWeights(npz, { network, parameters });
    for (const { name, outputs, inputs, weightOffset, biasOffset } of network.layers) {
      const weight = await readMatrix(`${npz}:${name}.weight`);
      expect([weight.rows, weight.columns]).toEqual([outputs, inputs]);
      expect(weight.data).toEqual(parameters.slice(weightOffset, weightOffset + outputs * inputs));
      expect(await readVector(`${npz}:${name}.bias`)).toEqual(
        parameters.slice(biasOffset, biasOffset + outputs),
      );
    }
  });

  it('are refused if an array is missing, of another shape, or not finite', async () => {
    await writeWeights(file, { network, parameters });
    const { tensors, metadata } = readSafetensors(file);
    const [first, ...rest] = tensors;
    const refused = (changed: typeof tensors, message: RegExp, facts = metadata): void => {
      writeSafetensors(file, { tensors: changed, metadata: facts });
      expect(() => readWeights(file)).toThrow(message);
    };
    refused(rest, /lacks .*\.weight/);
    refused([{ ...first, shape: [first.values.length, 1] }, ...rest], /its network needs/);
    refused([{ ...first, values: first.values.map(() => Number.NaN) }, ...rest], /not finite/);
    refused(tensors, /does not name the network/, {});
    refused(tensors, /does not name the network/, { network: '{"kind":"other"}' });
    refused(tensors, /damaged table encoding/, { ...metadata, encoding: '{"columns":[]}' });
  });
});

it('weights are not written to a file of another format or to a missing directory', async () => {
  const [network] = NETWORKS;
  await expect(
    writeWeights(join(directory, 'a.bin'), { network, parameters: network.init(1) }),
  ).rejects.toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  await expect(
    writeWeights(join(directory, 'missing', 'a.npz'), { network, parameters: network.init(1) }),
  ).rejects.toThrow(expect.objectContaining({ code: 'BAD_FILE' }));
});

it('the report of classes counts each example once, in the row of its label', () => {
  const network = createMlp({ inputCount: 1, hidden: [], classes: 3 });
  // The class is 2 if the input is large, and 0 if it is small.
  const parameters = Float64Array.of(-1, 0, 1, 0, -10, 0);
  const inputs = Float32Array.of(-2, -2, 3, 3, 3, -1);
  const labels = Uint8Array.of(0, 1, 2, 2, 0, 2);
  const report = classReport(network, parameters, { count: 6, inputs, labels });
  expect(report.confusion).toEqual([
    [1, 0, 1],
    [1, 0, 0],
    [1, 0, 2],
  ]);
  expect(report.accuracy).toBe(0.5);
  expect(report.accuracyError).toBeCloseTo(Math.sqrt(0.25 / 6), 12);
  expect(report.loss).toBe(network.evaluate(parameters, { count: 6, inputs, labels }).loss);
});
