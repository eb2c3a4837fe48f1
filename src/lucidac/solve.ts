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

/** Number of placements in the last pass. The scatter over them gives the standard error. */
export const PLACEMENTS = 4;
/** Largest number of passes of a solve. */
const PASSES_MAX = 24;
/** A pass makes no progress if it leaves more than this share of the residual. */
const STALL = 0.9;
const STALLS_MAX = 2;
/** A pass is the last one if it is expected to reach the tolerance divided by this factor. */
const RESERVE = 1.5;
/** Rounding error of a coupling: half a step of a coefficient. The largest coupling is 1. */
const COEFFICIENT_ROUNDING = 0.5 / COEFFICIENT_STEPS;
/** Smallest standard error as a multiple of the error from rounding, as `SolveResult` guarantees. */
const ROUNDING_SHARE = 4;

/** An answer after a pass. */
interface Answer {
  readonly y: Float64Array<ArrayBuffer>;
  readonly standardError: Float64Array<ArrayBuffer>;
  /** ‖last correction‖₂. */
  readonly correction: number;
  readonly samples: number;
}

/** Preparation of a solve, made before a byte is sent. */
export interface SolvePlan {
  readonly evened: EvenedSystem;
  readonly circuit: Circuit;
  /** Bound of the relative error of one reading caused by rounding of the couplings. */
  readonly rounding: number;
}

/**
 * Plans a solve. Errors: NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET for a tolerance that float64 cannot reach;
 * TOO_LARGE.
 */
export function planSolve(evened: EvenedSystem, tolerance: number): SolvePlan {
  const { system, spectrum } = evened.checked;
  const circuit = circuitOf(system);
  refuseBeyondFloat64(evened, tolerance);
  const rounding = (circuit.unknowns * COEFFICIENT_ROUNDING) / (circuit.scale * spectrum.eigenvalueMin);
  return { evened, circuit, rounding };
}

/**
 * Solves A x = b by passes: the host computes the residual r in float64, the machine answers A d = r, and d
 * is added. Errors of gains, offsets and rounding leave a share of r in each pass. If this share is below 1,
 * the error vanishes over the passes.
 *
 * The last pass uses four placements. Each has the errors of lanes and integrators at other places of the
 * system. The mean of the four answers is added; its standard error has three degrees of freedom.
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
    // A pass that made the residual larger is discarded.
    if (share < 1) {
      y = answer.y;
      certificate = next;
    }
  }
}

/** Estimated number of remaining passes, if each leaves the same share of the residual. */
function passesLeft(bound: number, share: number, tolerance: number): number {
  if (!(bound < Infinity && share < STALL)) return 2;
  return 1 + Math.max(0, Math.ceil(Math.log(tolerance / bound) / Math.log(share)) - 1);
}

function reasonOf(share: number): string {
  return share > STALL
    ? `its last pass left ${(100 * share).toFixed(0)} % of the residual of the pass before; ${IMPROVE}`
    : 'it took too many passes';
}

/**
 * One pass, with the first `placements` placements. With a single placement the standard error is infinite.
 */
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

/** BAD_ARGUMENT for a value that is not a `Lucidac`. */
export function notALucidac(): ThermolinkError {
  return new ThermolinkError('BAD_ARGUMENT', 'lucidac is not a connected LUCIDAC.', {
    hint: "Pass what openLucidac gives: await openLucidac({ host: 'lucidac.local' }).",
  });
}
