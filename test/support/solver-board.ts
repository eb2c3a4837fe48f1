import type { CellArray } from '../../emulator/analog/cell-array.js';
import { commitProgram, type EffectiveProgram } from '../../emulator/analog/effective-program.js';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type {
  BoardDevice,
  CommitReport,
  DeviceIdentity,
  Run,
  RunOptions,
  RunReport,
} from '../../src/driver/device-api.js';
import { cellArray } from './analog-boards.js';

/**
 * The device model itself with the interface of the driver. It has no link, firmware or bytes. It is for
 * tests of the results of solvers. `tamper` may falsify the readings.
 */
export class SolverBoard implements BoardDevice {
  readonly identity: DeviceIdentity;
  /** Every program in the order of commits, and every run. */
  readonly programs: { readonly image: ProgramImage; readonly isRewrite: boolean }[] = [];
  readonly runs: RunOptions[] = [];
  /** The readings of the last run. */
  lastCodes = new Int16Array(0);
  uploadedBytes = 0;
  readonly #profile: BoardProfile;
  readonly #cells: CellArray;
  readonly #dieSeed: number;
  readonly #tamper: ((codes: Int16Array, cells: number) => void) | undefined;
  #program: EffectiveProgram | undefined;
  #image: ProgramImage | undefined;

  constructor(profile: BoardProfile, tamper?: (codes: Int16Array, cells: number) => void, dieSeed = 1) {
    this.#dieSeed = dieSeed;
    this.#profile = profile;
    this.#cells = cellArray({ profile, dieSeed });
    this.#tamper = tamper;
    this.identity = identityOf(profile);
  }

  async loadProgram(_bank: number, image: ProgramImage): Promise<CommitReport> {
    this.uploadedBytes += image.couplings.byteLength;
    return this.#commit(image, false);
  }

  async uploadCouplings(_bank: number, image: ProgramImage): Promise<void> {
    this.uploadedBytes += image.couplings.byteLength;
    this.#image = image;
    this.#program = undefined;
  }

  async rewriteProgram(_bank: number, image: ProgramImage): Promise<CommitReport> {
    if (image.couplings !== this.#image?.couplings) throw new Error('rewrite of other couplings');
    return this.#commit(image, true);
  }

  #commit(image: ProgramImage, isRewrite: boolean): CommitReport {
    this.uploadedBytes += image.drive.byteLength + image.initialState.byteLength;
    this.programs.push({ image, isRewrite });
    this.#image = image;
    this.#program = commitProgram(
      { profile: this.#profile, dieSeed: this.#dieSeed },
      image,
      isRewrite ? this.#program : undefined,
    );
    const { clampedCouplings, clampedNoiseCodes, noiseCodeMin, noiseCodeMax } = this.#program;
    return { clampedCouplings, clampedNoiseCodes, noiseCodeMin, noiseCodeMax };
  }

  async run(): Promise<Run> {
    throw new Error('solvers use acquire');
  }

  async acquire(options: RunOptions): Promise<{ codes: Int16Array; report: RunReport }> {
    const program = this.#program!;
    this.runs.push(options);
    const array = this.#cells;
    array.clearFlags();
    if (!options.keepState) array.loadInitialState(this.#image!.initialState);
    const codes = new Int16Array(options.sampleCount * program.cells);
    let ticksDone = 0;
    let samplesTaken = 0;
    const halts = options.onOverload !== 'mark';
    while (samplesTaken < options.sampleCount && !(halts && array.overloaded)) {
      const target = options.burnInTicks + samplesTaken * options.ticksPerSample;
      const tick = (options.firstTick ?? 0) + ticksDone;
      ticksDone += array.advance(program, target - ticksDone, tick, options.runSeed, halts);
      if (halts && array.overloaded) break;
      array.readAdc(codes.subarray(samplesTaken * program.cells, (samplesTaken + 1) * program.cells));
      samplesTaken++;
    }
    this.#tamper?.(codes, program.cells);
    const report: RunReport = {
      runId: this.runs.length,
      outcome: halts && array.overloaded ? 'overload' : 'completed',
      ticksDone,
      samplesTaken,
      samplesLost: 0,
      overloadedCells: firstSet(array.cellFlags),
      overloadedCellCount: array.cellFlags.reduce((sum, flag) => sum + flag, 0),
      overloadedRows: firstSet(array.rowFlags),
      overloadedRowCount: array.rowFlags.reduce((sum, flag) => sum + flag, 0),
    };
    this.lastCodes = codes.subarray(0, samplesTaken * program.cells);
    return { codes: this.lastCodes, report };
  }
}

/** The first set flags, up to the number that a report lists. */
function firstSet(flags: Uint8Array): number[] {
  return Array.from(flags.keys())
    .filter((index) => flags[index] !== 0)
    .slice(0, 32);
}

/** A board of a named profile, with the changes of a test. */
export function solverBoard(
  profile: string,
  overrides: Partial<BoardProfile> = {},
  tamper?: (codes: Int16Array, cells: number) => void,
): SolverBoard {
  const found = findProfile(profile);
  if (found === undefined) throw new Error(`no profile ${profile}`);
  return new SolverBoard({ ...found, ...overrides }, tamper);
}

function identityOf(profile: BoardProfile): DeviceIdentity {
  return {
    model: profile.name,
    serialNumber: 'die 1',
    firmwareVersion: 'none',
    bootEpoch: 0,
    cells: profile.cells,
    rows: profile.factored ? profile.rows : 0,
    banks: profile.banks,
    couplingBits: profile.couplingBits,
    driveBits: profile.driveBits,
    adcBits: profile.adcBits,
    tauNs: profile.tauNs,
    tickLog2: profile.tickLog2,
    fullScaleMicrovolts: profile.fullScaleMicrovolts,
    rail: profile.rail,
    driveRange: profile.driveRange,
    noiseShiftMin: profile.noiseShiftMin,
    noiseShiftMax: profile.noiseShiftMax,
    noiseTemperatureMin: profile.noiseTemperatureMin,
    rowScaleMax: profile.rowScaleMax,
    hasDense: profile.dense,
    hasFactored: profile.factored,
    hasRowElement: profile.rowElement,
    hasHold: true,
    hasAverages: false,
    momentCellsMax: 0,
    hasKnownCovariance: profile.effects === null,
    hasIdentify: false,
    calibrationBytesMax: 0,
    keepBlocksMax: 0,
  };
}
