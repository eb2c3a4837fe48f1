import { adcStep } from '../../board/board-range.js';
import type { Reading } from '../../board/equilibrium-pass.js';
import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import { cellList } from '../../board/overload-error.js';
import { applySystem, diagonalOf } from '../../linalg/linear-system.js';
import { normInf, subtract } from '../../linalg/products.js';

/** Of what a row asks for: a cell that reads less stands still. */
const STILL = 1 / 20;
/** Of the largest unexplained residual: a cell that is well has less. */
const WELL = 1 / 8;
/** And a dead one has more, unless nothing is asked of it. */
const ASKED = 1 / 50;
/** ADC steps of all cells, taken by λ_max, that a row may be off by without a meaning. */
const STEPS_MAX = 4;

export interface DeadCell {
  readonly cell: number;
  /** What it reads, and what its own row of A d = r asks for given what the others read, in V_fs. */
  readonly volts: number;
  readonly askedVolts: number;
}

/**
 * The cells that look dead in a reading of A d = r: a cell that is held at 0 V lets all others settle around it, so that the
 * residual is that of its own row, far beyond what rounding explains, and that of no other one. A suspicion, for an error.
 */
export function deadCells(plan: EquilibriumPlan, residual: Float64Array, reading: Reading): DeadCell[] {
  const { x, rounding, solutionScale } = reading;
  const { system, spectrum, identity } = plan;
  const unexplained = subtract(subtract(residual, applySystem(system, x)), rounding);
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
    // Something else is wrong, with whatever consequences.
    if (!isStill && Math.abs(unexplained[cell]) > WELL * largest) return [];
    if (isStill)
      dead.push({ cell, volts: x[cell] / solutionScale, askedVolts: (x[cell] + missing) / solutionScale });
  }
  return dead;
}

/** The end of a sentence about what went wrong; empty without a dead cell. */
export function deadCellsText(dead: readonly DeadCell[]): string {
  if (dead.length === 0) return '';
  const list = cellList(dead.map(({ cell }) => cell));
  if (dead.length > 1) return `; ${list} look dead: they stay near 0 V, whatever is asked of them`;
  const [{ volts, askedVolts }] = dead;
  return `; ${list} looks dead: it reads ${shortVolts(volts)} V_fs where its equation asks for ${shortVolts(askedVolts)}`;
}

function shortVolts(volts: number): string {
  return String(Number(volts.toPrecision(2)));
}
