import { FRAME_BYTES_BEFORE_HELLO } from '../../firmware-protocol/limits.js';
import {
  type Ambush,
  type FaultName,
  FRAME_FAULTS,
  type FrameFaultName,
  STATES,
  WORLD_FAULTS,
  type WorldFaultName,
} from './faults.js';
import { Random } from './random.js';

/** The workload has this many variants, which differ in their programs. */
export const VARIANTS = 8;

/**
 * The settings of one simulated history. Together with the draws during the simulation they determine it. A
 * seed draws a scenario (`drawScenario`), and the command line may change each field
 * (`npm run simulate -- --help`).
 */
export interface Scenario {
  /** Names the scenario and every later draw. A whole number from 0. */
  readonly seed: number;
  /**
   * The programs that the workload loads, 0 to `VARIANTS` − 1. The results of a variant are the same with and
   * without faults. Drawn: the variants in turn.
   */
  readonly variant: number;
  /**
   * A `hub` tells each end of the line that the other end has closed; a `serial` line does not. Drawn: serial
   * in 60 %.
   */
  readonly line: 'serial' | 'hub';
  /** Latency of a byte, in ms, from 0. Drawn: 0.1, 1 or 4. */
  readonly latencyMs: number;
  /** Bytes that the line takes in a millisecond, above 0. Drawn: 100, 1000 or 8000. */
  readonly bytesPerMs: number;
  /**
   * Longest frame of both ends, in bytes: 256 to 65536. Drawn: 256, so that an upload takes more frames than
   * the window.
   */
  readonly frameBytes: number;
  /** The number of longest frames in the host's port before a write waits, from 1. Drawn: 2, 6, 40 or 400. */
  readonly inFlightFrames: number;
  /** Computing time of the board between two reads of its port, in ms, above 0. Drawn: 0.25, 0.5, 1 or 2. */
  readonly sliceMs: number;
  /**
   * Probability of each of the seven frame faults at every frame, 0 to 1/7. Drawn: 0.01 in three of 16 seeds,
   * 0 in the others.
   */
  readonly frameNoise: number;
  /**
   * Faults of single frames. Drawn: 14 faults. The seeds take the pairs of fault and state in turn. Every
   * 16th seed has no such fault.
   */
  readonly frameFaults: readonly Ambush<FrameFaultName>[];
  /**
   * Faults of line, board and host. Drawn: 7 faults. The seeds take the pairs of fault and state in turn.
   * Every 4th seed, and every 16th seed that has no `frameFaults`, has no such fault.
   */
  readonly worldFaults: readonly Ambush<WorldFaultName>[];
  /**
   * Whether the sequence numbers of a host's first session begin 20 to 150 frames before they wrap around.
   * Drawn: in every 50th seed.
   */
  readonly sequenceWraps: boolean;
  /**
   * Whether the first byte of a nonce is soon used again. A frame carries only this byte of the nonce. A
   * board refuses a nonce with the first byte of a session that it remembers. Drawn: in every 8th seed.
   */
  readonly noncesComeAgain: boolean;
}

/** Changes that make a scenario one without faults. */
export const WITHOUT_FAULTS: Partial<Scenario> = { frameNoise: 0, frameFaults: [], worldFaults: [] };

/** The streams of the draws during the simulation. One more draw in a stream changes no other stream. */
export interface Draws {
  readonly faults: Random;
  readonly host: Random;
  readonly board: Random;
}

/**
 * The scenario of a seed, and the streams of its draws. The scenario itself takes the first draws of the
 * streams.
 */
export function drawScenario(seed: number): { scenario: Scenario; draws: Draws } {
  const draws = { faults: new Random(seed, 1), host: new Random(seed, 3), board: new Random(seed, 4) };
  // The order of the draws must not change. Another order gives every recorded seed another history.
  const line = draws.board.chance(0.6) ? 'serial' : 'hub';
  const sliceMs = draws.board.pick([0.25, 0.5, 1, 2]);
  const inFlightFrames = draws.board.pick([2, 6, 40, 400]);
  const latencyMs = draws.board.pick([0.1, 1, 4]);
  const bytesPerMs = draws.board.pick([100, 1000, 8000]);
  const calm = seed % 16 === 15;
  const frameFaults = calm ? [] : drawAmbushes(FRAME_FAULTS, 14, seed, draws.faults, PATIENCE.frames);
  // Seeds with world faults, counted from 0: three of four have them.
  const turn = seed - Math.floor(seed / 4) - 1;
  const worldFaults =
    calm || seed % 4 === 0 ? [] : drawAmbushes(WORLD_FAULTS, 7, turn, draws.faults, PATIENCE.events);
  const scenario = {
    seed,
    variant: seed % VARIANTS,
    line,
    latencyMs,
    bytesPerMs,
    frameBytes: FRAME_BYTES_BEFORE_HELLO,
    inFlightFrames,
    sliceMs,
    frameNoise: !calm && seed % 8 >= 6 ? 0.01 : 0,
    frameFaults,
    worldFaults,
    sequenceWraps: seed % 50 === 49,
    noncesComeAgain: seed % 8 === 5,
  } as const;
  return { scenario, draws };
}

/** Largest number of opportunities that an ambush lets pass. There are few while a board boots. */
const PATIENCE = { frames: { boot: 1, other: 20 }, events: { boot: 5, other: 60 } } as const;

/**
 * The ambushes of the seed with number `turn`: seeds take the pairs of fault and state in turn, so that each
 * comes equally often.
 */
function drawAmbushes<F extends FaultName>(
  faults: readonly F[],
  count: number,
  turn: number,
  random: Random,
  patienceMax: { readonly boot: number; readonly other: number },
): Ambush<F>[] {
  return Array.from({ length: count }, (_, i) => {
    const pair = (turn * count + i) % (faults.length * STATES.length);
    const state = STATES[pair % STATES.length];
    const patience = random.whole(0, state === 'boot' ? patienceMax.boot : patienceMax.other);
    return { fault: faults[Math.floor(pair / STATES.length)], state, patience };
  });
}
