import { type Die, dieInfo } from '../../../emulator/analog/die.js';
import { diePartsOf } from '../../../emulator/analog/die-parts.js';
import { ADC_DRAWS } from '../../../emulator/imperfections/adc.js';
import { makeConverters } from '../../../emulator/imperfections/converter.js';
import { DRIVE_DRAWS } from '../../../emulator/imperfections/drive-converter.js';
import { UNIT_GAIN } from '../../../emulator/imperfections/gain.js';

const CODE_PERIOD = 256;
const LSB_PARTS = 256;

export interface DieTruth {
  /** One entry per cell, by the key of the quantity. */
  readonly cells: Readonly<Record<string, Float64Array>>;
  /** ε of a crosspoint of the dense array. */
  couplingError(row: number, column: number): number;
}

/**
 * The true values of a die, in the quantities that a characterization estimates. The die must have the
 * effects of both converters and of the cells.
 */
export function dieTruth(die: Die): DieTruth {
  const { profile } = die;
  const { cells, adcBits, driveBits, driveRange, measured } = profile;
  const effects = profile.effects!;
  const info = dieInfo(die);
  const { cells: cellParts, crosspoints } = diePartsOf(die);
  const parts = cellParts!;
  const each = (value: (i: number) => number) => Float64Array.from({ length: cells }, (_, i) => value(i));
  const adc = effects.adc && makeConverters(effects.adc, info, ADC_DRAWS, measured?.adc);
  const dac =
    effects.driveConverter &&
    makeConverters(effects.driveConverter, info, DRIVE_DRAWS, measured?.driveConverter);
  const codeMean = (codes: Int32Array, i: number) =>
    codes.subarray(CODE_PERIOD * i, CODE_PERIOD * (i + 1)).reduce((sum, d) => sum + d, 0) / CODE_PERIOD;
  // The sum of offset, bow and mean of the code deviations, in the full scale of the converter.
  const offsetOf = (converter: typeof adc, i: number, step: number) =>
    converter
      ? ((converter.offset[i] + converter.bow[i] + codeMean(converter.code, i)) / LSB_PARTS) * step
      : 0;
  const gainAt = (converter: typeof adc, i: number) => (converter ? converter.gain[i] / UNIT_GAIN : 1);
  const adcLsb = 2 ** (2 - adcBits);
  const dacLsb = driveRange * 2 ** (1 - driveBits);
  const share = (effects.commonModeNoise?.sharePpm ?? 0) * 1e-6;
  return {
    cells: {
      adcOffset: each((i) => offsetOf(adc, i, adcLsb)),
      adcGain: each((i) => gainAt(adc, i)),
      adcCurvature: each((i) => (adc ? (-adc.bow[i] / LSB_PARTS / 4) * adcLsb * gainAt(adc, i) ** 2 : 0)),
      driveOffset: each((i) => gainAt(dac, i) * offsetOf(dac, i, dacLsb) + parts.inputOffset[i] / 2 ** 24),
      driveGain: each((i) => gainAt(dac, i)),
      leakage: each((i) => parts.leakage[i] / 2 ** 15),
      timeConstant: each((i) => UNIT_GAIN / parts.rate[i]),
      noiseTemperature: each(
        (i) => ((parts.noiseGain[i] / UNIT_GAIN) ** 2 / (parts.rate[i] / UNIT_GAIN)) * (1 + share ** 2),
      ),
      fromNext: each((i) => parts.fromNext[i] / UNIT_GAIN),
      fromBefore: each((i) => parts.fromBefore[i] / UNIT_GAIN),
    },
    couplingError(row, column) {
      const gains = new Int32Array(cells).fill(UNIT_GAIN);
      crosspoints?.('forward', row, gains);
      return gains[column] / UNIT_GAIN - 1;
    },
  };
}
