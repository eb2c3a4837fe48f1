import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import type { LayerShape } from './contract.js';

/**
 * Weights are uniform in ±√(3/inputs), biases are zero. The variance of the weights is then 1/inputs, which
 * keeps the tanh units in their working range at the start. A pure function of the seed (u32); the random
 * numbers of layer l are those of step l. Source: LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998,
 * section 4.6.
 */
export function initialParameters(
  layers: readonly LayerShape[],
  parameterCount: number,
  seed: number,
): Float64Array {
  const parameters = new Float64Array(parameterCount);
  layers.forEach(({ outputs, inputs, weightOffset }, layer) => {
    const limit = Math.sqrt(3 / inputs);
    const random = randomSource({ seed, stream: RANDOM_STREAM.parameters, step: layer });
    for (let i = 0; i < outputs * inputs; i++)
      parameters[weightOffset + i] = limit * (2 * random.uniform() - 1);
  });
  return parameters;
}
