import { describe, expect, it } from 'vitest';
import { ChainRoom } from '../../../src/learning/network/chain-room.js';
import { type AffineBlock, networkOutputs } from '../../../src/learning/network/passes.js';
import { noiseVector } from '../../support/network-examples.js';

const dense = (outputs: number, inputs: number): AffineBlock => ({
  outputs,
  inputs,
  positions: 1,
  poolSize: 1,
});
const CHAINS: Record<string, readonly AffineBlock[]> = {
  'softmax regression': [dense(3, 5)],
  'a multilayer perceptron': [dense(7, 12), dense(4, 7)],
  'two hidden layers': [dense(5, 9), dense(6, 5), dense(2, 6)],
  'a convolution with pools': [{ outputs: 3, inputs: 9, positions: 16, poolSize: 4 }, dense(4, 12)],
  'a convolution without pools, and a hidden layer': [
    { outputs: 2, inputs: 4, positions: 9, poolSize: 1 },
    dense(5, 18),
    dense(10, 5),
  ],
};

function problem(blocks: readonly AffineBlock[], count: number, scale: number) {
  const length = blocks.reduce((sum, { outputs, inputs }) => sum + outputs * (inputs + 1), 0);
  const [{ inputs, positions }] = blocks;
  const input = Float32Array.from(noiseVector(inputs * positions * count, 5));
  // Two places of a pool have the same input here, so that each gets half of the derivative.
  if (blocks[0].poolSize > 1)
    for (let i = 0; i < inputs; i++)
      input.copyWithin(
        i * positions * count,
        (i * positions + positions / 4) * count,
        (i * positions + positions / 2) * count,
      );
  return { parameters: noiseVector(length, 6, scale), input };
}

describe.each(Object.entries(CHAINS))('the memory of %s', (_, blocks) => {
  it.each([
    [1, 0.3],
    [3, 0.3],
    [8, 0.3],
    [5, 40],
  ])('has the bits of the definition in the module: %i examples, parameters of size %f', (count, scale) => {
    const [fast, plain] = [true, false].map((useModule) => new ChainRoom(blocks, count, useModule));
    for (const size of [scale, 2 * scale]) {
      const { parameters, input } = problem(blocks, count, size);
      expect(fast.run(parameters, input)).toEqual(plain.run(parameters, input));
      expect(fast.layers).toEqual(plain.layers);
    }
  });

  it('has the outputs of the library, up to the rounding of machines that fuse products and sums', () => {
    const { parameters, input } = problem(blocks, 6, 0.4);
    const outputs = new ChainRoom(blocks, 6).run(parameters, input);
    const expected = networkOutputs(blocks, parameters, input);
    expect(outputs).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(outputs[i]).toBeCloseTo(value, 5);
  });
});
