import { clamp } from '../../firmware-protocol/clamp.js';
import {
  CONVERTER_LISTS,
  CONVERTER_MAGNITUDES,
  type ConverterParts,
  converterSize,
  deviation,
  makeConverters,
} from './converter.js';
import { scaled } from './gain.js';
import { imperfection } from './imperfection.js';

const DRAWS = { adcGain: 11, adcOffset: 12, adcBow: 13, adcCode: 14 };
/** The same numbers under the names that converter.ts uses. */
export const ADC_DRAWS = {
  gain: DRAWS.adcGain,
  offset: DRAWS.adcOffset,
  bow: DRAWS.adcBow,
  code: DRAWS.adcCode,
};

/**
 * The errors of the ADC channels (device-model.md, "Imperfections"). They change each reading, but not with
 * time, so device-model.md lists them with the effects at commit.
 */
export const adc = imperfection({
  acts: 'commit',
  rule:
    'u = v·gain is read, and u + d·step/256 gives the code; d is the deviation of the code that u alone ' +
    'would give.',
  size: converterSize,
  magnitudes: CONVERTER_MAGNITUDES,
  measured: CONVERTER_LISTS,
  draws: DRAWS,
  readAdc(effect, die, measured) {
    const parts = makeConverters(effect, die, ADC_DRAWS, measured);
    return (v, out) => readImperfectAdc(v, die.adcBits, parts, out);
  },
});

/**
 * Reads the cells by imperfect channels. Each voltage is multiplied by the channel's gain, moved by the
 * deviation of the code that it would give now, and then turned into its code. Returns whether any code was
 * clamped.
 */
function readImperfectAdc(v: Int32Array, adcBits: number, parts: ConverterParts, out: Int16Array): boolean {
  const shift = 26 - adcBits;
  const half = 1 << (shift - 1);
  const largest = (1 << (adcBits - 1)) - 1;
  let clipped = false;
  for (let i = 0; i < out.length; i++) {
    const u = scaled(v[i], parts.gain[i]);
    const near = clamp((u + half) >> shift, -largest - 1, largest);
    const moved = u + deviation(parts, i, near, adcBits) * (1 << (shift - 8));
    const code = (moved + half) >> shift;
    out[i] = clamp(code, -largest - 1, largest);
    if (out[i] !== code) clipped = true;
  }
  return clipped;
}
