import { badArgument } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { type Tensor, writeSafetensors } from '../files/safetensors.js';
import { writeNpz } from '../files/write-npz.js';
import type { NamedLayer } from './problem/contract.js';

/** The parameters of layers as arrays: `NAME.weight` [outputs × inputs] and `NAME.bias` [outputs]. */
export function layerTensors(parameters: Float64Array, layers: readonly NamedLayer[]): Tensor[] {
  return layers.flatMap(({ name, outputs, inputs, weightOffset, biasOffset }) => [
    {
      name: `${name}.weight`,
      shape: [outputs, inputs],
      values: parameters.subarray(weightOffset, weightOffset + outputs * inputs),
    },
    { name: `${name}.bias`, shape: [outputs], values: parameters.subarray(biasOffset, biasOffset + outputs) },
  ]);
}

/** Writes tensors in the format given by the name of `path`. Errors: those of `writeWeights`. */
export async function writeTensors(
  path: string,
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const isNumpy = path.endsWith('.npz');
  if (!isNumpy && !path.endsWith('.safetensors'))
    throw badArgument('path', path, 'a name that ends in .safetensors or .npz');
  try {
    if (isNumpy) await writeNpz(path, tensors);
    else writeSafetensors(path, { tensors, metadata });
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${path} can't be written.`, {
      // The cause shall be the error of the file system, not the error that wraps it.
      cause: cause instanceof ThermolinkError ? cause.cause : cause,
      hint: 'Make room on the disk, or remove the entry with this name.',
      data: { file: path },
    });
  }
}
