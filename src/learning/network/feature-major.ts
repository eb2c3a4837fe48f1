/** Features that are moved together: one line of the processor's cache holds that many. */
const FEATURES_TOGETHER = 16;

/** Writes count × features, example-major, as features × count to `out`. */
export function featureMajor(inputs: Float32Array, count: number, out: Float32Array): void {
  const features = inputs.length / count;
  for (let first = 0; first < features; first += FEATURES_TOGETHER) {
    const end = Math.min(features, first + FEATURES_TOGETHER);
    for (let e = 0; e < count; e++)
      for (let f = first; f < end; f++) out[f * count + e] = inputs[e * features + f];
  }
}
