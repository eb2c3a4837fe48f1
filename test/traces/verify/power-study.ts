/**
 * How often `compareRuns` and `judge` raise an alarm: for the same board with new noise, and for boards with
 * one deliberate fault. The boards are emulated by the device model itself, without a link.
 */
import { dieInfo } from '../../../emulator/analog/die.js';
import { IMPERFECTIONS } from '../../../emulator/imperfections/table.js';
import type { BoardProfile } from '../../../emulator/profiles/board-profile.js';
import { findProfile } from '../../../emulator/profiles/profiles.js';
import type { ProgramImage } from '../../../firmware-protocol/program-image.js';
import { driveStep } from '../../../src/board/board-range.js';
import { noiseRegister } from '../../../src/board/noise-register.js';
import { compareRuns, type RunSamples } from '../../../src/traces/verify/compare-runs.js';
import { judge, type Verdict } from '../../../src/traces/verify/judge.js';
import { programImage } from '../../support/analog-boards.js';
import { SolverBoard } from '../../support/solver-board.js';
import { eigenvalues, problemRandom, symmetricWith } from '../../support/solver-problems.js';

/** κ in V_fs². Cells fluctuate by about 1/50 of full scale. */
const NOISE_TEMPERATURE = 2e-4;
const CONDITION = 4;
/** Largest magnitude of the voltages at equilibrium, in V_fs. */
const VOLTAGE_MAX = 0.6;

/** The faults of the board that is compared with the recorded one. */
export const FAULTS = ['none', 'gain', 'noise', 'dead', 'swapped', 'die'] as const;
export type FaultName = (typeof FAULTS)[number];

export interface StudyOptions {
  readonly cells: number;
  readonly samples: number;
  readonly ticksPerSample: number;
  readonly rate: number;
}

/** A program of a random positive definite A of condition CONDITION, with a drive and noise. */
function studyProgram(profile: BoardProfile, seed: number): ProgramImage {
  const { cells } = profile;
  const random = problemRandom(seed);
  const a = symmetricWith(eigenvalues('linear', CONDITION, cells), random);
  const largest = Math.max(...a.data.map(Math.abs));
  const couplings = Int16Array.from(a.data, (value) => Math.round((value / largest) * 2047));
  const wanted = Float64Array.from({ length: cells }, () => VOLTAGE_MAX * (2 * random.uniform() - 1));
  const drive = Float64Array.from(wanted, (_, i) => {
    let sum = 0;
    for (let j = 0; j < cells; j++) sum += (couplings[i * cells + j] / 2048) * wanted[j];
    return sum / driveStep(profile);
  });
  return programImage({
    cells,
    couplingBits: 12,
    couplings,
    drive: Int16Array.from(drive, Math.round),
    ...registerOf(profile),
  });
}

function registerOf(profile: BoardProfile): Pick<ProgramImage, 'noiseAmplitude' | 'noiseShift'> {
  const { amplitude, shift } = noiseRegister(NOISE_TEMPERATURE, 2 ** -profile.tickLog2, profile);
  return { noiseAmplitude: amplitude, noiseShift: shift };
}

/** The board of a trial, with the fault in one cell, or in this cell and the next one. */
function faultyBoard(profile: BoardProfile, fault: FaultName, dieSeed: number, cell: number): SolverBoard {
  const other = (cell + 1) % profile.cells;
  switch (fault) {
    case 'none':
      return new SolverBoard(profile, undefined, dieSeed);
    case 'die':
      return new SolverBoard(profile, undefined, dieSeed + 1000);
    case 'gain':
      return new SolverBoard(
        profile,
        eachSample((codes, at) => (codes[at + cell] *= 1.01)),
        dieSeed,
      );
    case 'swapped':
      return new SolverBoard(
        profile,
        eachSample((codes, at) => {
          [codes[at + cell], codes[at + other]] = [codes[at + other], codes[at + cell]];
        }),
        dieSeed,
      );
    case 'noise':
      return new SolverBoard(withNoiseGain(profile, dieSeed, cell), undefined, dieSeed);
    case 'dead':
      return new SolverBoard(withDeadCell(profile, cell), undefined, dieSeed);
  }
}

function eachSample(change: (codes: Int16Array, at: number) => void) {
  return (codes: Int16Array, cells: number): void => {
    for (let at = 0; at < codes.length; at += cells) change(codes, at);
  };
}

/** The noise temperature of one cell is 3 % higher; everything else is drawn as before. */
function withNoiseGain(profile: BoardProfile, dieSeed: number, cell: number): BoardProfile {
  const drawn = IMPERFECTIONS.noiseMismatch.cells!(
    profile.effects!.noiseMismatch!,
    dieInfo({ profile, dieSeed }),
  );
  const gain = Array.from(drawn.noiseGain!, (value, i) =>
    i === cell ? Math.round(value * Math.sqrt(1.03)) : value,
  );
  return { ...profile, measured: { source: 'power study', noiseMismatch: { gain } } };
}

function withDeadCell(profile: BoardProfile, cell: number): BoardProfile {
  return {
    ...profile,
    effects: { ...profile.effects!, deadCells: { sharePpm: 1000, source: 'power study' } },
    measured: { source: 'power study', deadCells: { cells: [cell] } },
  };
}

async function samplesOf(
  board: SolverBoard,
  image: ProgramImage,
  runSeed: number,
  options: StudyOptions,
): Promise<RunSamples> {
  await board.loadProgram(0, image);
  const { samples, ticksPerSample } = options;
  const run = { bank: 0, runSeed, burnInTicks: 2000, sampleCount: samples, ticksPerSample };
  const { codes, report } = await board.acquire(run);
  if (report.outcome !== 'completed') throw new Error('the study overloads its board');
  return { cells: image.cells, codes };
}

/** One recorded run, and one with new noise on the board with the fault. */
export async function studyTrial(fault: FaultName, trial: number, options: StudyOptions): Promise<Verdict> {
  const profile = { ...findProfile('prototype-64')!, cells: options.cells, rows: options.cells };
  const image = studyProgram(profile, trial);
  const dieSeed = 1 + trial;
  const cell = (7 * trial) % options.cells;
  const recorded = await samplesOf(faultyBoard(profile, 'none', dieSeed, cell), image, 2 * trial, options);
  const found = await samplesOf(faultyBoard(profile, fault, dieSeed, cell), image, 2 * trial + 1, options);
  return judge([compareRuns(recorded, found)], options.rate);
}
