import { PHILOX_STREAM } from '../../firmware-protocol/philox.js';

/** The host's streams, for folders that don't import the protocol; each use has its own, so none shares a number. */
export const RANDOM_STREAM = {
  parameters: PHILOX_STREAM.parameters,
  exampleOrder: PHILOX_STREAM.exampleOrder,
  spectrumProbe: PHILOX_STREAM.spectrumProbe,
  idealSampler: PHILOX_STREAM.idealSampler,
} as const;
