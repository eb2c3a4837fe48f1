import { adcStep, railOf } from '../../../board/board-range.js';
import { noiseTemperatureRange } from '../../../board/noise-register.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { counted, formatCount, formatExact, formatNumber, formatSeconds } from '../../../number-text.js';

/** The size of a board in words: name and value. */
export function sizeRows(identity: DeviceIdentity): string[][] {
  const { cells, rows, banks, hasDense, hasFactored, hasRowElement } = identity;
  const arrays = [
    ...(hasDense ? [`dense ${cells} × ${cells}`] : []),
    ...(hasFactored ? [`factored ${rows} × ${cells}`] : []),
  ];
  return [
    ['cells', formatCount(cells)],
    ['coupling arrays', arrays.join(', ')],
    ['program banks', formatCount(banks)],
    ...(hasRowElement ? [['rows', 'with a programmable element and drives']] : []),
  ];
}

/** Converters, rails, noise and time of a board in words and units: name and value. */
export function limitRows(identity: DeviceIdentity): string[][] {
  const { couplingBits, driveBits, adcBits, driveRange, tauNs, tickLog2, rowScaleMax } = identity;
  const tick = 2 ** -tickLog2;
  const noise = noiseTemperatureRange(identity, tick);
  const noiseMin = identity.noiseTemperatureMin / 1e12;
  return [
    ['couplings', `${couplingBits} bit, below ±1 G_fs`],
    ['drive', `${driveBits} bit, ±${driveRange} V_fs·G_fs`],
    ['ADC', `${adcBits} bit, ±2 V_fs, one step ${formatNumber(adcStep(adcBits))} V_fs`],
    [
      'rails',
      `±${formatNumber(railOf(identity))} V_fs, V_fs = ${formatExact(identity.fullScaleMicrovolts / 1e6)} V`,
    ],
    ['noise', `κ up to ${formatNumber(noise.max)} V_fs², meaningful from ${formatExact(noiseMin)} V_fs²`],
    ['time', `τ = ${formatSeconds(tauNs * 1e-9)}, one tick τ/${2 ** tickLog2}`],
    ...(identity.hasFactored ? [['rows × 2^attenuation', `at most ${formatCount(rowScaleMax)}`]] : []),
    ['samples', sampleLimits(identity)],
  ];
}

function sampleLimits({ hasHold, keepBlocksMax }: DeviceIdentity): string {
  const waiting = hasHold ? 'the board can wait for a slow host' : 'the board cannot wait for a slow host';
  const again =
    keepBlocksMax > 0 ? `keeps ${counted(keepBlocksMax, 'block')} to send again` : 'sends no block again';
  return `${waiting}, and ${again}`;
}
