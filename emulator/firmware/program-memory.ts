import {
  COUPLING_BITS_MAX,
  NOISE_SHIFT_MIN,
  ROW_TABLE_NODES,
  ROWS_MAX,
} from '../../firmware-protocol/limits.js';
import type { Command } from '../../firmware-protocol/messages/index.js';
import { SECTION, type Section } from '../../firmware-protocol/messages/program.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import {
  codeBytes,
  couplingsDigest,
  type ProgramDigest,
  programDigest,
} from '../../firmware-protocol/program-digest.js';
import { PROGRAM_MODE, type ProgramImage, type RowElement } from '../../firmware-protocol/program-image.js';
import { convertCouplings, type EffectiveCouplings } from '../analog/coupling-dac.js';
import type { Die } from '../analog/die.js';
import {
  commitProgram,
  type EffectiveProgram,
  linearRowsWithin,
  type ProgramArrays,
  refuseProgram,
} from '../analog/effective-program.js';
import { Refused } from './refused.js';

/**
 * Largest number of couplings that are converted with the write of the last coupling. The conversion of more
 * takes tens of ms, in which a stop would have to wait, so the commit does it.
 */
const PREPARED_COUPLINGS_MAX = 1024 * 1024;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One program bank: codes as they were written, and the program that a commit made of them. */
export interface Bank {
  image: Mutable<ProgramImage> | undefined;
  /**
   * Couplings from this entry on count as zero, although their memory may still hold those of an earlier
   * program. To clear a large array takes as long as to write it, and most entries are written before anybody
   * reads them.
   */
  zeroFrom: number;
  /**
   * The converted couplings. They are kept while only the drive, the initial state or registers are
   * rewritten.
   */
  couplings: EffectiveCouplings | undefined;
  /** The digest of the couplings, until a coupling is written. */
  couplingsDigest: ProgramDigest | undefined;
  /**
   * Converted couplings of the previous program. No board run uses them any more, so the next conversion
   * takes their memory.
   */
  unusedCouplings: EffectiveCouplings | undefined;
  committed: EffectiveProgram | undefined;
  /** The program of the previous commit. No board run uses it any more. */
  unused: EffectiveProgram | undefined;
}

/** The banks of programs (protocol.md, "Programs"). It checks a program before the analog part gets it. */
export class ProgramMemory {
  readonly banks: readonly Bank[];
  readonly #die: Die;

  constructor(die: Die) {
    this.#die = die;
    this.banks = Array.from({ length: die.profile.banks }, () => ({
      image: undefined,
      zeroFrom: 0,
      couplings: undefined,
      couplingsDigest: undefined,
      unusedCouplings: undefined,
      committed: undefined,
      unused: undefined,
    }));
  }

  define(fields: Command<'defineProgram'>): void {
    const { mode, cells, rows, couplingBits, rowAttenuation, linearRows } = fields;
    const { profile } = this.#die;
    const hasRowElement = linearRows <= rows;
    const dense = mode === PROGRAM_MODE.dense;
    const refuse = (holds: boolean, detail: string) => {
      if (!holds) throw new Refused(REFUSAL.outOfRange, detail);
    };
    if (!(dense ? profile.dense : profile.factored))
      throw new Refused(REFUSAL.unsupported, `this board has no ${dense ? 'dense' : 'factored'} array`);
    if (hasRowElement && !profile.rowElement) throw noRowElement();
    refuse(!(hasRowElement && dense), 'a dense program has no rows that could have an element');
    refuse(cells <= profile.cells, `${cells} cells, the board has ${profile.cells}`);
    if (dense) refuse(rows === cells && rowAttenuation === 0, 'a dense program has rows = cells, ρ = 0');
    else refuse(rows <= Math.min(profile.rows, ROWS_MAX), `${rows} rows, the board has ${profile.rows}`);
    refuse(couplingBits <= profile.couplingBits, `couplings have ${profile.couplingBits} bits`);
    const bank = this.bank(fields.bank);
    forgetCommit(bank);
    forgetCouplings(bank);
    bank.zeroFrom = 0;
    bank.image = {
      mode,
      cells,
      rows,
      couplingBits,
      rowAttenuation,
      couplings:
        couplingBits <= 8
          ? roomFor(bank.image?.couplings, Int8Array, rows * cells)
          : roomFor(bank.image?.couplings, Int16Array, rows * cells),
      drive: roomFor(bank.image?.drive, Int16Array, cells).fill(0),
      initialState: roomFor(bank.image?.initialState, Int16Array, cells).fill(0),
      damping: 0,
      noiseAmplitude: 0,
      noiseShift: NOISE_SHIFT_MIN,
      rowElement: hasRowElement
        ? { linearRows, table: new Int16Array(ROW_TABLE_NODES), drive: new Int16Array(rows) }
        : undefined,
    };
  }

  write(bankIndex: number, section: Section, firstEntry: number, codes: Uint8Array): void {
    const bank = this.bank(bankIndex);
    const target = this.#section(this.image(bankIndex), section);
    const width = target.BYTES_PER_ELEMENT;
    if (codes.length % width !== 0) throw new Refused(REFUSAL.outOfRange, `codes have ${width} bytes each`);
    if (firstEntry + codes.length / width > target.length)
      throw new Refused(REFUSAL.outOfRange, `entry ${firstEntry + codes.length / width} of ${target.length}`);
    if (section === SECTION.couplings) {
      clearUpTo(bank, firstEntry);
      bank.zeroFrom = Math.max(bank.zeroFrom, firstEntry + codes.length / width);
      forgetCouplings(bank);
    }
    codeBytes(target).set(codes, firstEntry * width);
    forgetCommit(bank);
  }

  read(bankIndex: number, section: Section, firstEntry: number, count: number): Uint8Array {
    const source = this.#section(this.image(bankIndex), section);
    if (firstEntry + count > source.length)
      throw new Refused(REFUSAL.outOfRange, `entry ${firstEntry + count} of ${source.length}`);
    if (section === SECTION.couplings) clearUpTo(this.bank(bankIndex), firstEntry + count);
    return codeBytes(source.slice(firstEntry, firstEntry + count));
  }

  setRegisters(fields: Command<'setRegisters'>): void {
    const bank = this.bank(fields.bank);
    const image = this.image(fields.bank);
    image.damping = fields.damping;
    image.noiseAmplitude = fields.noiseAmplitude;
    image.noiseShift = fields.noiseShift;
    forgetCommit(bank);
  }

  commit(fields: Command<'commit'>): EffectiveProgram {
    const bank = this.bank(fields.bank);
    const image = this.image(fields.bank);
    clearUpTo(bank, image.couplings.length);
    bank.couplingsDigest ??= couplingsDigest(image.couplings);
    const digest = programDigest(image, bank.couplingsDigest);
    if (digest.crc32 !== fields.crc32 || digest.crc32c !== fields.crc32c)
      throw new Refused(REFUSAL.digestMismatch, 'the program here is another one');
    const refusal = refuseProgram(this.#die.profile, image);
    if (refusal) throw new Refused(REFUSAL.outOfRange, `the ${refusal} of this program`);
    this.#checkCodeWidth(image);
    bank.committed ??= commitProgram(this.#die, image, this.#converted(bank, image), bank.unused);
    bank.unused = undefined;
    return bank.committed;
  }

  /**
   * Converts the couplings before the commit, if the entries up to the last one are written, so that the
   * commit takes less time. `end` is the number of the entry after the last written one. Returns the arrays.
   * Returns undefined if entries are missing, for codes that a commit may refuse, and for more than
   * PREPARED_COUPLINGS_MAX entries.
   */
  prepare(bankIndex: number, end: number): ProgramArrays | undefined {
    const bank = this.bank(bankIndex);
    const image = this.image(bankIndex);
    const { length } = image.couplings;
    if (end < length || length > PREPARED_COUPLINGS_MAX || !fillsItsWidth(image)) return undefined;
    clearUpTo(bank, end);
    bank.couplingsDigest ??= couplingsDigest(image.couplings);
    const { mode, cells, rows } = image;
    return { mode, cells, rows, linearRows: linearRowsWithin(image), ...this.#converted(bank, image) };
  }

  #converted(bank: Bank, image: ProgramImage): EffectiveCouplings {
    if (!bank.couplings) {
      bank.couplings = convertCouplings(this.#die, image, bank.unusedCouplings);
      bank.unusedCouplings = undefined;
    }
    return bank.couplings;
  }

  /** Bit b is set when bank b is committed. */
  get committedBanks(): number {
    return this.banks.reduce((bits, bank, index) => bits + (bank.committed ? 1 << index : 0), 0);
  }

  bank(index: number): Bank {
    const bank = this.banks[index];
    if (!bank) throw new Refused(REFUSAL.outOfRange, `bank ${index} of ${this.banks.length}`);
    return bank;
  }

  image(index: number): Mutable<ProgramImage> {
    const { image } = this.bank(index);
    if (!image) throw new Refused(REFUSAL.wrongState, `bank ${index} has no program defined`);
    return image;
  }

  #section(image: ProgramImage, section: Section): Int8Array | Int16Array {
    switch (section) {
      case SECTION.couplings:
        return image.couplings;
      case SECTION.drive:
        return image.drive;
      case SECTION.initialState:
        return image.initialState;
      case SECTION.rowTable:
        return this.#rowElement(image).table;
      case SECTION.rowDrive:
        return this.#rowElement(image).drive;
    }
  }

  #rowElement({ rowElement }: ProgramImage): RowElement {
    if (!this.#die.profile.rowElement) throw noRowElement();
    if (!rowElement) throw new Refused(REFUSAL.wrongState, 'the program was defined without a row element');
    return rowElement;
  }

  #checkCodeWidth(image: ProgramImage): void {
    if (fillsItsWidth(image)) return;
    const { couplings, couplingBits } = image;
    const limit = 1 << (couplingBits - 1);
    for (let i = 0; i < couplings.length; i++)
      if (couplings[i] < -limit || couplings[i] >= limit)
        throw new Refused(REFUSAL.outOfRange, `coupling ${i} has more than ${couplingBits} bits`);
  }
}

function noRowElement(): Refused {
  return new Refused(REFUSAL.unsupported, 'this board has no row element');
}

/**
 * Whether codes are stored in exactly `couplingBits` bits (8 or 16), so that no stored code can be out of
 * range.
 */
function fillsItsWidth({ couplingBits }: ProgramImage): boolean {
  return couplingBits === 8 || couplingBits === COUPLING_BITS_MAX;
}

/**
 * Gives up the arrays that a commit made of the couplings. A bank is never written while it runs, so no run
 * uses these arrays now.
 */
function forgetCouplings(bank: Bank): void {
  bank.unusedCouplings = bank.couplings ?? bank.unusedCouplings;
  bank.couplings = undefined;
  bank.couplingsDigest = undefined;
}

/** A bank that is written is not committed any more. It does not run, so no run uses its program now. */
function forgetCommit(bank: Bank): void {
  bank.unused = bank.committed ?? bank.unused;
  bank.committed = undefined;
}

/** Sets the entries from `zeroFrom` up to `entry` to zero: they may hold couplings of an earlier program. */
function clearUpTo(bank: Bank, entry: number): void {
  if (entry <= bank.zeroFrom) return;
  bank.image?.couplings.fill(0, bank.zeroFrom, entry);
  bank.zeroFrom = entry;
}

/**
 * The array of the previous program if it has this type and length, otherwise a new one. So most uploads
 * allocate no memory.
 */
function roomFor<Codes extends Int8Array | Int16Array>(
  before: Int8Array | Int16Array | undefined,
  Kind: new (count: number) => Codes,
  count: number,
): Codes {
  return before instanceof Kind && before.length === count ? before : new Kind(count);
}
