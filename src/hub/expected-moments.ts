import type { Answer } from '../../firmware-protocol/messages/index.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { DAMPING_STEP, driveStep } from '../board/board-range.js';
import { noiseTemperatureOf } from '../board/noise-register.js';
import { cholesky, choleskySolve } from '../linalg/cholesky.js';
import { matrix } from '../linalg/matrix.js';
import { ProgramWrites } from '../traces/program-writes.js';
import type { TraceMessage } from '../traces/trace-message.js';
import { COVARIANCE_CELLS_MAX, SHOWN_CELLS_MAX } from './api.js';

/** The equilibrium that a long run reaches. Lengths are as in the events. */
export interface ExpectedMoments {
  readonly meanVolts: number[];
  /** Rows of the covariances of the first cells, V²; null without noise. */
  readonly covarianceVolts2: number[][] | null;
}

/** Commands that change the equilibrium of a bank. */
const WRITES: ReadonlySet<string> = new Set([
  'defineProgram',
  'writeCouplings',
  'writeDrive',
  'setRegisters',
]);
/**
 * Limits for the unanswered writes: their number, and the bytes of their codes. A correct host stays below
 * both.
 */
const PENDING_MAX = 256;
const PENDING_BYTES_MAX = 4 << 20;

/**
 * Follows the programs that hosts write into the banks of a board. Only the size of a large program is kept,
 * because its codes would need much memory and its equilibrium much time. A write counts after the board has
 * answered it, because a refused write changes nothing.
 */
export class BankWatch {
  readonly #writes = new ProgramWrites();
  readonly #cells = new Map<number, number>();
  readonly #pending = new Map<number, TraceMessage>();
  #pendingBytes = 0;
  readonly #writeCounts = new Map<number, number>();
  /** The equilibria that were computed, until their bank is written. */
  readonly #equilibria = new Map<
    number,
    { readonly board: Answer<'hello'>; readonly moments: ExpectedMoments | undefined }
  >();

  /** Takes a command on its way to the board. */
  ask(message: TraceMessage): void {
    const { name, fields, requestId } = message;
    if (!WRITES.has(name)) return;
    const codes = fields['codes'];
    // The bytes are valid only during the call.
    const copy = codes instanceof Uint8Array ? { ...fields, codes: codes.slice() } : { ...fields };
    this.#pending.set(requestId, { ...message, fields: copy });
    this.#pendingBytes += codesBytes(message);
    if (this.#pending.size > PENDING_MAX || this.#pendingBytes > PENDING_BYTES_MAX) this.lose();
  }

  /** Takes the board's answer to a request. */
  answer(requestId: number, isRefused: boolean): void {
    const message = this.#pending.get(requestId);
    if (message === undefined) return;
    this.#pending.delete(requestId);
    this.#pendingBytes -= codesBytes(message);
    if (!isRefused) this.#take(message);
  }

  /** It is unknown whether the outstanding writes take effect, so their banks are forgotten. */
  lose(): void {
    for (const { name, fields } of this.#pending.values()) {
      const bank = Number(fields['bank']);
      this.#countWrite(bank);
      this.#writes.banks.delete(bank);
      if (name === 'defineProgram') this.#cells.delete(bank);
    }
    this.#pending.clear();
    this.#pendingBytes = 0;
  }

  /** How often a bank was written. Two equal counts mean the same program. */
  writesOf(bank: number): number {
    return this.#writeCounts.get(bank) ?? 0;
  }

  #countWrite(bank: number): void {
    this.#equilibria.delete(bank);
    this.#writeCounts.set(bank, this.writesOf(bank) + 1);
  }

  #take(message: TraceMessage): void {
    const { name, fields } = message;
    const bank = Number(fields['bank']);
    this.#countWrite(bank);
    if (name === 'defineProgram') {
      const cells = Number(fields['cells']);
      this.#cells.set(bank, cells);
      const isSmall = cells <= SHOWN_CELLS_MAX && Number(fields['rows']) <= SHOWN_CELLS_MAX;
      if (!isSmall || fields['mode'] !== PROGRAM_MODE.dense) {
        this.#writes.banks.delete(bank);
        return;
      }
    }
    this.#writes.take(message);
  }

  /** Cells of the program in a bank; 0 when its upload was not seen. */
  cellsOf(bank: number): number {
    return this.#cells.get(bank) ?? 0;
  }

  /**
   * Mean A⁻¹b and covariance κA⁻¹ of the program in a bank at equilibrium (device-model.md), in V and V².
   * Undefined for a program that was not seen, is factored, is large, or has no equilibrium.
   */
  equilibriumOf(bank: number, board: Answer<'hello'>): ExpectedMoments | undefined {
    const known = this.#equilibria.get(bank);
    if (known?.board === board) return known.moments;
    const moments = this.#computeEquilibrium(bank, board);
    this.#equilibria.set(bank, { board, moments });
    return moments;
  }

  #computeEquilibrium(bank: number, board: Answer<'hello'>): ExpectedMoments | undefined {
    const program = this.#writes.banks.get(bank);
    if (program === undefined || !program.hasCouplings) return undefined;
    const { cells, couplingBits } = program.shape;
    const { damping, noiseAmplitude, noiseShift } = program.registers;
    const a = matrix(cells, cells);
    const couplingStep = 2 ** (1 - couplingBits);
    const codes = codesOf(program.couplings, couplingBits <= 8 ? 1 : 2);
    for (let i = 0; i < a.data.length; i++) a.data[i] = codes(i) * couplingStep;
    for (let i = 0; i < cells; i++) a.data[i * cells + i] += damping * DAMPING_STEP;
    const outcome = cholesky(a);
    if (!outcome.ok) return undefined;
    const volts = board.fullScaleMicrovolts * 1e-6;
    const drive = codesOf(program.drive, 2);
    const step = driveStep(board);
    const b = Float64Array.from({ length: cells }, (_, i) => drive(i) * step);
    const mean = choleskySolve(outcome.factor, b);
    const kappa = noiseTemperatureOf({ amplitude: noiseAmplitude, shift: noiseShift }, 2 ** -board.tickLog2);
    const shown = Math.min(cells, COVARIANCE_CELLS_MAX);
    const covarianceVolts2 = Array.from({ length: shown }, (_, i) => {
      const column = choleskySolve(
        outcome.factor,
        Float64Array.from({ length: cells }, (_, j) => (j === i ? 1 : 0)),
      );
      return Array.from(column.subarray(0, shown), (entry) => entry * kappa * volts * volts);
    });
    return {
      meanVolts: Array.from(mean, (entry) => entry * volts),
      covarianceVolts2: kappa > 0 ? covarianceVolts2 : null,
    };
  }
}

function codesBytes({ fields: { codes } }: TraceMessage): number {
  return codes instanceof Uint8Array ? codes.length : 0;
}

/** Reads signed codes of one or two bytes. */
function codesOf(bytes: Uint8Array, width: 1 | 2): (index: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return width === 1 ? (index) => view.getInt8(index) : (index) => view.getInt16(2 * index, true);
}
