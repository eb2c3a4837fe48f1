import { noiseRegister, noiseTemperatureOf, noiseTemperatureRange } from '../board/noise-register.js';
import { type AdcTransfer, correctedVoltage } from './adc-transfer.js';
import { type Estimates, noEstimates, setEstimate } from './estimates.js';
import type { LabBoard, Settings } from './lab-board.js';

/** λh of the board runs with noise. 2⁻ⁿ of a voltage is left after n ticks. */
const STEP = 1 / 2;
const TICKS_PER_SAMPLE = 4;
/** Correlation of neighbouring samples. */
export const CORRELATION = (1 - STEP) ** TICKS_PER_SAMPLE;
/**
 * Standard deviation of a cell's voltage that is aimed at, in V_fs: far above an LSB and far below the rails.
 */
const VOLTAGE = 0.03;

/**
 * Settings of uncoupled cells whose voltages have a standard deviation near `voltage` V_fs, and the κ in
 * V_fs² that the register then says.
 */
export function noisyCells(
  board: LabBoard,
  voltage: number,
): { settings: Settings; noiseTemperature: number } {
  const damping = STEP / board.tick;
  const range = noiseTemperatureRange(board.identity, board.tick);
  const least = Math.max(range.min, board.identity.noiseTemperatureMin * 1e-12);
  const wanted = Math.min(range.max, Math.max(least, voltage * voltage * damping));
  const noise = noiseRegister(wanted, board.tick, board.identity);
  return { settings: { damping, noise }, noiseTemperature: noiseTemperatureOf(noise, board.tick) };
}

/** The board run that reads such cells. */
export function noisyRun(samples: number, onSamples: (done: number) => void) {
  return { burnInTicks: 64, sampleCount: samples, ticksPerSample: TICKS_PER_SAMPLE, onSamples };
}

/**
 * Noise temperature of every cell relative to the register's κ: (Var(v) − s²)·(λ + L)/κ of uncoupled,
 * undriven cells, where s is the scatter of the ADC's readings. Two relative standard errors are combined.
 * That of n samples whose neighbours have the correlation c is √(2/n · (1 + c²)/(1 − c²)). That of a variance
 * σ² which is read over about K = 4σ/LSB uneven codes is 2s/(σ√K).
 */
export async function measureNoiseTemperature(
  board: LabBoard,
  adc: AdcTransfer,
  leakage: Estimates,
  samples: number,
  onSamples: (done: number) => void = () => undefined,
): Promise<Estimates> {
  const { cells } = board;
  const { settings, noiseTemperature } = noisyCells(board, VOLTAGE);
  await board.program(settings);
  const sums = new Float64Array(cells);
  const squares = new Float64Array(cells);
  await board.read(noisyRun(samples, onSamples), (codes) => {
    for (let at = 0; at < codes.length; at += cells)
      for (let i = 0; i < cells; i++) {
        const v = correctedVoltage(adc, i, codes[at + i] * board.adcStep);
        sums[i] += v;
        squares[i] += v * v;
      }
  });
  const estimates = noEstimates(cells);
  const spread = (1 + CORRELATION ** 2) / (1 - CORRELATION ** 2);
  const relativeError = Math.sqrt((2 / samples) * spread);
  for (let i = 0; i < cells; i++) {
    if (!Number.isFinite(squares[i]) || !Number.isFinite(leakage.values[i])) continue;
    const variance = (squares[i] - sums[i] ** 2 / samples) / (samples - 1) - adc.scatter[i] ** 2;
    const sigma = Math.sqrt(Math.max(variance, board.adcStep ** 2));
    const uneven = (2 * adc.scatter[i]) / (sigma * Math.sqrt((4 * sigma) / board.adcStep));
    const value = (variance * (settings.damping + leakage.values[i])) / noiseTemperature;
    setEstimate(estimates, i, value, Math.abs(value) * Math.hypot(relativeError, uneven));
  }
  return estimates;
}
