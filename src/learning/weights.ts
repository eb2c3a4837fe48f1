import { badArgument, checkObject } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { readSafetensors } from '../files/safetensors.js';
import { isTableEncoding, type TableEncoding } from './data/table-encoding.js';
import type { Network } from './network/contract.js';
import { isNetworkSettings, networkOf } from './network/network-of.js';
import { layerTensors, writeTensors } from './weight-arrays.js';

/** A trained network, and the encoding of its inputs. */
export interface Weights {
  readonly network: Network;
  /** θ, length P. */
  readonly parameters: Float64Array;
  /** How the rows of a table become inputs; absent for images. */
  readonly encoding?: TableEncoding;
}

/** Texts beside the arrays. `readWeights` makes the network again from them. */
export function weightFacts({ network, encoding }: Omit<Weights, 'parameters'>): Record<string, string> {
  return {
    format: 'thermolink',
    network: JSON.stringify(network.settings),
    ...(encoding === undefined ? {} : { encoding: JSON.stringify(encoding) }),
  };
}

/**
 * Writes the weights of a network, layer by layer: in the safetensors format with the texts that
 * `readWeights` needs, or as NumPy's .npz with only the arrays. The name of `path` selects the format.
 * Replaces the file.
 *
 * Errors: BAD_ARGUMENT for another format; BAD_FILE when the system refuses to write.
 */
export async function writeWeights(path: string, weights: Weights): Promise<void> {
  if (typeof path !== 'string') throw badArgument('path', path, 'a path');
  checkObject('weights', weights, '{ network, parameters }');
  const tensors = layerTensors(weights.parameters, weights.network.layers);
  await writeTensors(path, tensors, weightFacts(weights));
}

/**
 * Reads weights that a training or `writeWeights` has written in the safetensors format, and makes their
 * network.
 *
 * Errors: BAD_ARGUMENT; BAD_FILE for a file that is missing, damaged, written by other software, or whose
 * arrays do not fit the network.
 */
export function readWeights(path: string): Weights {
  if (typeof path !== 'string') throw badArgument('path', path, 'a path');
  const { tensors, metadata } = readSafetensors(path);
  const wrong = (what: string, hint: string): ThermolinkError =>
    new ThermolinkError('BAD_FILE', `${path} ${what}.`, { hint, data: { file: path } });
  const settings = jsonIn(metadata['network']);
  if (!isNetworkSettings(settings))
    throw wrong(
      'does not name the network of its weights',
      'Give weights.safetensors of a training of images or of a table.',
    );
  const network = networkOf(settings);
  const parameters = new Float64Array(network.parameterCount);
  const places = layerTensors(parameters, network.layers);
  for (const { name, shape, values } of places) {
    const found = tensors.find((tensor) => tensor.name === name);
    if (found === undefined) throw wrong(`lacks ${name} of its network`, 'Write the weights again.');
    if (found.shape.join(' × ') !== shape.join(' × '))
      throw wrong(
        `holds ${name} as ${found.shape.join(' × ')}, and its network needs ${shape.join(' × ')}`,
        'Write the weights again.',
      );
    if (!found.values.every(Number.isFinite))
      throw wrong(`holds a number in ${name} that is not finite`, 'Train again, with a smaller rate.');
    values.set(found.values);
  }
  const encoding = jsonIn(metadata['encoding']);
  if (encoding !== undefined && !isTableEncoding(encoding))
    throw wrong('holds a damaged table encoding', 'Write the weights again.');
  return { network, parameters, ...(encoding === undefined ? {} : { encoding }) };
}

/** The value of a JSON text; undefined if there is no text or it is not JSON. */
function jsonIn(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
