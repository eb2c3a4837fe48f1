import { noiseRegister, noiseTemperatureOf, noiseTemperatureRange } from '../board/noise-register.js';
import { type AdcTransfer, correctedVoltage } from './adc-transfer.js';
import { type Estimates, noEstimates, setEstimate } from './estimates.js';
import type { LabBoard, Settings } from './lab-board.js';

/** λh of the runs with noise: what is left of a voltage after n ticks is 2⁻ⁿ. */
const STEP = 1 / 2;
const TICKS_PER_SAMPLE = 4;
/** Of neighbouring readings. */
export const CORRELATION = (1 - STEP) ** TICKS_PER_SAMPLE;
/**
 * Standard deviation of a cell's voltage that is aimed at, in V_fs: far above an LSB, far below the rails.
 */
const VOLTAGE = 0.03;

/**
 * An uncoupled board whose cells have a standard deviation near `voltage` V_fs, and the κ in V_fs² that it
 * was told.
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

/** The run that reads such a board. */
export function noisyRun(samples: number, onSamples: (done: number) => void) {
  return { burnInTicks: 64, sampleCount: samples, ticksPerSample: TICKS_PER_SAMPLE, onSamples };
}

/**
 * Noise temperature of every cell relative to the register's κ: (Var(v) − s²)·(λ + L)/κ of uncoupled,
 * undriven cells, s the scatter of the ADC's readings. Relative standard error of n readings whose neighbours
 * have the correlation c: √(2/n · (1 + c²)/(1 − c²)); and of a variance σ² read over about K = 4σ/LSB uneven
 * codes 2s/(σ√K).
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
