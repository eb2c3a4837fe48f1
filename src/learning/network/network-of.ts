import type { Network } from './contract.js';
import { type ConvolutionClassifierSettings, createConvolutionClassifier } from './convolution-classifier.js';
import { createMlp, type MlpSettings } from './mlp.js';

/** What `Network.settings` of the networks of this library hold. */
export type NetworkSettings =
  | ({ readonly kind: 'convolution' } & ConvolutionClassifierSettings)
  | ({ readonly kind: 'mlp' } & MlpSettings);

const KINDS: readonly unknown[] = ['convolution', 'mlp'] satisfies NetworkSettings['kind'][];

/** Whether a value, such as JSON from a file, names a network of this library. */
export function isNetworkSettings(value: unknown): value is NetworkSettings {
  return typeof value === 'object' && value !== null && 'kind' in value && KINDS.includes(value.kind);
}

/**
 * Makes a network from its `settings`, the same bit for bit. Errors: BAD_ARGUMENT for sizes that make none.
 */
export function networkOf(settings: NetworkSettings): Network {
  return settings.kind === 'convolution' ? createConvolutionClassifier(settings) : createMlp(settings);
}
