import { checkAddress, checkObject, checkOptionalFunction, checkSignal } from '../argument-checks.js';
import { BoardRuns, takeTurn } from '../board/board-runs.js';
import { type BoardCalibration, refuseForeign } from '../board/calibration.js';
import type { SolverCost } from '../board/cost.js';
import type { RunAddress } from '../board/run-seed.js';
import { checkBoard, checkForm, checkTolerance } from '../board/validation.js';
import type { BoardDevice } from '../driver/device-api.js';
import { dimensionOf, type LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix, symmetricPart } from '../linalg/matrix.js';
import type { SolveProgress, SolveRequest } from './contract.js';
import { Equilibrium } from './solve/solve.js';

export interface InverseRequest {
  readonly system: LinearSystem;
  /** Bound on the estimated relative error of every column. */
  readonly tolerance: number;
  /** Column j uses block `address.block` + j. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** As in `createAnalogSolver`. */
  readonly calibration?: BoardCalibration;
  /** Called as in a solve, for column `column` from 0. */
  readonly onProgress?: (column: number, progress: SolveProgress) => void;
}

export interface InverseResult {
  /** Estimate of A⁻¹, N×N and symmetric: the mean of what was read and its transpose. */
  readonly inverse: Matrix;
  /** Standard error of each entry as read, N×N, before the two halves were averaged. */
  readonly standardError: Matrix;
  /** Largest of any column, see `SolveResult`. */
  readonly carryNoiseShare: number;
  readonly passes: number;
  readonly samples: number;
  readonly cost: SolverCost;
}

const REQUEST_EXAMPLE = '{ system, tolerance: 1e-2, address: { seed: 1, step: 0, block: 0 } }';

/**
 * A⁻¹ column by column: A x = e_j on the board for each j, with one check and one upload of A. Against averaging vvᵀ/κ, whose error falls with the square
 * root of the number of readings only, every column is refined to the tolerance. The board is taken for all columns at once, in turn with the calls of `createAnalogSolver`.
 * Errors: those of `solve`; all that a column can be refused for comes before the first run.
 */
export async function invert(device: BoardDevice, request: InverseRequest): Promise<InverseResult> {
  checkBoard(device);
  checkObject('The request', request, REQUEST_EXAMPLE);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  checkAddress(request.address);
  checkForm(request.system);
  checkTolerance(request.tolerance);
  return takeTurn(device, request.signal, () => invertOnBoard(device, request));
}

async function invertOnBoard(device: BoardDevice, request: InverseRequest): Promise<InverseResult> {
  const { system, address, signal, calibration } = request;
  if (calibration !== undefined) refuseForeign(calibration.board, device.identity);
  const size = dimensionOf(system);
  const read = matrix(size, size);
  const standardError = matrix(size, size);
  const board = new BoardRuns(device, address, signal);
  const equilibrium = new Equilibrium(
    device.identity,
    board,
    system,
    calibration === undefined ? {} : { calibration },
  );
  const columns = Array.from({ length: size }, (_, j) => columnRequest(request, size, j));
  // All before the first run: a column that can't be had would be found out after hours of the others.
  for (const column of columns) equilibrium.check(column);
  let carryNoiseShare = 0;
  let passes = 0;
  let samples = 0;
  for (let j = 0; j < size; j++) {
    const column = await equilibrium.solve(columns[j]);
    for (let i = 0; i < size; i++) {
      read.data[i * size + j] = column.x[i];
      standardError.data[i * size + j] = column.standardError[i];
    }
    carryNoiseShare = Math.max(carryNoiseShare, column.carryNoiseShare);
    passes += column.passes;
    samples += column.samples;
  }
  const inverse = symmetricPart(read);
  return { inverse, standardError, carryNoiseShare, passes, samples, cost: board.cost };
}

/** A x = e_j. */
function columnRequest(
  { system, tolerance, address, signal, onProgress }: InverseRequest,
  size: number,
  j: number,
): SolveRequest {
  const drive = new Float64Array(size);
  drive[j] = 1;
  return {
    system,
    drive,
    tolerance,
    address: { ...address, block: address.block + j },
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress: (progress) => onProgress(j, progress) } : {}),
  };
}
