/**
 * Gains as integers in 2⁻²⁰, and their arithmetic (device-model.md, "Draws and roundings"). Every
 * intermediate value is an integer below 2⁵³. Rounding is half up unless a comment says otherwise.
 */

export const GAIN_LOG2 = 20;
export const UNIT_GAIN = 1 << GAIN_LOG2;
/** Units of drives and voltages, of conductances, and of the outputs of row amplifiers. */
export const VOLTAGE_LOG2 = 24;
export const CONDUCTANCE_LOG2 = 15;
export const ROW_OUTPUT_LOG2 = 14;
const GAUSSIAN_UNIT_LOG2 = 12;
/** Parts per million in one. */
export const MILLION = 1000000;
/** Every gain is clamped to 0…2. Its product with a damping of 32 bits then stays below 2⁵³. */
const GAIN_MAX = 2 * UNIT_GAIN;

/** round(magnitude · z / 2¹²). */
export function spreadOf(magnitude: number, z: number): number {
  return roundShift(magnitude * z, GAUSSIAN_UNIT_LOG2);
}

/** round(2^unitLog2 · ppm · z / (2¹² · 10⁶)): a draw of that spread in units of 2^−unitLog2. */
export function ppmSpreadOf(ppm: number, z: number, unitLog2: number): number {
  return roundDivide(ppm * z * (1 << (unitLog2 - GAUSSIAN_UNIT_LOG2)), MILLION);
}

/** round(2^unitLog2 · ppm / 10⁶). */
export function ofPpm(ppm: number, unitLog2: number): number {
  return roundDivide(ppm * (1 << unitLog2), MILLION);
}

/** 1 + ppm · z, in 2⁻²⁰, within 0…2. */
export function gainOf(ppm: number, z: number): number {
  return Math.min(GAIN_MAX, Math.max(0, UNIT_GAIN + ppmSpreadOf(ppm, z, GAIN_LOG2)));
}

/** x · gain. */
export function scaled(x: number, gain: number): number {
  return roundShift(x * gain, GAIN_LOG2);
}

/** floor(x / 2^shift + ½). */
export function roundShift(x: number, shift: number): number {
  const unit = 1 << shift;
  return Math.floor((x + (unit >> 1)) / unit);
}

/** floor(x / divisor + ½) of an odd or even divisor, |x| · 2 < 2⁵³. */
export function roundDivide(x: number, divisor: number): number {
  const doubled = 2 * x + divisor;
  const rest = doubled % (2 * divisor);
  return (doubled - (rest < 0 ? rest + 2 * divisor : rest)) / (2 * divisor);
}

/** √gain, rounded down. */
export function squareRootGain(gain: number): number {
  const x = gain * UNIT_GAIN;
  if (x === 0) return 0;
  // Newton's method from above: the values fall, and the last one before a rise is the root.
  let root = 2 * UNIT_GAIN;
  for (;;) {
    const next = Math.floor((root + Math.floor(x / root)) / 2);
    if (next >= root) return root;
    root = next;
  }
}
