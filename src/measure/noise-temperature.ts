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

/** Whether the noise of a board is white. Only white noise has one temperature. */
export interface NoiseColour {
  /**
   * Correlation of neighbouring readings less the one that white noise explains, mean over the cells; NaN
   * where it was not measured.
   */
  readonly excessCorrelation: number;
  /** Standard error of that correlation. */
  readonly standardError: number;
  /**
   * The excess is more than five of its standard errors, and more than `EXCESS_MIN`. A cell's noise depends
   * then on how fast the cell is, and the standard errors of the noise temperatures do not cover that.
   */
  readonly isColoured: boolean;
}

/** The noise temperature of each cell, and whether it is one at every speed. */
export interface MeasuredNoise {
  readonly temperature: Estimates;
  readonly colour: NoiseColour;
}

/** A smaller excess is of no account. */
const EXCESS_MIN = 0.005;
/** So many standard errors are no chance: with 8 cells white noise passes them once in 1,000 boards. */
const EXCESS_ERRORS = 5;

/**
 * Noise temperature of every cell relative to the register's κ: (Var(v) − s²)·(λ + L)/κ of uncoupled,
 * undriven cells, where s is the scatter of the ADC's readings. Two relative standard errors are combined.
 * That of n samples whose neighbours have the correlation c is √(2/n · (1 + c²)/(1 − c²)). That of a variance
 * σ² which is read over about K = 4σ/LSB uneven codes is 2s/(σ√K).
 *
 * The noise is called coloured by the correlation of neighbouring readings, n = 4 ticks apart. A cell keeps
 * q = 1 − h(λ + L)/T of its voltage per tick, with T its `timeConstant`. Each kick is the sum of two white
 * ones, and the next kick has one of them too (device-model.md, "One tick"). So the correlation is
 * qⁿ⁻¹(1 + q)/2; on a board that is continuous in time it is qⁿ, which is less.
 */
export async function measureNoiseTemperature(
  board: LabBoard,
  adc: AdcTransfer,
  { leakage, timeConstant }: { readonly leakage: Estimates; readonly timeConstant: Estimates },
  samples: number,
  onSamples: (done: number) => void = () => undefined,
): Promise<MeasuredNoise> {
  const { cells } = board;
  const { settings, noiseTemperature } = noisyCells(board, VOLTAGE);
  await board.program(settings);
  const sums = new Float64Array(cells);
  const squares = new Float64Array(cells);
  const neighbours = new Float64Array(cells);
  const before = new Float64Array(cells);
  await board.read(noisyRun(samples, onSamples), (codes) => {
    for (let at = 0; at < codes.length; at += cells)
      for (let i = 0; i < cells; i++) {
        const v = correctedVoltage(adc, i, codes[at + i] * board.adcStep);
        sums[i] += v;
        squares[i] += v * v;
        neighbours[i] += v * before[i];
        before[i] = v;
      }
  });
  const temperature = noEstimates(cells);
  const excess: number[] = [];
  const spread = (1 + CORRELATION ** 2) / (1 - CORRELATION ** 2);
  const relativeError = Math.sqrt((2 / samples) * spread);
  for (let i = 0; i < cells; i++) {
    if (!Number.isFinite(squares[i]) || !Number.isFinite(leakage.values[i])) continue;
    const variance = (squares[i] - sums[i] ** 2 / samples) / (samples - 1) - adc.scatter[i] ** 2;
    const sigma = Math.sqrt(Math.max(variance, board.adcStep ** 2));
    const uneven = (2 * adc.scatter[i]) / (sigma * Math.sqrt((4 * sigma) / board.adcStep));
    const value = (variance * (settings.damping + leakage.values[i])) / noiseTemperature;
    setEstimate(temperature, i, value, Math.abs(value) * Math.hypot(relativeError, uneven));
    const kept = 1 - (board.tick * (settings.damping + leakage.values[i])) / timeConstant.values[i];
    const correlation = (neighbours[i] - sums[i] ** 2 / samples) / (samples - 1) / variance;
    if (variance > 0 && Number.isFinite(kept))
      excess.push(correlation - (kept ** (TICKS_PER_SAMPLE - 1) * (1 + kept)) / 2);
  }
  return { temperature, colour: colourOf(excess, samples) };
}

/** The colour from the excess correlation of each cell. Its error is 1/√samples at least. */
function colourOf(excess: readonly number[], samples: number): NoiseColour {
  const count = excess.length;
  const excessCorrelation = excess.reduce((sum, value) => sum + value, 0) / count;
  const between = excess.reduce((sum, value) => sum + (value - excessCorrelation) ** 2, 0) / (count - 1);
  const variance = Math.max(count > 1 ? between : 0, 1 / samples);
  const standardError = Math.sqrt(variance / count);
  const isColoured = excessCorrelation > Math.max(EXCESS_MIN, EXCESS_ERRORS * standardError);
  return { excessCorrelation, standardError, isColoured };
}
