import type { BoardView, RunView } from '../../hub/api.js';
import { formatNumber, formatSeconds } from '../../number-text.js';

/** The mark of a fact: good, needs attention, or wrong. */
export type Mark = 'plain' | 'good' | 'warn' | 'bad';

const VOLT_UNITS = ['nV', 'µV', 'mV', 'V'];

/** Volts with three significant digits and an SI prefix: `12.3 mV`. */
export function formatVolts(volts: number): string {
  if (!Number.isFinite(volts)) return '– V';
  let [value, unit] = [volts * 1e9, 0];
  while (unit < VOLT_UNITS.length - 1 && Math.abs(Number(value.toPrecision(3))) >= 1000) {
    value /= 1000;
    unit++;
  }
  return `${formatNumber(value)} ${VOLT_UNITS[unit]}`;
}

/** The square of volts in mV²: `101 mV²`. */
export function formatSquareVolts(squareVolts: number): string {
  return `${formatNumber(squareVolts * 1e6)} mV²`;
}

/** The state of a board in words, and its mark. The state of a board that is not reached is unknown. */
export function stateText({ health, state }: BoardView): { readonly text: string; readonly mark: Mark } {
  if (health === 'lost') return { text: 'not reached', mark: 'bad' };
  if (health === 'opening' || state === null) return { text: 'being opened', mark: 'warn' };
  if (state === 'fault') return { text: 'fault', mark: 'bad' };
  if (state === 'halted') return { text: 'halted by overload', mark: 'warn' };
  return { text: state, mark: state === 'running' ? 'good' : 'plain' };
}

/** Describes a run in a sentence without its owner. */
export function runText({ run, cells, sampleCount, ticksPerSample, burnInTicks, tickNs }: RunView): string {
  const seconds = (burnInTicks + sampleCount * ticksPerSample) * tickNs * 1e-9;
  return `Run ${run}: ${cells} cells, ${sampleCount.toLocaleString('en-US')} samples, ${formatSeconds(seconds)} of board time`;
}

/** How long something has lasted at `nowMs`: `5 s`, `3 min`, `2 h`. */
export function durationText(sinceMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
