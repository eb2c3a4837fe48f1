import type { ArrayTicks } from '../../emulator/analog/array-ticks.js';
import { CellArray } from '../../emulator/analog/cell-array.js';
import type { Die } from '../../emulator/analog/die.js';
import { commitProgram, type EffectiveProgram } from '../../emulator/analog/effective-program.js';
import { fastestTicks } from '../../emulator/kernel/kernel-ticks.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { stateDigest } from '../../emulator/state-digest.js';
import { NO_ROW_ELEMENT, ROW_TABLE_NODES } from '../../firmware-protocol/limits.js';
import { philox4x32 } from '../../firmware-protocol/philox.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { arrayState, idealBoard, programImage } from '../support/analog-boards.js';

/** The implementation of ticks. Default: the quickest one on this machine. */
export type TicksOf = (die: Die) => ArrayTicks;

/** Carries out the orders of tools/digest.c with the TypeScript emulator, and prints the same lines. */
export function emulatedProblem(orders: readonly string[], ticksOf: TicksOf = fastestTicks): string[] {
  const runner = new Runner(ticksOf);
  return orders.flatMap((order) => runner.order(order.split(' ')));
}

const words = new Uint32Array(4);

function randomCode(seed: number, first: number, second: number, largest: number): number {
  philox4x32(first, second, 0, 0, seed, 0, words);
  return (words[0] % (2 * largest + 1)) - largest;
}

class Runner {
  #dieSeed = 0;
  #die!: Die;
  #array!: CellArray;
  readonly #images: { -readonly [K in keyof ProgramImage]: ProgramImage[K] }[] = [];
  readonly #committed: EffectiveProgram[] = [];
  #program!: EffectiveProgram;
  #runSeed = 0;
  #tick = 0;
  readonly #ticksOf: TicksOf;

  constructor(ticksOf: TicksOf) {
    this.#ticksOf = ticksOf;
  }

  order([name, ...rest]: readonly string[]): string[] {
    const numbers = rest.map(Number);
    switch (name) {
      case 'die':
        this.#dieSeed = numbers[0];
        return [];
      case 'profile':
        return this.#powerOn({ profile: findProfile(rest[0])!, dieSeed: this.#dieSeed });
      case 'board': {
        const [cells, rows, tickLog2, rail, driveRange, driveBits] = numbers;
        const profile = { cells, rows, tickLog2, rail, driveRange, driveBits };
        return this.#powerOn(idealBoard(profile, this.#dieSeed));
      }
      case 'program': {
        const [bank, mode, cells, rows, couplingBits, rowAttenuation, linearRows = NO_ROW_ELEMENT] = numbers;
        const couplings = new (couplingBits <= 8 ? Int8Array : Int16Array)(rows * cells);
        const rowElement =
          linearRows <= rows
            ? { linearRows, table: new Int16Array(ROW_TABLE_NODES), drive: new Int16Array(rows) }
            : undefined;
        const shape = { cells, rows, couplingBits, rowAttenuation, couplings, rowElement };
        this.#images[bank] = programImage({
          ...shape,
          mode: mode === 0 ? PROGRAM_MODE.dense : PROGRAM_MODE.factored,
        });
        return [];
      }
      case 'couplings':
        return this.#couplings(rest, numbers);
      case 'drive':
      case 'initial':
      case 'row-table':
      case 'row-drive':
        return this.#codes(name, rest, numbers);
      case 'registers': {
        const [bank, damping, noiseAmplitude, noiseShift] = numbers;
        Object.assign(this.#images[bank], { damping, noiseAmplitude, noiseShift });
        return [];
      }
      case 'commit':
        this.#committed[numbers[0]] = commitProgram(this.#die, this.#images[numbers[0]]);
        return [`commit ${this.#committed[numbers[0]].clampedCouplings}`];
      case 'start':
        [, this.#runSeed, this.#tick] = numbers;
        this.#program = this.#committed[numbers[0]];
        this.#array.clearFlags();
        if (rest[3] === 'load') this.#array.loadInitialState(this.#images[numbers[0]].initialState);
        return [];
      case 'ticks': {
        const halts = rest[1] === 'halt';
        const done = this.#array.advance(this.#program, numbers[0], this.#tick, this.#runSeed, halts);
        this.#tick += done;
        return [`ticks ${done} ${this.#array.overloaded ? 1 : 0}`];
      }
      case 'digest':
        return [`digest ${stateDigest(this.#array, this.#tick)}`];
      case 'state': {
        const { cells, rows } = this.#die.profile;
        return [
          `state ${Object.values(arrayState(this.#array, cells, rows))
            .flat()
            .join(' ')}`,
        ];
      }
      case 'adc': {
        const codes = new Int16Array(this.#program.cells);
        this.#array.readAdc(codes);
        return [`adc ${codes.join(' ')}`];
      }
      default:
        throw new Error(`no such order: ${name}`);
    }
  }

  #powerOn(die: Die): string[] {
    this.#die = die;
    this.#array = new CellArray(die, this.#ticksOf(die));
    this.#tick = 0;
    return [];
  }

  #couplings(rest: readonly string[], [bank, ...numbers]: readonly number[]): string[] {
    const { couplings, cells, mode } = this.#images[bank];
    const [, seed, largest, diagonal] = numbers;
    const at = (row: number, column: number): number => {
      if (mode === PROGRAM_MODE.factored) return randomCode(seed, row, column, largest);
      if (row === column) return diagonal;
      return randomCode(seed, Math.max(row, column), Math.min(row, column), largest);
    };
    if (rest[1] !== 'random') couplings.set(numbers);
    else for (let i = 0; i < couplings.length; i++) couplings[i] = at(Math.floor(i / cells), i % cells);
    return [];
  }

  #codes(
    name: 'drive' | 'initial' | 'row-table' | 'row-drive',
    rest: readonly string[],
    [bank, ...numbers]: readonly number[],
  ): string[] {
    const image = this.#images[bank];
    const target = {
      drive: image.drive,
      initial: image.initialState,
      'row-table': image.rowElement?.table,
      'row-drive': image.rowElement?.drive,
    }[name]!;
    const [, seed, largest] = numbers;
    if (rest[1] !== 'random') target.set(numbers);
    else for (let i = 0; i < target.length; i++) target[i] = randomCode(seed, i, 0, largest);
    return [];
  }
}
