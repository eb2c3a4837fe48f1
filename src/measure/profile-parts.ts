import { adcStep, driveStep } from '../board/board-range.js';
import type { Characterization } from './characterize.js';
import { type Estimates, summarize } from './estimates.js';
import {
  type Found,
  integers,
  isReal,
  meanPpm,
  realDeviation,
  spreadPpm,
  UNIT_GAIN,
} from './profile-numbers.js';

const VOLTAGE_UNITS = 2 ** 24;
const CONDUCTANCE_UNITS = 2 ** 15;
/**
 * Largest rate in a profile. While time constants are measured, a nominal cell loses up to 3/8 of its voltage
 * per tick. A cell that is 8/3 times as fast loses all of it.
 */
const RATE_MAX = (8 / 3) * UNIT_GAIN;

/** The parts of a profile about cells: time constants, noise temperatures, offsets and leakages. */
export function measuredCells(
  { timeConstant, noiseTemperature, drive }: Characterization,
  source: string,
): Found {
  const { offset, leakage } = drive;
  const slow = isReal(timeConstant, 1);
  const noisy = isReal(noiseTemperature, 1);
  const biased = isReal(offset, 0);
  const leaky = isReal(leakage, 0);
  return {
    effects: {
      timeConstantMismatch: slow ? { spreadPpm: spreadPpm(timeConstant, 1), source } : null,
      // The temperature of a cell with the noise mismatch ν is (1 + ν)². The spread of ν is therefore about
      // half the spread of the temperature.
      noiseMismatch: noisy ? { spreadPpm: spreadPpm(noiseTemperature, 1, 1 / 2), source } : null,
      inputOffset: biased ? { spreadPpm: spreadPpm(offset, 1), source } : null,
      leakage: leaky
        ? { meanPpm: Math.max(0, meanPpm(leakage)), spreadPpm: spreadPpm(leakage, 0), source }
        : null,
    },
    measured: {
      ...(slow
        ? {
            timeConstantMismatch: {
              rate: integers(
                timeConstant.values,
                UNIT_GAIN,
                (value) => (value > 0 ? UNIT_GAIN / value : Number.NaN),
                RATE_MAX,
              ),
            },
          }
        : {}),
      ...(noisy
        ? {
            noiseMismatch: {
              gain: integers(
                noiseTemperature.values,
                UNIT_GAIN,
                (value) => UNIT_GAIN * Math.sqrt(Math.max(0, value)),
              ),
            },
          }
        : {}),
      ...(biased
        ? { inputOffset: { offset: integers(offset.values, 0, (value) => VOLTAGE_UNITS * value) } }
        : {}),
      ...(leaky
        ? {
            leakage: {
              conductance: integers(leakage.values, 0, (value) => Math.max(0, CONDUCTANCE_UNITS * value)),
            },
          }
        : {}),
    },
  };
}

/** A profile gives deviations of converters in units of LSB/256. */
const LSB_PART = 256;
const SPREAD_LSB256_MAX = 4096;
/** Largest bow in a profile. A larger value is an error of the curvature, divided by a gain near 0. */
const BOW_LSB256_MAX = 65536;
/**
 * Number of standard errors by which a gain may be below 0 by chance. A gain further below 0 has the wrong
 * sign, which no profile can describe.
 */
const CHANCE = 4;
/** Half of the range of the ADC, in V_fs. At ±this voltage the bow is 0. */
const ADC_REACH = 2;
/** Variance of rounding to a step of 1. */
const ROUNDING_VARIANCE = 1 / 12;

/**
 * The parts of a profile about converters: gains, offsets and bows. A reading is gain·v + (offset + bow·(1 −
 * x²))·LSB/256 with x = gain·v/(2 V_fs), so its curvature is −bow·LSB/256·gain²/4. A drive is gain·(d +
 * bow·(1 − (d/R)²)·LSB/256) plus an offset, where d is the requested drive and ±R the range of the drives.
 * That offset belongs to the amplifier (`inputOffset`); the offset of the converter cancels its bow at 0. For
 * the deviations of single codes only the spread is known.
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
      // At 0 V only the sum of offset and bow is visible. The die draws them independently.
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

/**
 * The spread of the board without the errors of the estimates, multiplied by `unit`, within the limits of a
 * profile.
 */
function deviationSpread(estimates: Estimates, unit: number): number {
  return Math.min(SPREAD_LSB256_MAX, Math.round(unit * summarize(estimates, 0).ownSpread));
}

/**
 * The parts of a profile about couplings: the crosspoints of the dense array and the crosstalk of lines. If
 * all crosspoints were measured, each has its own value; otherwise only their spread is given.
 */
export function measuredCouplings({ couplings, identity }: Characterization, source: string): Found {
  if (couplings === undefined) return { effects: { couplingMismatch: null, crosstalk: null }, measured: {} };
  const { rows, columns, errors, fromNext, fromBefore } = couplings;
  const { cells } = identity;
  const differ = isReal(errors, 0);
  const pick = isReal(fromNext, 0) || isReal(fromBefore, 0);
  /** Gains of the crosspoints, in the order of the array. */
  const gains = () => {
    const gain = new Array<number>(cells * cells).fill(UNIT_GAIN);
    const found = integers(errors.values, UNIT_GAIN, (error) => UNIT_GAIN * (1 + error));
    for (const [k, value] of found.entries()) gain[rows[k] * cells + columns[k]] = value;
    return gain;
  };
  const share = ({ values }: Estimates) => integers(values, 0, (value) => UNIT_GAIN * value);
  const both = joined(fromNext, fromBefore);
  return {
    effects: {
      couplingMismatch: differ ? { spreadPpm: spreadPpm(errors, 1), source } : null,
      crosstalk: pick ? { sharePpm: meanPpm(both), spreadPpm: spreadPpm(both, 0), source } : null,
    },
    measured: {
      ...(differ && rows.length === cells * cells ? { couplingMismatch: { gain: gains() } } : {}),
      ...(pick ? { crosstalk: { fromNext: share(fromNext), fromBefore: share(fromBefore) } } : {}),
    },
  };
}

/** Joins the shares of both sides into one quantity. */
function joined(a: Estimates, b: Estimates): Estimates {
  return {
    values: Float64Array.of(...a.values, ...b.values),
    standardErrors: Float64Array.of(...a.standardErrors, ...b.standardErrors),
  };
}
