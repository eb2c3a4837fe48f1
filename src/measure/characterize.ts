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

/** How much of a board is measured. */
export interface CharacterizeRequest {
  /** u32: names the levels that are loaded and driven, and the noise. */
  readonly seed: number;
  /** Samples with noise, for the noise temperatures and again for the histograms; 1,000 to 10⁷. */
  readonly samples: number;
  /** Crosspoints to measure in every row of a dense array, at most N; 0: none. */
  readonly crosspointsPerRow: number;
  readonly signal?: AbortSignal;
  /** Called with the share of the work that is done, 0…1, and the name of the stage. */
  readonly onProgress?: (fraction: number, stage: string) => void;
  /**
   * Where finished parts are kept, so that the same request to the same board goes on from them. With a board
   * whose noise repeats, the result has the same bits as without the interruption. Default: nowhere.
   */
  readonly finished?: FinishedParts;
}

/** What a board is like, as far as its host can measure it. Entry i of a list belongs to cell i. */
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
  /** Whether the noise is white. The temperatures of coloured noise are those at hλ = ½ only. */
  readonly noiseColour: NoiseColour;
  /** Undefined on a board without a dense array, or when none was asked for. */
  readonly couplings: CouplingErrors | undefined;
  readonly histograms: readonly ChannelHistogram[];
  /** Cells, ascending, that do not follow what is loaded. Nothing else is known of them. */
  readonly silent: readonly number[];
  /** Cells, ascending, that ran into a rail. Their estimates mean little. */
  readonly overloaded: readonly number[];
}

/** One board run with its rewrite takes about as long as so many readings, on a board behind USB. */
const READINGS_PER_RUN = 100;

/**
 * Measures a board by programs, board runs and samples alone. Uses of one device take turns.
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

/** Refuses a request that `characterize` would refuse on every board: BAD_ARGUMENT. */
export function checkCharacterizeRequest(request: CharacterizeRequest): void {
  checkObject('The request', request, '{ seed: 0, samples: 20000, crosspointsPerRow: 16 }');
  checkSeed('seed', request.seed);
  checkWhole('samples', request.samples, 1000, 10_000_000);
  checkWhole('crosspointsPerRow', request.crosspointsPerRow, 0);
  checkSignal(request.signal);
  if (request.finished !== undefined)
    checkObject('finished', request.finished, '{ get: (name) => part, add: (name, part) => undefined }');
}

/** Turns the steps of stages that are done one after the other into a share of the whole. */
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
