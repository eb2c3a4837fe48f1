/**
 * The numbers of a die. Each imperfection of the board type names the numbers that it changes. This file puts
 * them together.
 */
import { scaled, UNIT_GAIN } from '../imperfections/gain.js';
import type { CellParts, ConvertDrive, CrosspointGains } from '../imperfections/imperfection.js';
import { effectsOn } from '../imperfections/table.js';
import { type Die, dieInfo } from './die.js';

/** The numbers of one die. A part is undefined if no imperfection changes it. */
interface DieParts {
  readonly cells: CellParts | undefined;
  /** Whether `rate`, `fromNext` or `fromBefore` changes the couplings on the lines that lead to the cells. */
  readonly linesDiffer: boolean;
  readonly crosspoints: CrosspointGains | undefined;
  readonly rowGain: Int32Array | undefined;
  readonly rowOffset: Int32Array | undefined;
  readonly convertDrive: ConvertDrive | undefined;
}

const known = new WeakMap<Die, DieParts>();

/** The numbers that the imperfections give a die. They are drawn once and remembered. */
export function diePartsOf(die: Die): DieParts {
  let parts = known.get(die);
  if (parts === undefined) known.set(die, (parts = makeParts(die)));
  return parts;
}

function makeParts(die: Die): DieParts {
  const info = dieInfo(die);
  let cells: CellParts | undefined;
  let linesDiffer = false;
  let crosspoints: CrosspointGains | undefined;
  let rowGain: Int32Array | undefined;
  let rowOffset: Int32Array | undefined;
  let convertDrive: ConvertDrive | undefined;
  for (const { effect, magnitudes, measured } of effectsOn(die.profile)) {
    const own = effect.cells?.(magnitudes, info, measured);
    if (own) {
      addCells((cells ??= soundCells(info.cells)), own);
      linesDiffer ||= Boolean(own.rate ?? own.fromNext ?? own.fromBefore);
    }
    crosspoints = effect.crosspoints?.(magnitudes, info, measured) ?? crosspoints;
    const rows = effect.rows?.(magnitudes, info);
    rowGain = rows?.gain ?? rowGain;
    rowOffset = rows?.offset ?? rowOffset;
    convertDrive = effect.convertDrive?.(magnitudes, info, measured) ?? convertDrive;
  }
  return { cells, linesDiffer, crosspoints, rowGain, rowOffset, convertDrive };
}

function soundCells(cells: number): CellParts {
  return {
    rate: new Int32Array(cells).fill(UNIT_GAIN),
    noiseGain: new Int32Array(cells).fill(UNIT_GAIN),
    inputOffset: new Int32Array(cells),
    leakage: new Int32Array(cells),
    fromNext: new Int32Array(cells),
    fromBefore: new Int32Array(cells),
  };
}

/**
 * Joins the numbers of one imperfection to those of the others: gains are multiplied, everything else is
 * added.
 */
function addCells(parts: CellParts, own: Partial<CellParts>): void {
  for (const name of ['rate', 'noiseGain'] as const)
    own[name]?.forEach((gain, i) => {
      parts[name][i] = scaled(parts[name][i], gain);
    });
  for (const name of ['inputOffset', 'leakage', 'fromNext', 'fromBefore'] as const)
    own[name]?.forEach((value, i) => {
      parts[name][i] += value;
    });
}
