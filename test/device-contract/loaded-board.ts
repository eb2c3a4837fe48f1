import type { Answer, Command } from '../../firmware-protocol/messages/index.js';
import { FEATURE } from '../../firmware-protocol/messages/system.js';
import { programDigest } from '../../firmware-protocol/program-digest.js';
import { linearRowsOf, PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import type { AnswerOrRefusal, RawHost } from './raw-host.js';

export type Identity = Answer<'hello'>;

const CELLS = 4;
/** Damping of 1 G_fs. If all couplings are 0, the voltages then settle at v = e. */
const UNIT_DAMPING = 32768;

/** Uncoupled cells that settle at ¼ V_fs, in a mode that this board has. */
export function uncoupled(board: Identity, parts: Partial<ProgramImage> = {}): ProgramImage {
  const dense = (board.features & FEATURE.dense) !== 0;
  const cells = Math.min(CELLS, board.cells);
  const rows = dense ? cells : 1;
  const { couplingBits } = board;
  return {
    mode: dense ? PROGRAM_MODE.dense : PROGRAM_MODE.factored,
    cells,
    rows,
    couplingBits,
    rowAttenuation: 0,
    couplings: new (couplingBits <= 8 ? Int8Array : Int16Array)(rows * cells),
    drive: new Int16Array(cells).fill(driveCode(board, 1 / 4)),
    initialState: new Int16Array(cells),
    damping: UNIT_DAMPING,
    noiseAmplitude: 0,
    noiseShift: board.noiseShiftMin,
    ...parts,
  };
}

/** The DAC code of a drive in V_fs·G_fs. */
export function driveCode({ driveBits, driveRange }: Identity, drive: number): number {
  return Math.round((drive / driveRange) * 2 ** (driveBits - 1));
}

/** Volts of an ADC code, in V_fs: the converter reads ±2 V_fs. */
export function voltage({ adcBits }: Identity, code: number): number {
  return code / 2 ** (adcBits - 2);
}

export const bytesOf = (codes: Int8Array | Int16Array): Uint8Array =>
  new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);

export function shapeOf(bank: number, image: ProgramImage): Command<'defineProgram'> {
  const { mode, cells, rows, couplingBits, rowAttenuation } = image;
  return { bank, mode, cells, rows, couplingBits, rowAttenuation, linearRows: linearRowsOf(image) };
}

/** Loads and commits a program. Returns the answer to the commit. */
export async function load(
  host: RawHost,
  bank: number,
  image: ProgramImage,
): Promise<AnswerOrRefusal<'commit'>> {
  const { damping, noiseAmplitude, noiseShift } = image;
  host.write(
    host.command('defineProgram', shapeOf(bank, image)),
    host.command('writeCouplings', { bank, firstEntry: 0, codes: bytesOf(image.couplings) }),
    host.command('writeDrive', { bank, firstCell: 0, codes: bytesOf(image.drive) }),
    host.command('writeInitialState', { bank, firstCell: 0, codes: bytesOf(image.initialState) }),
    ...(image.rowElement
      ? [
          host.command('writeRowTable', { bank, firstNode: 0, codes: bytesOf(image.rowElement.table) }),
          host.command('writeRowDrive', { bank, firstRow: 0, codes: bytesOf(image.rowElement.drive) }),
        ]
      : []),
    host.command('setRegisters', { bank, damping, noiseAmplitude, noiseShift }),
  );
  return host.ask('commit', { bank, ...programDigest(image) });
}

export const START: Command<'start'> = {
  bank: 0,
  runSeed: 1,
  firstTick: 0,
  startState: 0,
  burnInTicks: 0,
  sampleCount: 1,
  ticksPerSample: 1,
  blockSamples: 0,
  onNoCredit: 0,
  onOverload: 0,
  watchdogMs: 60_000,
  creditBlocks: 1000,
  keepBlocks: 0,
  statistics: 0,
  batchSamples: 0,
};

/** A run that ends only when the host ends it. */
export const ENDLESS: Command<'start'> = { ...START, burnInTicks: 2 ** 52, sampleCount: 0 };

/** A session with a board that holds the uncoupled program in bank 0, ready to start. */
export async function loaded(host: RawHost, parts: Partial<ProgramImage> = {}): Promise<Identity> {
  const board = await host.hello();
  const committed = await load(host, 0, uncoupled(board, parts));
  if (committed.name !== 'commit')
    throw new Error(`the commit was refused: ${JSON.stringify(committed.fields)}`);
  return board;
}
