import type { BoardDevice } from '../driver/device-api.js';
import { dimensionOf, type LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { Equilibrium } from './analog-equilibrium.js';
import { BoardRuns } from './board-runs.js';
import { takeTurn } from './board-turn.js';
import type { RunAddress, SolverCost } from './contract.js';

export interface InverseRequest {
  readonly system: LinearSystem;
  /** Bound on the estimated relative error of every column. */
  readonly tolerance: number;
  /** Column j uses block `address.block` + j. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  readonly onColumn?: (done: number, columns: number) => void;
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

/**
 * A⁻¹ column by column: A x = e_j on the board for each j, with one check and one upload of A. Against averaging vvᵀ/κ, whose error falls with the square
 * root of the number of readings only, every column is refined to the tolerance. The board is taken for all columns at once, in turn with the calls of `createAnalogSolver`.
 * Errors: those of `solve`.
 */
export async function invert(device: BoardDevice, request: InverseRequest): Promise<InverseResult> {
  return takeTurn(device, request.signal, () => invertOnBoard(device, request));
}

async function invertOnBoard(device: BoardDevice, request: InverseRequest): Promise<InverseResult> {
  const { system, tolerance, address, signal } = request;
  const size = dimensionOf(system);
  const read = matrix(size, size);
  const standardError = matrix(size, size);
  const board = new BoardRuns(device, address, signal);
  const equilibrium = new Equilibrium(device.identity, board, system);
  let carryNoiseShare = 0;
  let passes = 0;
  let samples = 0;
  for (let j = 0; j < size; j++) {
    const drive = new Float64Array(size);
    drive[j] = 1;
    const column = await equilibrium.solve({
      system,
      drive,
      tolerance,
      address: { ...address, block: address.block + j },
      ...(signal ? { signal } : {}),
    });
    for (let i = 0; i < size; i++) {
      read.data[i * size + j] = column.x[i];
      standardError.data[i * size + j] = column.standardError[i];
    }
    carryNoiseShare = Math.max(carryNoiseShare, column.carryNoiseShare);
    passes += column.passes;
    samples += column.samples;
    request.onColumn?.(j + 1, size);
  }
  const inverse = symmetrized(read);
  return { inverse, standardError, carryNoiseShare, passes, samples, cost: board.cost };
}

function symmetrized({ rows, data }: Matrix): Matrix {
  const out = matrix(rows, rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) out.data[i * rows + j] = (data[i * rows + j] + data[j * rows + i]) / 2;
  return out;
}
