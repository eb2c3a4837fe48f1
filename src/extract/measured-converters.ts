import type { Characterization } from '../characterize/characterize.js';
import { type Estimates, summarize } from '../characterize/estimates.js';
import { adcStep, driveStep } from '../mapping/board-range.js';
import type { Found } from './found.js';
import { integers, spreadPpm, UNIT_GAIN } from './integers.js';
import { isReal, realDeviation } from './real-quantity.js';

/** Deviations of converters are in this part of an LSB. */
const LSB_PART = 256;
const SPREAD_LSB256_MAX = 4096;
/** Of what a profile takes as a deviation; a bow beyond it is an error of curvature over a gain near 0. */
const BOW_LSB256_MAX = 65536;
/** Standard errors by which a gain may be below 0 by chance; by more it is a wrong sign, which no profile has. */
const CHANCE = 4;
/** Half of the ADC's range in V_fs: where its bow ends. */
const ADC_REACH = 2;
/** Variance of rounding to a step of 1. */
const ROUNDING_VARIANCE = 1 / 12;

/**
 * Gains, offsets and bows of the converters. A reading is gain·v + (offset + bow·(1 − x²))·LSB/256, x = gain·v/(2 V_fs), so its
 * curvature is −bow·LSB/256·gain²/4; a drive is gain·(d + bow·(1 − (d/R)²)·LSB/256) and an offset, which is the amplifier's
 * (`inputOffset`): the converter's own takes its bow off at 0. What single codes are off by is known by its spread alone.
 */
export function measuredConverters(measured: Characterization, source: string): Found {
  const adc = adcOf(measured, source);
  const driveConverter = driveOf(measured, source);
  return {
    effects: { adc: adc?.effect ?? null, driveConverter: driveConverter?.effect ?? null },
    measured: {
      ...(adc === undefined ? {} : { adc: adc.own }),
      ...(driveConverter === undefined ? {} : { driveConverter: driveConverter.own }),
    },
  };
}

function adcOf({ adc, identity }: Characterization, source: string) {
  const part = adcStep(identity.adcBits) / LSB_PART;
  const variances = adc.scatter.map((s) => (s / (LSB_PART * part)) ** 2 - ROUNDING_VARIANCE);
  const codeSpreadLsb256 = Math.round(LSB_PART * realDeviation(variances));
  const isBent = isReal(adc.curvature, 0);
  if (codeSpreadLsb256 === 0 && !isBent && !isReal(adc.offset, 0) && !isReal(adc.gain, 1)) return undefined;
  const gain = adc.gain.values;
  const bow = isBent
    ? integers(
        adc.curvature.values,
        0,
        (value, i) => (-value * ADC_REACH ** 2) / (gain[i] * gain[i] * part),
        BOW_LSB256_MAX,
      )
    : Array.from(gain, () => 0);
  const bowSpreadLsb256 = isBent ? deviationSpread(adc.curvature, ADC_REACH ** 2 / part) : 0;
  const atZero = deviationSpread(adc.offset, 1 / part);
  return {
    effect: {
      gainSpreadPpm: spreadPpm(adc.gain, 0),
      // At 0 V both show; they are drawn apart.
      offsetSpreadLsb256: Math.round(Math.sqrt(Math.max(0, atZero ** 2 - bowSpreadLsb256 ** 2))),
      bowSpreadLsb256,
      codeSpreadLsb256: Math.min(SPREAD_LSB256_MAX, codeSpreadLsb256),
      source,
    },
    own: {
      gain: gainIntegers(adc.gain),
      offset: integers(adc.offset.values, 0, (value, i) => value / part - bow[i]),
      bow,
    },
  };
}

function driveOf({ drive, identity }: Characterization, source: string) {
  const part = driveStep(identity) / LSB_PART;
  const codeSpreadLsb256 = Math.round(realDeviation(drive.codeVariance) / part);
  const isBent = isReal(drive.curvature, 0);
  if (codeSpreadLsb256 === 0 && !isBent && !isReal(drive.gain, 1)) return undefined;
  const reach = identity.driveRange ** 2;
  const gain = drive.gain.values;
  const bow = isBent
    ? integers(drive.curvature.values, 0, (value, i) => (-value * reach) / (gain[i] * part), BOW_LSB256_MAX)
    : Array.from(gain, () => 0);
  const bowSpreadLsb256 = isBent ? deviationSpread(drive.curvature, reach / part) : 0;
  return {
    effect: {
      gainSpreadPpm: spreadPpm(drive.gain, 0),
      offsetSpreadLsb256: bowSpreadLsb256,
      bowSpreadLsb256,
      codeSpreadLsb256: Math.min(SPREAD_LSB256_MAX, codeSpreadLsb256),
      source,
    },
    own: {
      gain: gainIntegers(drive.gain),
      offset: bow.map((value) => -value + 0),
      bow,
    },
  };
}

function gainIntegers({ values, standardErrors }: Estimates): number[] {
  return integers(values, UNIT_GAIN, (value, i) =>
    value < 0 && value >= -CHANCE * standardErrors[i] ? 0 : UNIT_GAIN * value,
  );
}

/** The board's own spread times `unit`, as a profile takes it. */
function deviationSpread(estimates: Estimates, unit: number): number {
  return Math.min(SPREAD_LSB256_MAX, Math.round(unit * summarize(estimates, 0).ownSpread));
}
