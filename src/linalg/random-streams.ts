import { PHILOX_STREAM } from '../../firmware-protocol/philox.js';

/** The host's streams, for folders that don't import the protocol; each use has its own, so none shares a number. */
export const RANDOM_STREAM = {
  parameters: PHILOX_STREAM.parameters,
  exampleOrder: PHILOX_STREAM.exampleOrder,
  /** Start vectors of the spectrum estimate. */
  spectrumProbe: 272,
  /** Noise of the ideal sampler. */
  idealSampler: 273,
} as const;
