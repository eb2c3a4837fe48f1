import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import type { BoardDevice } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import type { Matrix } from '../../linalg/matrix.js';
import { prepare } from '../prepare.js';
import type { PreparedSystem } from '../prepared-system.js';
import type { QpRequest } from './contract.js';

/** Tolerance and number of passes of one solve. */
export interface Enough {
  readonly tolerance: number;
  readonly passesMax?: number;
}

/** The solves of one program, with their addresses and costs. */
export class BoardWork {
  cost: SolverCost = ZERO_COST;
  solves = 0;
  passes = 0;
  uploads = 0;
  readonly #device: BoardDevice;
  readonly #request: QpRequest;

  constructor(device: BoardDevice, request: QpRequest) {
    this.#device = device;
    this.#request = request;
  }

  /** Counts the work of a box program: one matrix, and one drive for each level. */
  addBox(levels: number, cost: SolverCost): void {
    this.uploads++;
    this.solves += levels;
    this.passes += levels;
    this.cost = addCost(this.cost, cost);
  }

  /**
   * A solver for one H; the couplings are sent by its first solve. Errors: those of `prepare` and `settle`.
   */
  solver(matrix: Matrix): (drive: Float64Array, enough: Enough) => Promise<Float64Array<ArrayBuffer>> {
    const { calibration } = this.#request;
    const prepared = prepare(this.#device, { system: { kind: 'dense', matrix }, calibration });
    this.uploads++;
    return (drive, enough) => this.#solve(prepared, drive, enough);
  }

  async #solve(
    prepared: PreparedSystem,
    drive: Float64Array,
    enough: Enough,
  ): Promise<Float64Array<ArrayBuffer>> {
    const { address, signal } = this.#request;
    const named = { ...address, step: (address.step + this.solves++) % 2 ** 32 };
    const { x, passes, cost } = await prepared.settle({ ...enough, drive, address: named, signal });
    this.passes += passes;
    this.cost = addCost(this.cost, cost);
    return x;
  }
}

/** Whether the cause of an error is that the board could not solve a system. */
export function isOfSystem(error: unknown): boolean {
  const codes: readonly string[] = [
    'NOT_POSITIVE_DEFINITE',
    'TOLERANCE_NOT_MET',
    'OVERLOAD',
    'UNSUPPORTED',
    'BAD_MATRIX',
  ];
  return error instanceof ThermolinkError && codes.includes(error.code);
}
