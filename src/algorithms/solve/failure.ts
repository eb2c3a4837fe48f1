import { adcStep } from '../../board/board-range.js';
import type { Reading } from '../../board/equilibrium-pass.js';
import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import { cellList } from '../../board/overload-error.js';
import { applySystem, diagonalOf } from '../../linalg/linear-system.js';
import { norm2, normInf, subtract } from '../../linalg/products.js';
import { counted, formatNumber } from '../../number-text.js';

/** A pass: the request A d = `drive`, and the answer of the board. */
export interface Pass {
  readonly drive: Float64Array;
  readonly reading: Reading;
}

/** Why a reading is all 0, as part of a sentence; `passes` includes this pass. */
export function reasonOfZeros(
  { identity }: EquilibriumPlan,
  { drive, reading }: Pass,
  passes: number,
): string {
  if (norm2(reading.rounding) <= norm2(drive) / 2) return 'the board returned zeros';
  const what =
    passes === 1
      ? 'the right-hand side'
      : `the rest of the right-hand side after ${counted(passes - 1, 'pass', 'passes')}`;
  return `the solution is much larger than the right-hand side: if it stays within the rails, ${what} rounds to zero in ${identity.driveBits}-bit drive codes`;
}

/**
 * Why passes make no progress, as part of a sentence; `left` is the share of the error that a pass leaves.
 */
export function reasonOfStall(plan: EquilibriumPlan, { drive, reading }: Pass, left: number): string {
  const { identity, system, programmed } = plan;
  const { x, rounding } = reading;
  const share =
    left < 1
      ? `each pass leaves ${(100 * left).toFixed(0)} % of the error, which is too much`
      : 'the error does not shrink from pass to pass';
  const image = applySystem(system, x);
  if (norm2(rounding) < norm2(subtract(drive, image)) / 2)
    return `${share}, and rounding to its codes does not explain that`;
  const byCouplings = norm2(subtract(image, applySystem(programmed, x)));
  return byCouplings > norm2(rounding) / 2
    ? `${share}, because the matrix is another one once it is rounded to ${identity.couplingBits}-bit couplings`
    : `${share}, because the right-hand side is lost in the steps of ${identity.driveBits}-bit drive codes`;
}

/** A cell counts as still if it reads less than this share of the value that its row asks for. */
const STILL = 1 / 20;
/** A healthy cell leaves less than this share of the largest unexplained residual. */
const WELL = 1 / 8;
/** A dead cell leaves more than this share of the largest unexplained residual, unless its row asks for 0. */
const ASKED = 1 / 50;
/** The residual of a row is meaningless up to this number of ADC steps of all cells, multiplied by λ_max. */
const STEPS_MAX = 4;

export interface DeadCell {
  readonly cell: number;
  /** The reading of the cell, in V_fs. */
  readonly volts: number;
  /** The value that its row of A d = r asks for, given the readings of the other cells, in V_fs. */
  readonly askedVolts: number;
}

/**
 * The cells that look dead in a pass. All other cells settle around a cell that is held at 0 V. So the row of
 * that cell, and no other, has a residual far larger than rounding explains. This is only a suspicion, for
 * the text of an error.
 */
export function deadCells(plan: EquilibriumPlan, { drive, reading }: Pass): DeadCell[] {
  const { x, rounding, solutionScale } = reading;
  const { system, spectrum, identity } = plan;
  const unexplained = subtract(subtract(drive, applySystem(system, x)), rounding);
  const largest = normInf(unexplained);
  const floor = Math.max(
    STEPS_MAX * spectrum.eigenvalueMax * adcStep(identity.adcBits) * solutionScale,
    ASKED * largest,
  );
  const diagonal = diagonalOf(system);
  const dead: DeadCell[] = [];
  for (let cell = 0; cell < x.length; cell++) {
    const missing = unexplained[cell] / diagonal[cell];
    if (Math.abs(unexplained[cell]) < floor) continue;
    const isStill = Math.abs(x[cell]) <= STILL * Math.abs(missing);
    // If a cell moves and still leaves a large residual, something else is wrong, so no cell is named.
    if (!isStill && Math.abs(unexplained[cell]) > WELL * largest) return [];
    if (isStill)
      dead.push({ cell, volts: x[cell] / solutionScale, askedVolts: (x[cell] + missing) / solutionScale });
  }
  return dead;
}

/** The dead cells as the end of a sentence; empty when no cell is dead. */
export function deadCellsText(dead: readonly DeadCell[]): string {
  if (dead.length === 0) return '';
  const list = cellList(dead.map(({ cell }) => cell));
  if (dead.length > 1) return `; ${list} look dead: they stay near 0 V at every drive`;
  const [{ volts, askedVolts }] = dead;
  return `; ${list} looks dead: it reads ${formatNumber(volts, 2)} V_fs, but its equation asks for ${formatNumber(askedVolts, 2)}`;
}
