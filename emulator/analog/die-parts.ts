import type { LeakageEffect } from '../profiles/die-effects.js';
import type { MeasuredParts } from '../profiles/measured-parts.js';
import type { Die } from './die.js';
import { DIE_DRAW, type DieDraw, drawGaussians } from './die-draws.js';
import { GAIN_LOG2, gainOf, ofPpm, ppmSpreadOf, scaled, squareRootGain, UNIT_GAIN } from './gain.js';

const CONDUCTANCE_LOG2 = 15;
const VOLTAGE_LOG2 = 24;

/** What every cell of a die is like; one entry per cell of the board. */
export interface CellParts {
  /** γ_i in 2⁻²⁰: how much faster than 1/τ the cell integrates. */
  readonly rate: Int32Array;
  /** √γ_i · (1 + ν_i) in 2⁻²⁰, on the noise amplitude. */
  readonly noiseGain: Int32Array;
  /** In 2⁻²⁴ V_fs·G_fs. */
  readonly inputOffset: Int32Array;
  /** In 2⁻¹⁵ G_fs, never negative. */
  readonly leakage: Int32Array;
  /** Shares of the neighbours' lines that a cell's line picks up, in 2⁻²⁰. */
  readonly fromNext: Int32Array;
  readonly fromBefore: Int32Array;
}

/** Draws of the crosspoints of one row, σ = 2¹². */
export type RowDraws = (row: number) => Int16Array;

export interface ArrayParts {
  readonly forward: RowDraws;
  /** 1 + ε in 2⁻²⁰ of a row of the forward array, where it was measured. */
  readonly measured: ((row: number) => Int32Array) | undefined;
  readonly transposed: RowDraws;
}

const cellParts = new WeakMap<Die, CellParts>();
const arrayParts = new WeakMap<Die, ArrayParts>();

/** The cells of a die, or undefined where no effect touches them. */
export function cellPartsOf(die: Die): CellParts | undefined {
  if (die.profile.effects === null) return undefined;
  return remembered(cellParts, die, makeCells);
}

/** The crosspoints of a die, or undefined where they are all alike. */
export function arrayPartsOf(die: Die): ArrayParts | undefined {
  if (!die.profile.effects?.couplingMismatch) return undefined;
  return remembered(arrayParts, die, makeArrays);
}

function remembered<T>(known: WeakMap<Die, T>, die: Die, make: (die: Die) => T): T {
  const made = known.get(die) ?? make(die);
  known.set(die, made);
  return made;
}

function makeCells(die: Die): CellParts {
  const { profile, dieSeed } = die;
  const { cells, effects } = profile;
  const draw = (kind: DieDraw, value: (z: number) => number) =>
    Int32Array.from(drawGaussians(dieSeed, kind, 0, cells), value);
  const { timeConstantMismatch, noiseMismatch, inputOffset, leakage, crosstalk } = effects!;
  const own: Partial<MeasuredParts> = profile.measured ?? {};
  const known = (measured: readonly number[] | undefined, drawn: () => Int32Array) =>
    measured ? Int32Array.from(measured) : drawn();
  const rate = known(own.timeConstantMismatch?.rate, () =>
    draw(DIE_DRAW.timeConstant, (z) => gainOf(timeConstantMismatch?.spreadPpm ?? 0, z)),
  );
  const noise = known(own.noiseMismatch?.gain, () =>
    draw(DIE_DRAW.noiseAmplitude, (z) => gainOf(noiseMismatch?.spreadPpm ?? 0, z)),
  );
  const share = (z: number) =>
    crosstalk ? ofPpm(crosstalk.sharePpm, GAIN_LOG2) + ppmSpreadOf(crosstalk.spreadPpm, z, GAIN_LOG2) : 0;
  return {
    rate,
    noiseGain: noise.map((gain, i) => (rate[i] === UNIT_GAIN ? gain : scaled(gain, squareRootGain(rate[i])))),
    inputOffset: known(own.inputOffset?.offset, () =>
      draw(DIE_DRAW.inputOffset, (z) => ppmSpreadOf(inputOffset?.spreadPpm ?? 0, z, VOLTAGE_LOG2)),
    ),
    leakage: known(own.leakage?.conductance, () =>
      draw(DIE_DRAW.leakage, (z) => (leakage ? drawnLeakage(leakage, z) : 0)),
    ),
    fromNext: known(own.crosstalk?.fromNext, () => draw(DIE_DRAW.crosstalkFromNext, share)),
    fromBefore: known(own.crosstalk?.fromBefore, () => draw(DIE_DRAW.crosstalkFromBefore, share)),
  };
}

function drawnLeakage({ meanPpm, spreadPpm }: LeakageEffect, z: number): number {
  return Math.max(0, ofPpm(meanPpm, CONDUCTANCE_LOG2) + ppmSpreadOf(spreadPpm, z, CONDUCTANCE_LOG2));
}

/** Rows are drawn when a program first uses them: a large crossbar has many that few programs reach. */
function makeArrays({ profile, dieSeed }: Die): ArrayParts {
  const array = (draw: DieDraw): RowDraws => {
    const rows: Int16Array[] = [];
    return (row) => (rows[row] ??= drawGaussians(dieSeed, draw, row, profile.cells));
  };
  const gains = profile.measured?.couplingMismatch && Int32Array.from(profile.measured.couplingMismatch.gain);
  return {
    forward: array(DIE_DRAW.forwardArray),
    measured: gains && ((row) => gains.subarray(row * profile.cells, (row + 1) * profile.cells)),
    transposed: array(DIE_DRAW.transposedArray),
  };
}
