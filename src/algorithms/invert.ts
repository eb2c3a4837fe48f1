import { checkObject, checkOptionalFunction, checkSignal } from '../argument-checks.js';
import type { BoardCalibration } from '../board/calibration.js';
import { type CheckedSystem, checkSystem, refuseTooLarge } from '../board/checked-system.js';
import type { SolverCost } from '../board/cost.js';
import type { RunAddress } from '../board/run-seed.js';
import { inSession } from '../board/session.js';
import type { BoardDevice } from '../driver/device-api.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import type { SolveProgress } from './contract.js';
import { checkColumnAddresses, checkTolerance } from './request-checks.js';
import { SolvePlans } from './solve/plan.js';
import { refine } from './solve/refine.js';

/** A request to invert: the matrix and the tolerance. */
export interface InverseRequest {
  /** A, N×N symmetric positive definite. */
  readonly system: LinearSystem | CheckedSystem;
  /** Bound on the estimated relative error of every column, above 0 and below 1. */
  readonly tolerance: number;
  /** Column j uses block `address.block` + j. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** As in `AnalogSolverOptions`. */
  readonly calibration?: BoardCalibration;
  /** Called as in a solve. `column` is the number of the current column, counted from 0. */
  readonly onProgress?: (column: number, progress: SolveProgress) => void;
}

/** The inverse, bounds on its error, and its cost. */
export interface InverseResult {
  /**
   * Estimate of A⁻¹, N×N and symmetric. Entry (i, j) is read twice, in column i and in column j. The answer
   * is the mean of both readings, weighted by 1/(standard error)².
   */
  readonly inverse: Matrix;
  /** Standard error of each entry of `inverse`, N×N and symmetric. */
  readonly standardError: Matrix;
  /** The largest `carryNoiseShare` of any column, without unit; see `SolveResult`. */
  readonly carryNoiseShare: number;
  /** Sum over all columns. */
  readonly passes: number;
  readonly samples: number;
  readonly cost: SolverCost;
}

/**
 * A⁻¹ of an N×N system on a board, column by column: it solves A x = e_j for each j, and sends the couplings
 * once. Every column is refined to the tolerance. (The average of v vᵀ/κ would give A⁻¹ too, but its error
 * falls only with the square root of the number of samples.) The board is taken for all columns at once; uses
 * of one device take turns.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED, BAD_CALIBRATION before any
 * byte is sent; TOLERANCE_NOT_MET when a column is not good enough; OVERLOAD when no scale keeps the board
 * off its rails; ABORTED; those of the device.
 */
export async function invert(device: BoardDevice, request: InverseRequest): Promise<InverseResult> {
  return inSession(
    device,
    request,
    () => check(request, device),
    async (session, system) => {
      const { tolerance, address, onProgress } = request;
      const plans = new SolvePlans(session, system, tolerance);
      const size = system.dimension;
      const read = matrix(size, size);
      const standardError = matrix(size, size);
      let carryNoiseShare = 0;
      let passes = 0;
      let samples = 0;
      for (let j = 0; j < size; j++) {
        const drive = new Float64Array(size);
        drive[j] = 1;
        session.readdress({ ...address, block: address.block + j });
        const onColumnProgress = onProgress && ((progress: SolveProgress) => onProgress(j, progress));
        const column = await refine(plans, session, { drive, tolerance, onProgress: onColumnProgress });
        for (let i = 0; i < size; i++) {
          read.data[i * size + j] = column.x[i];
          standardError.data[i * size + j] = column.standardError[i];
        }
        carryNoiseShare = Math.max(carryNoiseShare, column.carryNoiseShare);
        passes += column.passes;
        samples += column.samples;
      }
      joinHalves(read, standardError);
      return { inverse: read, standardError, carryNoiseShare, passes, samples, cost: session.cost };
    },
  );
}

/**
 * Replaces entries (i, j) and (j, i) by their mean, weighted by 1/σ², and both standard errors by that of the
 * mean, σ² = 1/(1/σ_ij² + 1/σ_ji²). The two were read in different board runs, so their noise is independent.
 * A plain mean would spoil the columns of small unknowns, because the error of a column is proportional to
 * the size of that column.
 */
function joinHalves({ rows, data }: Matrix, standardError: Matrix): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < i; j++) {
      const [below, above] = [i * rows + j, j * rows + i];
      const varianceBelow = standardError.data[below] ** 2;
      const varianceAbove = standardError.data[above] ** 2;
      const variance = varianceBelow + varianceAbove;
      const share = variance === 0 ? 1 / 2 : varianceAbove / variance;
      data[below] = share * data[below] + (1 - share) * data[above];
      data[above] = data[below];
      standardError.data[below] = Math.sqrt(varianceBelow * share);
      standardError.data[above] = standardError.data[below];
    }
}

function check(request: InverseRequest, { identity }: BoardDevice): CheckedSystem {
  checkObject('The request', request, '{ system, tolerance: 1e-2, address: { seed: 1, step: 0, block: 0 } }');
  checkTolerance(request.tolerance);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  const system = checkSystem(request.system);
  checkColumnAddresses(request.address, system.dimension);
  refuseTooLarge(system.system, identity);
  return system;
}
