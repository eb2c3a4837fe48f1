import { PHILOX_STREAM } from '../../firmware-protocol/philox.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { checkDevice, checkObject, checkSeed, checkSignal } from '../argument-checks.js';
import { driveStep } from '../board/board-range.js';
import { noiseRegister } from '../board/noise-register.js';
import type { Device } from '../driver/device.js';
import type { CallOptions, DeviceIdentity } from '../driver/device-api.js';
import { throwIfAborted } from '../errors.js';
import { type RandomSource, randomSource } from '../linalg/random.js';

/** The differences of two boards. */
export interface Comparison {
  /** Number of programs that were run on both boards. */
  readonly programs: number;
  /** Number of programs that gave the same samples and a final state with the same digest. */
  readonly identical: number;
  /**
   * Differences of the readings without noise, for each mode of programs. Modes that the boards do not have
   * are absent.
   */
  readonly differences: Readonly<Partial<Record<ModeName, Difference>>>;
}

/** A mode of programs by its name. */
export type ModeName = keyof typeof PROGRAM_MODE;

/** A difference of readings, in steps of the ADC. */
export interface Difference {
  readonly rmsLsb: number;
  readonly largestLsb: number;
}

const BANK = 0;
/** Block number of the random addresses; no solver and no characterization uses it. */
const PLACE = 65538;
/** Number of programs of each mode. Half of them have noise. */
const PROGRAMS_PER_MODE = 4;
/** The samples reach from the first tick to the equilibrium. */
const RUN = { burnInTicks: 1, sampleCount: 8, ticksPerSample: 25 } as const;
/** Largest drive in V_fs·G_fs. With these couplings no cell comes near its rail. */
const DRIVE = 0.2;
const NOISE_TEMPERATURE = 1e-4;
/** Rows of a factored program. */
const ROWS_MAX = 64;

/**
 * Runs the same random programs with the same run seeds on two boards of the same sizes.
 *
 * Errors: BAD_ARGUMENT; ABORTED; those of the devices.
 */
export async function compareBoards(
  one: Device,
  other: Device,
  request: { readonly seed: number; readonly signal?: AbortSignal },
): Promise<Comparison> {
  checkDevice(one);
  checkDevice(other);
  checkObject('The request', request, '{ seed: 0 }');
  const { seed, signal } = request;
  checkSeed('seed', seed);
  checkSignal(signal);
  const call = signal ? { signal } : {};
  const random = randomSource({ seed, stream: PHILOX_STREAM.runSeed, step: PLACE });
  const differences: Partial<Record<ModeName, Difference>> = {};
  let programs = 0;
  let identical = 0;
  for (const mode of modesOf(one.identity)) {
    const apart: number[] = [];
    for (let k = 0; k < PROGRAMS_PER_MODE; k++) {
      throwIfAborted(signal);
      const isNoisy = k % 2 === 1;
      const program = programOf(one.identity, random, mode, isNoisy);
      const mine = await response(one, program, k, call);
      const its = await response(other, program, k, call);
      const steps = Array.from(mine.codes, (code, i) => Math.abs(code - its.codes[i]));
      programs++;
      if (steps.every((step) => step === 0) && mine.stateDigest === its.stateDigest) identical++;
      if (!isNoisy) for (const step of steps) apart.push(step);
    }
    differences[mode] = {
      rmsLsb: Math.sqrt(apart.reduce((sum, step) => sum + step * step, 0) / apart.length),
      largestLsb: apart.reduce((most, step) => Math.max(most, step), 0),
    };
  }
  return { programs, identical, differences };
}

async function response(device: Device, program: ProgramImage, runSeed: number, call: CallOptions) {
  await device.loadProgram(BANK, program, call);
  const { codes } = await device.acquire({ ...RUN, ...call, bank: BANK, runSeed, onOverload: 'mark' });
  const { stateDigest } = await device.readStatus(call);
  return { codes, stateDigest };
}

function modesOf({ hasDense, hasFactored }: DeviceIdentity): ModeName[] {
  return [...(hasDense ? (['dense'] as const) : []), ...(hasFactored ? (['factored'] as const) : [])];
}

/**
 * A random program. A dense one has ½ on the diagonal and eigenvalues in about 0.1…0.9 G_fs; a factored one
 * has singular values up to about 1 and λ = ½.
 */
function programOf(
  identity: DeviceIdentity,
  random: RandomSource,
  modeName: ModeName,
  isNoisy: boolean,
): ProgramImage {
  const { cells, couplingBits, driveBits } = identity;
  const isDense = modeName === 'dense';
  const rows = isDense ? cells : Math.min(identity.rows, ROWS_MAX);
  const unit = 2 ** (couplingBits - 1);
  // Uniformly distributed with variance 1.
  const draw = () => Math.sqrt(3) * (2 * random.uniform() - 1);
  const couplings = new (couplingBits <= 8 ? Int8Array : Int16Array)(rows * cells);
  const scale = isDense ? 0.2 / Math.sqrt(cells) : 1 / (Math.sqrt(cells) + Math.sqrt(rows));
  const largest = unit - 1;
  for (let i = 0; i < couplings.length; i++)
    couplings[i] = Math.max(-largest, Math.min(largest, Math.round(unit * scale * draw())));
  if (isDense)
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j < i; j++) couplings[j * cells + i] = couplings[i * cells + j];
      couplings[i * cells + i] = unit / 2;
    }
  const driveMax = Math.min(DRIVE / driveStep(identity), 2 ** (driveBits - 1) - 1);
  const noise = noiseRegister(isNoisy ? NOISE_TEMPERATURE : 0, 2 ** -identity.tickLog2, identity);
  return {
    mode: PROGRAM_MODE[modeName],
    cells,
    rows,
    couplingBits,
    rowAttenuation: 0,
    couplings,
    drive: Int16Array.from({ length: cells }, () => Math.round((2 * random.uniform() - 1) * driveMax)),
    initialState: Int16Array.from({ length: cells }, () => Math.round(2000 * draw())),
    damping: isDense ? 0 : 2 ** 14,
    noiseAmplitude: noise.amplitude,
    noiseShift: noise.shift,
  };
}
