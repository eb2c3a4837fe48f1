import { checkDevice, checkObject, checkSeed, checkSignal, checkWhole } from '../argument-checks.js';
import type { BoardDevice, DeviceIdentity } from '../driver/device-api.js';
import { type ChannelHistogram, measureAdcHistograms } from './adc-histogram.js';
import { ADC_LEVELS, type AdcTransfer, measureAdcTransfer } from './adc-transfer.js';
import { type CouplingErrors, measureCouplingErrors, PATTERNS } from './coupling-error.js';
import { DRIVE_RUNS, type DriveTransfer, measureDriveTransfer } from './drive-transfer.js';
import type { Estimates } from './estimates.js';
import { type FinishedParts, type LabBoard, measureInSession } from './lab-board.js';
import { measureNoiseTemperature, type NoiseColour } from './noise-temperature.js';
import { measureTimeConstant, TIME_CONSTANT_RUNS } from './time-constant.js';

/** A request for the characterization of a board. */
export interface CharacterizeRequest {
  /** Seed of the levels that are loaded and driven, and of the noise; u32. */
  readonly seed: number;
  /**
   * Number of samples with noise: once for the noise temperatures and once for the histograms; 1,000 to 10⁷.
   */
  readonly samples: number;
  /** Number of crosspoints to measure in every row of a dense array, at most N; 0: none. */
  readonly crosspointsPerRow: number;
  readonly signal?: AbortSignal;
  /** Called with the finished share of the work, 0…1, and the name of the stage. */
  readonly onProgress?: (fraction: number, stage: string) => void;
  /**
   * Keeps finished parts. After an interruption, the same request to the same board continues from them. If
   * the noise of the board is reproducible, the result has the same bits as without the interruption.
   * Default: parts are not kept.
   */
  readonly finished?: FinishedParts;
}

/** The measured properties of a board. Entry i of a list belongs to cell i. */
export interface Characterization {
  readonly identity: DeviceIdentity;
  readonly seed: number;
  readonly samples: number;
  readonly adc: AdcTransfer;
  readonly drive: DriveTransfer;
  /** Time constants, in τ. */
  readonly timeConstant: Estimates;
  /** Noise temperatures, relative to the register's κ. */
  readonly noiseTemperature: Estimates;
  /** Whether the noise is white. For coloured noise the temperatures are valid only at hλ = ½. */
  readonly noiseColour: NoiseColour;
  /** Undefined if the board has no dense array, or if no crosspoints were requested. */
  readonly couplings: CouplingErrors | undefined;
  readonly histograms: readonly ChannelHistogram[];
  /** Cells, ascending, whose readings do not follow the loaded voltage. Their other values are unknown. */
  readonly silent: readonly number[];
  /** Cells, ascending, that ran into a rail. Their estimates are not reliable. */
  readonly overloaded: readonly number[];
}

/** On a board behind USB one board run with its rewrite takes about as long as this number of readings. */
const READINGS_PER_RUN = 100;

/**
 * Measures a board, using only programs, board runs and samples. Uses of one device take turns.
 *
 * Errors: BAD_ARGUMENT before any byte is sent; ABORTED; those of the device.
 */
export async function characterize(
  device: BoardDevice,
  request: CharacterizeRequest,
): Promise<Characterization> {
  checkDevice(device);
  checkCharacterizeRequest(request);
  return measureInSession(device, request, (board) => measureAll(board, request));
}

async function measureAll(board: LabBoard, request: CharacterizeRequest): Promise<Characterization> {
  const { seed, samples, onProgress = () => undefined } = request;
  const { identity } = board;
  const sets = identity.hasDense ? Math.min(request.crosspointsPerRow, identity.cells) : 0;
  const stage = stages(onProgress, [
    ['converters', ADC_LEVELS],
    ['drives', DRIVE_RUNS],
    ['time constants', TIME_CONSTANT_RUNS],
    ['noise', samples / READINGS_PER_RUN],
    ['histograms', samples / READINGS_PER_RUN],
    ['couplings', sets * PATTERNS],
  ]);
  const adc = await board.part('converters', () => measureAdcTransfer(board, stage('converters')));
  const drive = await board.part('drives', () => measureDriveTransfer(board, adc, stage('drives')));
  const timeConstant = await board.part('time constants', () =>
    measureTimeConstant(board, adc.silent, stage('time constants')),
  );
  const { temperature: noiseTemperature, colour: noiseColour } = await board.part('noise', () => {
    const noise = stage('noise');
    const found = { leakage: drive.leakage, timeConstant };
    return measureNoiseTemperature(board, adc, found, samples, (done) => noise(done / READINGS_PER_RUN));
  });
  const histograms = await board.part('histograms', () => {
    const histogram = stage('histograms');
    return measureAdcHistograms(board, samples, (done) => histogram(done / READINGS_PER_RUN));
  });
  const couplings =
    sets === 0 ? undefined : await measureCouplingErrors(board, adc, drive, sets, stage('couplings'));
  onProgress(1, 'done');
  return {
    identity,
    seed,
    samples,
    adc,
    drive,
    timeConstant,
    noiseTemperature,
    noiseColour,
    couplings,
    histograms,
    silent: adc.silent,
    overloaded: [...board.overloaded].sort((a, b) => a - b),
  };
}

/** Throws BAD_ARGUMENT for a request that `characterize` refuses on every board. */
export function checkCharacterizeRequest(request: CharacterizeRequest): void {
  checkObject('The request', request, '{ seed: 0, samples: 20000, crosspointsPerRow: 16 }');
  checkSeed('seed', request.seed);
  checkWhole('samples', request.samples, 1000, 10_000_000);
  checkWhole('crosspointsPerRow', request.crosspointsPerRow, 0);
  checkSignal(request.signal);
  if (request.finished !== undefined)
    checkObject('finished', request.finished, '{ get: (name) => part, add: (name, part) => undefined }');
}

/** Converts the progress of consecutive stages to a share of the whole. */
function stages(
  onProgress: (fraction: number, stage: string) => void,
  steps: readonly (readonly [string, number])[],
): (name: string) => (done: number) => void {
  const total = steps.reduce((sum, [, count]) => sum + count, 0);
  return (name) => {
    const at = steps.findIndex(([known]) => known === name);
    const before = steps.slice(0, at).reduce((sum, [, count]) => sum + count, 0);
    onProgress(before / total, name);
    return (done) => onProgress((before + done) / total, name);
  };
}
