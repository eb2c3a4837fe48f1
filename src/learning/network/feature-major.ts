/** Features moved together: one cache line of the processor holds this many. */
const FEATURES_TOGETHER = 16;

/** Transposes `inputs`, count × features, into `out`, features × count. */
export function featureMajor(inputs: Float32Array, count: number, out: Float32Array): void {
  const features = inputs.length / count;
  for (let first = 0; first < features; first += FEATURES_TOGETHER) {
    const end = Math.min(features, first + FEATURES_TOGETHER);
    for (let e = 0; e < count; e++)
      for (let f = first; f < end; f++) out[f * count + e] = inputs[e * features + f];
  }
}
