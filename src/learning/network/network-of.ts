import type { Network } from './contract.js';
import { type ConvolutionClassifierSettings, createConvolutionClassifier } from './convolution-classifier.js';
import { createMlp, type MlpSettings } from './mlp.js';

/** The type of `Network.settings` for the networks of this library. */
export type NetworkSettings =
  | ({ readonly kind: 'convolution' } & ConvolutionClassifierSettings)
  | ({ readonly kind: 'mlp' } & MlpSettings);

const KINDS: readonly unknown[] = ['convolution', 'mlp'] satisfies NetworkSettings['kind'][];

/** Whether a value, for example JSON from a file, holds the settings of a network of this library. */
export function isNetworkSettings(value: unknown): value is NetworkSettings {
  return typeof value === 'object' && value !== null && 'kind' in value && KINDS.includes(value.kind);
}

/**
 * Makes a network again from its `settings`. Its results are the same bit for bit. Errors: BAD_ARGUMENT for
 * impossible sizes.
 */
export function networkOf(settings: NetworkSettings): Network {
  return settings.kind === 'convolution' ? createConvolutionClassifier(settings) : createMlp(settings);
}
