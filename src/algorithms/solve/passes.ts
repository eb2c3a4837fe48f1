import { type Certificate, certify, toleranceNotMet } from '../../board/acceptance.js';
import {
  boardNoise,
  noiseLimitedScale,
  type Reading,
  roundingErrorBound,
  type SettleAt,
  settle,
} from '../../board/equilibrium-pass.js';
import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import { wantedNoise } from '../../board/noise-budget.js';
import { equilibriumSolutionScale, powerOfTwoAbove } from '../../board/scaling.js';
import type { ThermolinkError } from '../../errors.js';
import { applySystem } from '../../linalg/linear-system.js';
import { norm2, subtract, sum } from '../../linalg/products.js';
import type { SolveRequest } from '../contract.js';
import { isImperfect } from './corrections.js';
import { deadCells, deadCellsText } from './dead-cells.js';

const PASSES_MAX = 24;
/** Share of both residual and correction that a pass may leave, and so many passes together. */
const STALL = 0.5;
const STALL_WINDOW = 5;
/** The systematic error of an averaged pass stays below this part of its standard error. */
const SYSTEMATIC_SHARE = 1 / 4;

/** State of a solve between two passes. */
export interface RefinementState {
  /** x̂ so far, the sum of the readings. */
  x: Float64Array<ArrayBuffer>;
  residual: Float64Array<ArrayBuffer>;
  passes: number;
  averages: number;
  samples: number;
  /** Whether a pass without noise was further off than rounding explains. */
  imperfect: boolean;
  /** ‖residual‖₂ before, and ‖reading‖₂ of, each pass since the last that was averaged. */
  residuals: number[];
  corrections: number[];
  /** s_x found before, over the first guess for that drive. */
  scaleFactor: number;
  certificate: Certificate | undefined;
  relativeStandardError: number;
  /** Why the last average was not accepted. */
  reason: string;
  /** The last pass: what was asked of it, and what it gave. */
  last: { readonly residual: Float64Array; readonly reading: Reading } | undefined;
}

export function firstState(drive: Float64Array): RefinementState {
  return {
    x: new Float64Array(drive.length),
    residual: Float64Array.from(drive),
    passes: 0,
    averages: 0,
    samples: 0,
    imperfect: false,
    residuals: [],
    corrections: [],
    scaleFactor: 1,
    certificate: undefined,
    relativeStandardError: Infinity,
    reason: 'the error shrinks too slowly',
    last: undefined,
  };
}

/** A pass that may be averaged, and the noise (κ in the problem's units) to average it under. */
export interface Approached {
  readonly reading: Reading;
  readonly noise: number;
}

/**
 * Settles passes and adds them to x̂ until what rounding and the board's own errors leave of one is small against the noise that
 * the tolerance allows. Undefined when the passes ran out.
 *
 * Errors: TOLERANCE_NOT_MET when they lead nowhere; those of `settle`.
 */
export async function approach(
  plan: EquilibriumPlan,
  settleAt: SettleAt,
  request: Pick<SolveRequest, 'drive' | 'tolerance'>,
  state: RefinementState,
  onPass: () => void,
): Promise<Approached | undefined> {
  while (state.passes < PASSES_MAX) {
    state.passes++;
    onPass();
    const reading = await settlePass(plan, settleAt, request.tolerance, state);
    state.imperfect ||= isImperfect(plan, state.residual, reading);
    const noise = noiseToAverage(plan, request, state, reading);
    if (noise !== undefined) return { reading, noise };
    acceptReading(plan, request, state, reading);
  }
  return undefined;
}

async function settlePass(
  plan: EquilibriumPlan,
  settleAt: SettleAt,
  tolerance: number,
  state: RefinementState,
): Promise<Reading> {
  const { identity, spectrum, systemScale } = plan;
  // Finer than the noise that the last pass needs is of no use.
  const floor = (x: Float64Array) =>
    noiseLimitedScale(plan, wantedNoise(plan, tolerance, state.averages, norm2(sum(state.x, x))));
  const guess = equilibriumSolutionScale(state.residual, spectrum.eigenvalueMin, systemScale, identity);
  const firstScale = Math.max(
    guess * state.scaleFactor,
    powerOfTwoAbove(floor(new Float64Array(plan.codes.cells))),
  );
  const reading = await settle(plan, settleAt, state.residual, firstScale, floor);
  // A residual of exactly 0 has no guess.
  if (guess > 0) state.scaleFactor = reading.solutionScale / guess;
  state.samples++;
  return reading;
}

/** κ for averaging this pass, or undefined when its systematic error must be refined away first. */
function noiseToAverage(
  plan: EquilibriumPlan,
  request: Pick<SolveRequest, 'drive' | 'tolerance'>,
  state: RefinementState,
  reading: Reading,
): number | undefined {
  const { spectrum } = plan;
  const norm = norm2(sum(state.x, reading.x));
  // Of nothing, no noise is a share.
  if (norm === 0) return undefined;
  const noise = wantedNoise(plan, request.tolerance, state.averages, norm);
  const isAboveFloor = boardNoise(plan, reading.solutionScale, noise) >= plan.noiseTemperatureMin;
  if (!isAboveFloor) return undefined;
  const isAtFinestScale = reading.solutionScale / 2 < noiseLimitedScale(plan, noise);
  const standardError = Math.sqrt(
    (noise * plan.correlationTimeMax * spectrum.inverseTrace) / plan.samplesMin,
  );
  const leftOver = norm2(subtract(state.residual, applySystem(plan.system, reading.x)));
  // What the board gets wrong beyond its codes shows as the share of the residual that a reading leaves.
  const observed = leftOver === 0 ? 0 : (leftOver / norm2(state.residual)) * norm2(reading.x);
  const systematic = Math.max(roundingErrorBound(plan, reading), observed);
  return isAtFinestScale || systematic <= SYSTEMATIC_SHARE * standardError ? noise : undefined;
}

function reasonOfZeros(
  { identity }: EquilibriumPlan,
  { passes, residual }: RefinementState,
  { rounding }: Reading,
): string {
  if (norm2(rounding) <= norm2(residual) / 2) return 'the board returned zeros';
  const drive =
    passes === 1 ? 'the right-hand side' : `what ${passes - 1} passes left of the right-hand side`;
  return `the solution is so much larger than the right-hand side that, wherever it stays within the rails, ${drive} rounds to zero in ${identity.driveBits}-bit drive codes`;
}

/** Adds a reading to x̂, and gives up when the passes do not lead anywhere. */
function acceptReading(
  plan: EquilibriumPlan,
  request: Pick<SolveRequest, 'drive' | 'tolerance'>,
  state: RefinementState,
  reading: Reading,
): void {
  state.last = { residual: state.residual, reading };
  // The next pass would be the same again.
  if (norm2(reading.x) === 0)
    throw notMet(plan, request.tolerance, state, reasonOfZeros(plan, state, reading));
  const { residuals, corrections } = state;
  corrections.push(norm2(reading.x));
  residuals.push(norm2(state.residual));
  const left = Math.max(
    leftAfter(1, residuals, corrections),
    leftAfter(STALL_WINDOW, residuals, corrections),
  );
  if (left > STALL) throw notMet(plan, request.tolerance, state, reasonOfStall(plan, state, reading, left));
  advance(plan, request.drive, state, reading);
}

/**
 * What the last `passes` leave of the smallest residual or correction before them, of whichever they leave less; 0 while there
 * is nothing to compare with. Rounding may make passes go round in a circle, which one pass alone does not show.
 */
function leftAfter(passes: number, residuals: readonly number[], corrections: readonly number[]): number {
  if (residuals.length <= passes) return 0;
  const left = (sizes: readonly number[]) =>
    Math.min(...sizes.slice(-passes)) / (passes === 1 ? sizes.at(-2)! : Math.min(...sizes.slice(0, -passes)));
  return Math.min(left(residuals), left(corrections));
}

/** `left`: what a pass leaves of the error of the one before. */
function reasonOfStall(
  { identity, system, programmed }: EquilibriumPlan,
  { residual }: RefinementState,
  { x, rounding }: Reading,
  left: number,
): string {
  const share =
    left < 1
      ? `its passes leave ${(100 * left).toFixed(0)} % of the error of those before, too much to get anywhere`
      : 'the error does not shrink from pass to pass';
  const image = applySystem(system, x);
  if (norm2(rounding) < norm2(subtract(residual, image)) / 2)
    return `${share}, and rounding to its codes does not explain that`;
  const byCouplings = norm2(subtract(image, applySystem(programmed, x)));
  return byCouplings > norm2(rounding) / 2
    ? `${share}, because the matrix is another one once it is rounded to ${identity.couplingBits}-bit couplings`
    : `${share}, because the right-hand side is lost in the steps of ${identity.driveBits}-bit drive codes`;
}

/** Adds a reading to x̂ and certifies the sum. */
export function advance(
  plan: EquilibriumPlan,
  drive: Float64Array,
  state: RefinementState,
  reading: Reading,
): Certificate {
  state.last = { residual: state.residual, reading: reading.asRead ?? reading };
  state.x = sum(state.x, reading.x);
  const certificate = certify(plan.system, plan.spectrum, drive, state.x);
  state.certificate = certificate;
  state.residual = certificate.residual;
  return certificate;
}

export function notMet(
  plan: EquilibriumPlan,
  tolerance: number,
  state: RefinementState,
  reason: string,
): ThermolinkError {
  const { passes, samples, certificate, relativeStandardError, last } = state;
  const dead = last === undefined ? [] : deadCells(plan, last.residual, last.reading);
  return toleranceNotMet('The board', reason + deadCellsText(dead), {
    ...(dead.length === 0 ? {} : { deadCells: dead.map(({ cell }) => cell) }),
    tolerance,
    passes,
    samples,
    relativeResidual: certificate?.relativeResidual ?? 1,
    relativeErrorBound: certificate?.relativeErrorBound ?? Infinity,
    relativeStandardError,
  });
}
