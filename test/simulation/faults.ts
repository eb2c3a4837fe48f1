import { DEVICE_STATE, type DeviceStateName } from '../../firmware-protocol/device-status.js';
import { Random } from './random.js';

/** What can happen to one frame on its way. */
export const FRAME_FAULTS = [
  'drop',
  'flip',
  'duplicate',
  'reorder',
  'truncate',
  'fragment',
  'delay',
] as const;
/** What can happen to the line, the board and the host. */
export const WORLD_FAULTS = ['stall', 'disconnect', 'repath', 'reset', 'kill'] as const;

export type FrameFaultName = (typeof FRAME_FAULTS)[number];
export type WorldFaultName = (typeof WORLD_FAULTS)[number];
export type FaultName = FrameFaultName | WorldFaultName;
export const FAULTS: readonly FaultName[] = [...FRAME_FAULTS, ...WORLD_FAULTS];

export const STATES = Object.keys(DEVICE_STATE) as DeviceStateName[];

/** How often each fault hit in each state of the board. */
export class Coverage {
  readonly #hits = new Map<string, number>();

  hit(fault: FaultName, state: DeviceStateName): void {
    const key = `${fault} ${state}`;
    this.#hits.set(key, (this.#hits.get(key) ?? 0) + 1);
  }

  hits(fault: FaultName, state: DeviceStateName): number {
    return this.#hits.get(`${fault} ${state}`) ?? 0;
  }

  /** The cells with fewer hits than `least`. */
  missing(least: number): string[] {
    return FAULTS.flatMap((fault) =>
      STATES.filter((state) => this.hits(fault, state) < least).map(
        (state) => `${fault} in ${state}: ${this.hits(fault, state)}`,
      ),
    );
  }
}

/** A fault that waits for the board to be in a state, and then lets some opportunities pass. */
interface Ambush<F extends FaultName> {
  readonly fault: F;
  readonly state: DeviceStateName;
  patience: number;
}

const FRAME_AMBUSHES = 14;
const WORLD_AMBUSHES = 7;
/** In some seeds every frame is in danger, with this probability for each fault. */
const NOISE = 0.01;

/**
 * The faults of one seed. Each ambush waits for its state; seeds take the pairs of fault and state in turn, so that each
 * comes equally often. Every fourth seed has frame faults alone: there no call may fail for the line's sake. Every
 * sixteenth has none at all.
 */
export class FaultPlan {
  readonly random: Random;
  readonly #frames: Ambush<FrameFaultName>[] = [];
  readonly #world: Ambush<WorldFaultName>[] = [];
  readonly #noise: number;

  constructor(seed: number, enabled: boolean) {
    this.random = new Random(seed, 1);
    const calm = !enabled || seed % 16 === 15;
    this.#noise = !calm && seed % 8 >= 6 ? NOISE : 0;
    if (calm) return;
    for (let i = 0; i < FRAME_AMBUSHES; i++) {
      const pair = (seed * FRAME_AMBUSHES + i) % (FRAME_FAULTS.length * STATES.length);
      this.#frames.push({ ...this.#pair(FRAME_FAULTS, pair), patience: this.#patience(pair) });
    }
    if (seed % 4 === 0) return;
    const turn = seed - Math.floor(seed / 4) - 1;
    for (let i = 0; i < WORLD_AMBUSHES; i++) {
      const pair = (turn * WORLD_AMBUSHES + i) % (WORLD_FAULTS.length * STATES.length);
      this.#world.push({ ...this.#pair(WORLD_FAULTS, pair), patience: this.#events(pair) });
    }
  }

  /** What happens to the next frame. */
  frameFault(state: DeviceStateName): FrameFaultName | undefined {
    if (this.#noise > 0 && this.random.chance(this.#noise * FRAME_FAULTS.length))
      return this.random.pick(FRAME_FAULTS);
    return spring(this.#frames, state);
  }

  /** What happens now; asked after every event. */
  worldFault(state: DeviceStateName): WorldFaultName | undefined {
    return this.#world.length > 0 ? spring(this.#world, state) : undefined;
  }

  #pair<F>(faults: readonly F[], pair: number): { fault: F; state: DeviceStateName } {
    return { fault: faults[Math.floor(pair / STATES.length)], state: STATES[pair % STATES.length] };
  }

  /** Little happens while a board boots. */
  #events(pair: number): number {
    return this.random.whole(0, STATES[pair % STATES.length] === 'boot' ? 5 : 60);
  }

  /** Few frames pass while a board boots. */
  #patience(pair: number): number {
    return STATES[pair % STATES.length] === 'boot' ? this.random.whole(0, 1) : this.random.whole(0, 20);
  }
}

function spring<F extends FaultName>(ambushes: Ambush<F>[], state: DeviceStateName): F | undefined {
  const at = ambushes.findIndex((ambush) => ambush.state === state);
  if (at < 0 || ambushes[at].patience-- > 0) return undefined;
  return ambushes.splice(at, 1)[0].fault;
}
