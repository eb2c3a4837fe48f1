import {
  certify,
  IMPROVE,
  refuseBeyondFloat64,
  toleranceNotMet,
  zeroSolution,
} from '../algorithms/acceptance.js';
import type { SolveRequest, SolveResult } from '../algorithms/contract.js';
import type { EvenedSystem } from '../board/checked-system.js';
import { weighted } from '../board/diagonal-scaling.js';
import { ThermolinkError } from '../errors.js';
import { isZero, norm2 } from '../linalg/products.js';
import { type Circuit, COEFFICIENT_STEPS, circuitOf } from './circuit.js';
import { EquilibriumReader } from './equilibrium.js';
import type { Lucidac } from './lucidac.js';
import { MachineUse } from './machine-use.js';

/** The last pass is read in so many placements, and its scatter over them is the error bar. */
export const PLACEMENTS = 4;
/** Passes after which it gives up. */
const PASSES_MAX = 24;
/** A pass that leaves more than this of the residual is no progress. */
const STALL = 0.9;
const STALLS_MAX = 2;
/** The last pass is made when the one before promises the tolerance with this much to spare. */
const RESERVE = 1.5;
/** Half a step of a coefficient; the largest coupling is 1. */
const COEFFICIENT_ROUNDING = 0.5 / COEFFICIENT_STEPS;
/** The standard error is at least so many times what rounding explains, as `SolveResult` promises. */
const ROUNDING_SHARE = 4;

/** What is known of an answer. */
interface Answer {
  readonly y: Float64Array<ArrayBuffer>;
  readonly standardError: Float64Array<ArrayBuffer>;
  /** ‖last correction‖₂. */
  readonly correction: number;
  readonly samples: number;
}

/** What a solve needs; made before a byte is sent. */
export interface SolvePlan {
  readonly evened: EvenedSystem;
  readonly circuit: Circuit;
  /** Bound of the relative error of one reading that rounding of the couplings explains. */
  readonly rounding: number;
}

/**
 * Plans a solve. Errors: NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET for one beyond float64; TOO_LARGE.
 */
export function planSolve(evened: EvenedSystem, tolerance: number): SolvePlan {
  const { system, spectrum } = evened.checked;
  const circuit = circuitOf(system);
  refuseBeyondFloat64(evened, tolerance);
  const rounding = (circuit.unknowns * COEFFICIENT_ROUNDING) / (circuit.scale * spectrum.eigenvalueMin);
  return { evened, circuit, rounding };
}

/**
 * Solves A x = b by passes: the machine answers A d = r for the residual r of the host, in float64, and d is
 * added. The errors of gains, offsets and rounding leave a share of r at each pass, so they vanish while that
 * share is below 1.
 *
 * The last pass is read in four placements, which have the gains of lanes and the offsets of integrators at
 * other places of the system. Their mean is added. Its standard error has three degrees of freedom.
 */
export async function solveOn(
  lucidac: Lucidac,
  { evened, circuit, rounding }: SolvePlan,
  request: SolveRequest,
): Promise<SolveResult> {
  const { tolerance, signal, onProgress } = request;
  const { weights, checked } = evened;
  const b = weighted(request.drive, weights);
  if (isZero(b)) return zeroSolution(b.length);
  const use = new MachineUse(lucidac, signal);
  const reader = new EquilibriumReader(use, circuit, checked.spectrum.eigenvalueMin);
  const solution = (y: Float64Array): Float64Array<ArrayBuffer> => weighted(y, weights);

  let y = new Float64Array(b.length);
  let certificate = certify(evened, b, y);
  let share = Infinity;
  let stalls = 0;
  let samples = 0;
  let fraction = 0;
  for (let pass = 1; ; pass++) {
    const isLast = certificate.relativeErrorBound * Math.min(1, share) * RESERVE <= tolerance;
    onProgress?.({
      ...{ fraction, pass, samples, samplesMin: samples + (isLast ? PLACEMENTS : 1 + PLACEMENTS) },
      relativeErrorBound: certificate.relativeErrorBound,
      relativeStandardError: Infinity,
    });
    const answer = await passOf(reader, y, certificate.residual, isLast ? PLACEMENTS : 1);
    samples += answer.samples;
    const next = certify(evened, b, answer.y);
    share = next.relativeResidual / certificate.relativeResidual;
    const { relativeErrorBound, relativeResidual } = next;
    const x = solution(answer.y);
    const size = norm2(x);
    const quantizationError = (rounding * answer.correction) / size;
    const floor = (ROUNDING_SHARE * quantizationError * size) / Math.sqrt(x.length);
    const standardError = solution(answer.standardError).map((error) => Math.max(error, floor));
    const relativeStandardError = isLast ? norm2(standardError) / size : Infinity;
    if (relativeErrorBound <= tolerance && relativeStandardError <= tolerance / 2) {
      onProgress?.({
        ...{ fraction: 1, pass, samples, samplesMin: samples },
        ...{ relativeErrorBound, relativeStandardError },
      });
      return {
        ...{ x, standardError, quantizationError, carryNoiseShare: 0, relativeResidual },
        ...{ passes: pass, samples, cost: use.cost },
      };
    }
    stalls = share > STALL ? stalls + 1 : 0;
    if (stalls === STALLS_MAX || pass === PASSES_MAX)
      throw toleranceNotMet('The LUCIDAC', reasonOf(share), {
        ...{ tolerance, passes: pass, samples, relativeResidual },
        ...{ relativeErrorBound, relativeStandardError },
      });
    fraction = Math.max(
      fraction,
      Math.min(0.99, pass / (pass + passesLeft(relativeErrorBound, share, tolerance))),
    );
    // A pass that made it worse is forgotten.
    if (share < 1) {
      y = answer.y;
      certificate = next;
    }
  }
}

/** Passes that are left at least, when each leaves the same share. */
function passesLeft(bound: number, share: number, tolerance: number): number {
  if (!(bound < Infinity && share < STALL)) return 2;
  return 1 + Math.max(0, Math.ceil(Math.log(tolerance / bound) / Math.log(share)) - 1);
}

function reasonOf(share: number): string {
  return share > STALL
    ? `its passes leave ${(100 * share).toFixed(0)} % of the residual of those before; ${IMPROVE}`
    : 'it took too many passes';
}

/** One pass, read in the first `placements` placements; the standard error is infinite for a single one. */
async function passOf(
  reader: EquilibriumReader,
  y: Float64Array,
  residual: Float64Array,
  placements: number,
): Promise<Answer> {
  const readings: Float64Array[] = [];
  let samples = 0;
  for (let turn = 0; turn < placements; turn++) {
    const { d, samples: averaged } = await reader.read(residual, turn);
    readings.push(d);
    samples += averaged;
  }
  const mean = y.map((_, i) => readings.reduce((sum, d) => sum + d[i], 0) / placements);
  const standardError = mean.map((middle, i) => {
    const squares = readings.reduce((sum, d) => sum + (d[i] - middle) ** 2, 0);
    return placements === 1 ? Infinity : Math.sqrt(squares / (placements - 1) / placements);
  });
  return {
    y: Float64Array.from(y, (entry, i) => entry + mean[i]),
    standardError: Float64Array.from(standardError),
    correction: norm2(mean),
    samples,
  };
}

/** Refuses what is no `Lucidac`: BAD_ARGUMENT. */
export function notALucidac(): ThermolinkError {
  return new ThermolinkError('BAD_ARGUMENT', 'lucidac is not a connected LUCIDAC.', {
    hint: "Pass what openLucidac gives: await openLucidac({ host: 'lucidac.local' }).",
  });
}
