import { SECTION, type Section } from '../../../firmware-protocol/messages/program.js';
import { REFUSAL } from '../../../firmware-protocol/messages/system.js';
import type { Board } from '../board.js';
import { Refused } from '../refused.js';
import type { Handlers } from './handlers.js';

/** s₀ = 2²⁰/12 in 2⁻⁴⁸ V_fs², rounded: the variance of the error from rounding a voltage to 16 bits. */
const CARRY_VARIANCE = 87381;

/**
 * Largest size of an answer without its codes, in bytes: array header, opcode, request id and length in their
 * longest forms.
 */
const ANSWER_OVERHEAD_BYTES = 16;

/** Throws Refused for a bank that runs. The other one can be written (protocol.md, "Programs"). */
function requireNotRunning(board: Board, bank: number): void {
  if (board.state === 'running' && board.run?.bank === bank)
    throw new Refused(REFUSAL.bankBusy, `bank ${bank} is running`);
}

function write(board: Board, bank: number, section: Section, first: number, codes: Uint8Array): void {
  requireNotRunning(board, bank);
  board.memory.write(bank, section, first, codes);
  board.input('programChanged');
}

export const programHandlers = {
  defineProgram({ board }, fields) {
    requireNotRunning(board, fields.bank);
    board.memory.define(fields);
    board.input('programChanged');
    return {};
  },

  writeCouplings({ board }, { bank, firstEntry, codes }) {
    write(board, bank, SECTION.couplings, firstEntry, codes);
    const width = board.memory.image(bank).couplings.BYTES_PER_ELEMENT;
    const arrays = board.memory.prepare(bank, firstEntry + codes.length / width);
    if (arrays) board.cells.prepare(arrays);
    return {};
  },

  writeDrive({ board }, { bank, firstCell, codes }) {
    write(board, bank, SECTION.drive, firstCell, codes);
    return {};
  },

  writeInitialState({ board }, { bank, firstCell, codes }) {
    write(board, bank, SECTION.initialState, firstCell, codes);
    return {};
  },

  writeRowTable({ board }, { bank, firstNode, codes }) {
    write(board, bank, SECTION.rowTable, firstNode, codes);
    return {};
  },

  writeRowDrive({ board }, { bank, firstRow, codes }) {
    write(board, bank, SECTION.rowDrive, firstRow, codes);
    return {};
  },

  setRegisters({ board }, fields) {
    requireNotRunning(board, fields.bank);
    board.memory.setRegisters(fields);
    board.input('programChanged');
    return {};
  },

  commit({ board }, fields) {
    const program = board.memory.commit(fields);
    board.input('committed');
    return {
      clampedCouplings: program.clampedCouplings,
      clampedNoiseCodes: program.clampedNoiseCodes,
      noiseCodeMin: program.noiseCodeMin,
      noiseCodeMax: program.noiseCodeMax,
      carryVariance: CARRY_VARIANCE * (1 << (2 * program.rowAttenuation)),
    };
  },

  readProgram({ board, link }, { bank, section, firstEntry, count }) {
    const codes = board.memory.read(bank, section, firstEntry, count);
    const bytesMax = link.payloadBytesMax - ANSWER_OVERHEAD_BYTES;
    if (codes.length > bytesMax)
      throw new Refused(REFUSAL.outOfRange, `${codes.length} bytes, the answer takes ${bytesMax}`);
    return { codes };
  },
} satisfies Partial<Handlers>;
