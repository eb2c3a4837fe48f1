import { PHILOX_STREAM, philox4x32 } from '../../firmware-protocol/philox.js';

/** The sequence of random numbers of one address. It depends only on (seed, stream, step, block). */
export interface RandomSource {
  /** Uniform in (0, 1), with 32 bits; never 0 or 1. */
  uniform(): number;
  /**
   * Standard normal, by Box–Muller. Results of two machines may differ in the last bits, because Math.log and
   * Math.cos may differ.
   */
  normal(): number;
}

/** The address of a sequence of random numbers on the host; every field is u32. */
export interface RandomAddress {
  /** Chosen by the user. */
  readonly seed: number;
  /** Purpose of the numbers: a value of `RANDOM_STREAM`. */
  readonly stream: number;
  readonly step?: number;
  readonly block?: number;
}

/** Philox4x32-10 with key (seed, 0) and counter (draw, step, block, stream). */
export function randomSource(address: RandomAddress): RandomSource {
  const { seed, stream, step = 0, block = 0 } = address;
  const words = new Uint32Array(4);
  let draws = 0;
  let spare: number | undefined;

  function nextWord(): number {
    const position = draws % 4;
    if (position === 0) philox4x32(Math.floor(draws / 4), step, block, stream, seed, 0, words);
    draws++;
    return words[position];
  }

  function uniform(): number {
    return (nextWord() + 0.5) / 2 ** 32;
  }

  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  return { uniform, normal };
}

/**
 * A random permutation of 0 … count − 1 (Fisher–Yates), from count − 1 draws. The probability of each choice
 * differs from uniform by less than count/2³².
 */
export function randomPermutation(count: number, random: RandomSource): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    const moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
  return order;
}

/**
 * The streams of random numbers on the host. Folders that must not import the protocol take them from here.
 * Each purpose has its own stream, so two purposes never share a number.
 */
export const RANDOM_STREAM = {
  parameters: PHILOX_STREAM.parameters,
  exampleOrder: PHILOX_STREAM.exampleOrder,
  spinStarts: PHILOX_STREAM.spinStarts,
  spinMoves: PHILOX_STREAM.spinMoves,
  collocation: PHILOX_STREAM.collocation,
  fisherLabels: PHILOX_STREAM.fisherLabels,
  stochasticRounding: PHILOX_STREAM.stochasticRounding,
  tableSplit: PHILOX_STREAM.tableSplit,
  spectrumProbe: PHILOX_STREAM.spectrumProbe,
  idealSampler: PHILOX_STREAM.idealSampler,
  benchProblem: PHILOX_STREAM.benchProblem,
  exactPosterior: PHILOX_STREAM.exactPosterior,
} as const;
