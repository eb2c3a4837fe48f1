import { DAMPING_STEP, STATE_STEP } from '../board/board-range.js';
import { type Estimates, noEstimates, setEstimate } from './estimates.js';
import { type LabBoard, randomStates } from './lab-board.js';
import { fitLinear } from './least-squares.js';

/** Number of decays per damping. Each needs a rewrite and a board run of about 2 τ/λ. */
const DECAYS = 48;
export const TIME_CONSTANT_RUNS = 2 * DECAYS;
/** λh of the two dampings. */
const STEPS = [1 / 8, 3 / 8] as const;
const STAGE = 3;
/**
 * Largest number of corrections of the rate. The first one reduces the error to 10⁻³, the next one to 10⁻⁶.
 */
const CORRECTIONS_MAX = 8;

/** Readings of the decays under one damping. */
interface Decays {
  readonly damping: number;
  /** s of each decay and cell, in V_fs. */
  readonly starts: readonly Float64Array[];
  /** r[n] of each decay, sample and cell, in V_fs. */
  readonly readings: readonly (readonly Float64Array[])[];
}

/**
 * Time constant 1/γ of every cell, in τ, from decays of loaded voltages. A decaying voltage loses the share
 * h·ρ per tick, with ρ = γ(λ + L). Two dampings give γ = (ρ₂ − ρ₁)/(λ₂ − λ₁), which does not contain the
 * leakage L. Silent cells are omitted.
 */
export async function measureTimeConstant(
  board: LabBoard,
  silent: readonly number[],
  onStep: (done: number) => void = () => undefined,
): Promise<Estimates> {
  const all: Decays[] = [];
  const random = board.random(STAGE);
  for (const step of STEPS) {
    const damping = step / board.tick;
    const sampleCount = Math.ceil(2 / step) + 1;
    const starts: Float64Array[] = [];
    const readings: Float64Array[][] = [];
    for (let decay = 0; decay < DECAYS; decay++) {
      const initialState = randomStates(random, board.voltageMax, board.cells);
      await board.program({ damping, initialState });
      starts.push(Float64Array.from(initialState, (code) => code * STATE_STEP));
      const parts: Float64Array[] = [];
      await board.read({ burnInTicks: 0, sampleCount, ticksPerSample: 1 }, (codes) => {
        for (let at = 0; at < codes.length; at += board.cells)
          parts.push(Float64Array.from(codes.subarray(at, at + board.cells), (code) => code * board.adcStep));
      });
      readings.push(parts);
      onStep(all.length * DECAYS + decay + 1);
    }
    all.push({ damping, starts, readings });
  }
  const estimates = noEstimates(board.cells);
  const range = all[1].damping - all[0].damping;
  for (let cell = 0; cell < board.cells; cell++) {
    if (silent.includes(cell)) continue;
    const [slow, fast] = all.map((decays) => rateOf(board, decays, cell));
    if (slow === undefined || fast === undefined) continue;
    const gamma = (fast.rate - slow.rate) / range;
    const rounding = (DAMPING_STEP * Math.sqrt(2 / 12)) / range;
    const error = Math.hypot(Math.hypot(slow.error, fast.error) / range, rounding);
    setEstimate(estimates, cell, 1 / gamma, error / (gamma * gamma));
  }
  return estimates;
}

/**
 * ρ of one cell, in 1/τ, by Gauss–Newton on r = a₀ + a₁·s·qⁿ + a₂·qⁿ + a₃·(s·qⁿ)² with q = 1 − hρ. Offset,
 * gain and curvature of the ADC and the offset of the cell are fitted too, so errors of other measurements
 * have no effect. The samples of one decay are a group.
 */
function rateOf(
  board: LabBoard,
  { damping, starts, readings }: Decays,
  cell: number,
): { rate: number; error: number } | undefined {
  const r = Float64Array.from(readings.flatMap((decay) => decay.map((volts) => volts[cell])));
  const n = Float64Array.from(readings.flatMap((decay) => [...decay.keys()]));
  const groups = Int32Array.from(readings.flatMap((decay, group) => decay.map(() => group)));
  const s = Float64Array.from(groups, (group) => starts[group][cell]);
  let q = 1 - board.tick * damping;
  let tangents = { gain: 1, common: 0 };
  for (let correction = 0; correction < CORRECTIONS_MAX; correction++) {
    const power = n.map((ticks) => q ** ticks);
    const y = s.map((start, k) => start * power[k]);
    const { gain, common } = tangents;
    const slope = s.map((start, k) => (n[k] * (gain * start + common) * power[k]) / q);
    const fit = fitLinear([y.map(() => 1), y, power, y.map((v) => v * v), slope], r, {
      floor: board.adcStep / Math.sqrt(12),
      groups,
    });
    if (fit === undefined) return undefined;
    q += fit.coefficients[4];
    tangents = { gain: fit.coefficients[1], common: fit.coefficients[2] };
    if (!(q > 0 && q < 1)) return undefined;
    if (Math.abs(fit.coefficients[4]) < 1e-3 * fit.standardErrors[4])
      return { rate: (1 - q) / board.tick, error: fit.standardErrors[4] / board.tick };
  }
  return undefined;
}
