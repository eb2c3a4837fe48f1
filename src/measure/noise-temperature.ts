import { noiseRegister, noiseTemperatureOf, noiseTemperatureRange } from '../board/noise-register.js';
import { type AdcTransfer, correctedVoltage } from './adc-transfer.js';
import { type Estimates, noEstimates, setEstimate } from './estimates.js';
import type { LabBoard, Settings } from './lab-board.js';

/** λh of the board runs with noise. After n ticks a voltage has decayed to 2⁻ⁿ. */
const STEP = 1 / 2;
const TICKS_PER_SAMPLE = 4;
/** Correlation of neighbouring samples. */
export const CORRELATION = (1 - STEP) ** TICKS_PER_SAMPLE;
/** Wanted standard deviation of the voltage of a cell, in V_fs: far above an LSB and far below the rails. */
const VOLTAGE = 0.03;

/**
 * Settings of uncoupled cells whose voltages have a standard deviation near `voltage` V_fs, and the
 * corresponding κ of the register, in V_fs².
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

/** Settings of the board run that reads the cells of `noisyCells`. */
export function noisyRun(samples: number, onSamples: (done: number) => void) {
  return { burnInTicks: 64, sampleCount: samples, ticksPerSample: TICKS_PER_SAMPLE, onSamples };
}

/** Whether the noise of a board is white. Only white noise has one temperature. */
export interface NoiseColour {
  /**
   * Correlation of neighbouring readings minus the correlation of white noise, averaged over the cells; NaN
   * if it was not measured.
   */
  readonly excessCorrelation: number;
  /** Standard error of the excess, a correlation without unit. */
  readonly standardError: number;
  /**
   * Whether the excess is more than five standard errors and more than `EXCESS_MIN`. If so, the noise
   * temperature of a cell depends on its rate, and the standard errors of the noise temperatures do not
   * include this.
   */
  readonly isColoured: boolean;
}

/** The noise temperature of each cell, and whether the noise is white. */
export interface MeasuredNoise {
  readonly temperature: Estimates;
  readonly colour: NoiseColour;
}

/** A smaller excess is ignored. */
const EXCESS_MIN = 0.005;
/**
 * Number of standard errors at which an excess counts. On one of 1,000 boards with 8 cells, white noise
 * exceeds this number.
 */
const EXCESS_ERRORS = 5;

/**
 * Noise temperature of every cell relative to the κ of the register: (Var(v) − s²)·(λ + L)/κ of uncoupled,
 * undriven cells, where s is the scatter of the ADC readings. The relative standard error combines two parts.
 * n samples with the correlation c of neighbours give √(2/n · (1 + c²)/(1 − c²)). A variance σ² that is read
 * over about K = 4σ/LSB uneven codes gives 2s/(σ√K).
 *
 * The correlation of neighbouring readings, n = 4 ticks apart, tells whether the noise is coloured. A cell
 * keeps the share q = 1 − h(λ + L)/T of its voltage per tick; T is its `timeConstant`. Each kick is the sum
 * of two white ones, and the next kick contains one of the two again (device-model.md, "One tick"). The
 * correlation of white noise is therefore qⁿ⁻¹(1 + q)/2. On a board in continuous time it is qⁿ, which is
 * less.
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

/**
 * The colour from the excess correlation of each cell. The standard error of one excess is at least
 * 1/√samples.
 */
function colourOf(excess: readonly number[], samples: number): NoiseColour {
  const count = excess.length;
  const excessCorrelation = excess.reduce((sum, value) => sum + value, 0) / count;
  const between = excess.reduce((sum, value) => sum + (value - excessCorrelation) ** 2, 0) / (count - 1);
  const variance = Math.max(count > 1 ? between : 0, 1 / samples);
  const standardError = Math.sqrt(variance / count);
  const isColoured = excessCorrelation > Math.max(EXCESS_MIN, EXCESS_ERRORS * standardError);
  return { excessCorrelation, standardError, isColoured };
}
