import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  ROW_TABLE_NODES,
} from '../../firmware-protocol/limits.js';
import type { Command } from '../../firmware-protocol/messages/index.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { ThermolinkError } from '../errors.js';
import type { TraceMessage } from './trace-message.js';

/** The program in a bank, rebuilt from the commands that wrote it. */
export interface WrittenProgram {
  readonly shape: Command<'defineProgram'>;
  readonly couplings: Uint8Array;
  readonly drive: Uint8Array;
  readonly initialState: Uint8Array;
  /** Table and drive of the rows; they are used if the shape has a row element. */
  readonly rowTable: Uint8Array;
  readonly rowDrive: Uint8Array;
  registers: { damping: number; noiseAmplitude: number; noiseShift: number };
  /** Whether the program was defined after the last commit. */
  isNew: boolean;
  hasCouplings: boolean;
  /** The couplings of the last image, if they have not changed since. */
  shared: ProgramImage['couplings'] | undefined;
}

/** Largest number of coupling bytes of a program. No board has more. */
const COUPLING_BYTES_MAX = 2 * 8192 * 8192;

/**
 * The content of the banks of a board, rebuilt from the commands that wrote it. Errors: BAD_FILE for a
 * program that is too large for any board.
 */
export class ProgramWrites {
  readonly banks = new Map<number, WrittenProgram>();

  /** Takes a command. Returns the program that it changed; undefined for other commands. */
  take({ name, fields }: TraceMessage): WrittenProgram | undefined {
    const number = Number(fields['bank']);
    if (name === 'defineProgram') {
      const made = newProgram(fields as unknown as Command<'defineProgram'>);
      this.banks.set(number, made);
      return made;
    }
    const program = this.banks.get(number);
    if (!program) return undefined;
    const { codes } = fields;
    switch (name) {
      case 'writeCouplings':
        place(program.couplings, Number(fields['firstEntry']) * widthOf(program.shape), codes);
        program.shared = undefined;
        program.hasCouplings = true;
        return program;
      case 'writeDrive':
        place(program.drive, 2 * Number(fields['firstCell']), codes);
        return program;
      case 'writeInitialState':
        place(program.initialState, 2 * Number(fields['firstCell']), codes);
        return program;
      case 'writeRowTable':
        place(program.rowTable, 2 * Number(fields['firstNode']), codes);
        return program;
      case 'writeRowDrive':
        place(program.rowDrive, 2 * Number(fields['firstRow']), codes);
        return program;
      case 'setRegisters':
        program.registers = fields as unknown as WrittenProgram['registers'];
        return program;
      case 'commit':
        return program;
      default:
        return undefined;
    }
  }
}

function newProgram(shape: Command<'defineProgram'>): WrittenProgram {
  const { cells, rows, couplingBits } = shape;
  const inRange = (value: number, low: number, high: number): boolean =>
    Number.isInteger(value) && value >= low && value <= high;
  const isPossible =
    inRange(cells, 1, CELLS_MAX) &&
    inRange(rows, 1, CELLS_MAX) &&
    inRange(couplingBits, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  const bytes = cells * rows * widthOf(shape);
  if (!isPossible || bytes > COUPLING_BYTES_MAX)
    throw new ThermolinkError('BAD_FILE', `The trace defines a program of ${rows} × ${cells} couplings.`, {
      hint: 'No board has that many couplings. The file may be damaged.',
    });
  return {
    shape,
    couplings: new Uint8Array(bytes),
    drive: new Uint8Array(2 * cells),
    initialState: new Uint8Array(2 * cells),
    rowTable: new Uint8Array(2 * ROW_TABLE_NODES),
    rowDrive: new Uint8Array(2 * rows),
    registers: { damping: 0, noiseAmplitude: 0, noiseShift: 8 },
    isNew: true,
    hasCouplings: false,
    shared: undefined,
  };
}

function widthOf({ couplingBits }: Command<'defineProgram'>): 1 | 2 {
  return couplingBits <= 8 ? 1 : 2;
}

function place(target: Uint8Array, at: number, codes: unknown): void {
  if (codes instanceof Uint8Array && at + codes.length <= target.length) target.set(codes, at);
}

/** The program in the form that `loadProgram` takes. Images with the same couplings share the array. */
export function imageOf(program: WrittenProgram): ProgramImage {
  const { shape, drive, initialState, registers } = program;
  const { mode, cells, rows, couplingBits, rowAttenuation, linearRows } = shape;
  const { damping, noiseAmplitude, noiseShift } = registers;
  program.shared ??=
    couplingBits <= 8 ? new Int8Array(program.couplings.slice().buffer) : int16(program.couplings);
  return {
    mode,
    cells,
    rows,
    couplingBits,
    rowAttenuation,
    couplings: program.shared,
    drive: int16(drive),
    initialState: int16(initialState),
    damping,
    noiseAmplitude,
    noiseShift,
    rowElement:
      linearRows <= rows
        ? { linearRows, table: int16(program.rowTable), drive: int16(program.rowDrive) }
        : undefined,
  };
}

function int16(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.slice().buffer);
}
