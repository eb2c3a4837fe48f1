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
  const rate = draw(DIE_DRAW.timeConstant, (z) => gainOf(timeConstantMismatch?.spreadPpm ?? 0, z));
  const noise = draw(DIE_DRAW.noiseAmplitude, (z) => gainOf(noiseMismatch?.spreadPpm ?? 0, z));
  const share = (z: number) =>
    crosstalk ? ofPpm(crosstalk.sharePpm, GAIN_LOG2) + ppmSpreadOf(crosstalk.spreadPpm, z, GAIN_LOG2) : 0;
  return {
    rate,
    noiseGain: noise.map((gain, i) => (rate[i] === UNIT_GAIN ? gain : scaled(gain, squareRootGain(rate[i])))),
    inputOffset: draw(DIE_DRAW.inputOffset, (z) => ppmSpreadOf(inputOffset?.spreadPpm ?? 0, z, VOLTAGE_LOG2)),
    leakage: draw(DIE_DRAW.leakage, (z) =>
      leakage
        ? Math.max(
            0,
            ofPpm(leakage.meanPpm, CONDUCTANCE_LOG2) + ppmSpreadOf(leakage.spreadPpm, z, CONDUCTANCE_LOG2),
          )
        : 0,
    ),
    fromNext: draw(DIE_DRAW.crosstalkFromNext, share),
    fromBefore: draw(DIE_DRAW.crosstalkFromBefore, share),
  };
}

/** Rows are drawn when a program first uses them: a large crossbar has many that few programs reach. */
function makeArrays({ profile, dieSeed }: Die): ArrayParts {
  const array = (draw: DieDraw): RowDraws => {
    const rows: Int16Array[] = [];
    return (row) => (rows[row] ??= drawGaussians(dieSeed, draw, row, profile.cells));
  };
  return { forward: array(DIE_DRAW.forwardArray), transposed: array(DIE_DRAW.transposedArray) };
}
