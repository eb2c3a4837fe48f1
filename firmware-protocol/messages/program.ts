import {
  BANKS,
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  DAMPING_MAX,
  FRAME_BYTES_MAX,
  NOISE_AMPLITUDE_MAX,
  NOISE_CODE_MAX,
  NOISE_SHIFT_MAX,
  NOISE_SHIFT_MIN,
  ROW_ATTENUATION_MAX,
  ROWS_MAX,
  SAFE_INTEGER_MAX,
  U32_MAX,
} from '../limits.js';
import { bytes, choice, integer, messageTable } from '../message-table.js';
import { PROGRAM_MODE } from '../program-image.js';

const bank = integer('bank', 0, BANKS - 1, '1', 'which program');
const codes = bytes('codes', 0, FRAME_BYTES_MAX, 'consecutive codes');

/** The parts of a program in the order of its digest (protocol.md, "Programs"). */
export const SECTION = { couplings: 0, drive: 1, initialState: 2 } as const;
export type Section = (typeof SECTION)[keyof typeof SECTION];

export const PROGRAM_MESSAGES = messageTable([
  {
    kind: 'command',
    opcode: 16,
    name: 'defineProgram',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'once',
    doc: 'Gives a bank its shape. All codes of the bank become 0 and it is no longer committed.',
    fields: [
      bank,
      choice('mode', PROGRAM_MODE, 'dense: A is the array; factored: A = KᵀK + λI'),
      integer('cells', 1, CELLS_MAX, 'cell', 'N'),
      integer('rows', 1, CELLS_MAX, 'row', `N in dense mode, m (at most ${ROWS_MAX}) in factored`),
      integer('couplingBits', COUPLING_BITS_MIN, COUPLING_BITS_MAX, 'bit', 'b; left-aligned on the board'),
      integer('rowAttenuation', 0, ROW_ATTENUATION_MAX, '1', 'ρ; 0 in dense mode'),
    ],
    answer: [],
  },
  {
    kind: 'command',
    opcode: 17,
    name: 'writeCouplings',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'once',
    doc: 'Writes consecutive entries of the coupling array, row-major: one signed byte a code when couplingBits ≤ 8, else int16.',
    fields: [bank, integer('firstEntry', 0, CELLS_MAX * CELLS_MAX - 1, 'entry', 'row · N + column'), codes],
    answer: [],
  },
  {
    kind: 'command',
    opcode: 18,
    name: 'writeDrive',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'once',
    doc: 'Writes drive DAC codes, int16.',
    fields: [bank, integer('firstCell', 0, CELLS_MAX - 1, 'cell', 'first cell'), codes],
    answer: [],
  },
  {
    kind: 'command',
    opcode: 19,
    name: 'writeInitialState',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'once',
    doc: 'Writes initial cell voltages, int16 in 2⁻¹⁴ V_fs.',
    fields: [bank, integer('firstCell', 0, CELLS_MAX - 1, 'cell', 'first cell'), codes],
    answer: [],
  },
  {
    kind: 'command',
    opcode: 20,
    name: 'setRegisters',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'once',
    doc: 'Sets damping and noise: V_fs·√(2κh) = a · 2^(13−s) · 2⁻²⁴ V_fs.',
    fields: [
      bank,
      integer('damping', 0, DAMPING_MAX, '2⁻¹⁵ G_fs', 'λ'),
      integer('noiseAmplitude', 0, NOISE_AMPLITUDE_MAX, '2^(13−s)·2⁻²⁴ V_fs', 'a; 0 switches noise off'),
      integer('noiseShift', NOISE_SHIFT_MIN, NOISE_SHIFT_MAX, '1', 's'),
    ],
    answer: [],
  },
  {
    kind: 'command',
    opcode: 21,
    name: 'commit',
    channel: 'command',
    timeoutMs: 10000,
    delivery: 'once',
    doc: 'Makes a bank ready to start if its digest is the given one: CRC-32 and CRC-32C over couplings as they travel, drive, initial state (int16), then damping, noise amplitude, noise shift (u32).',
    fields: [
      bank,
      integer('crc32', 0, U32_MAX, '1', 'ISO-HDLC'),
      integer('crc32c', 0, U32_MAX, '1', 'Castagnoli'),
    ],
    answer: [
      integer('clampedCouplings', 0, SAFE_INTEGER_MAX, '1', 'effective coupling codes that were clamped'),
      integer('clampedNoiseCodes', 0, CELLS_MAX, '1', 'effective noise codes that were clamped'),
      integer('noiseCodeMin', 0, NOISE_CODE_MAX, '1', 'smallest effective a_i'),
      integer('noiseCodeMax', 0, NOISE_CODE_MAX, '1', 'largest effective a_i'),
      integer(
        'carryVariance',
        0,
        SAFE_INTEGER_MAX,
        '2⁻⁴⁸ V_fs²',
        'carry noise floor: s₀ in dense mode, s₀·4^ρ in factored',
      ),
    ],
  },
  {
    kind: 'command',
    opcode: 22,
    name: 'readProgram',
    channel: 'command',
    timeoutMs: 5000,
    delivery: 'again',
    doc: 'Reads codes back as they were written.',
    fields: [
      bank,
      choice('section', SECTION, 'which codes'),
      integer('firstEntry', 0, CELLS_MAX * CELLS_MAX - 1, 'entry', 'first code'),
      integer('count', 1, FRAME_BYTES_MAX, '1', 'how many'),
    ],
    answer: [codes],
  },
]);
