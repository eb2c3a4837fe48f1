import type { DeviceStateName } from '../../firmware-protocol/device-status.js';
import {
  type Ambush,
  type FaultName,
  FRAME_FAULTS,
  type FrameFaultName,
  type WorldFaultName,
} from './faults.js';
import type { Random } from './random.js';
import type { Scenario } from './scenario.js';

/** Triggers the faults of one scenario. */
export class FaultPlan {
  readonly random: Random;
  readonly #frames: Waiting<FrameFaultName>[];
  readonly #world: Waiting<WorldFaultName>[];
  readonly #noise: number;

  constructor(scenario: Pick<Scenario, 'frameFaults' | 'worldFaults' | 'frameNoise'>, random: Random) {
    this.random = random;
    this.#frames = scenario.frameFaults.map((ambush) => ({ ...ambush }));
    this.#world = scenario.worldFaults.map((ambush) => ({ ...ambush }));
    this.#noise = scenario.frameNoise;
  }

  /** The fault of the next frame. */
  frameFault(state: DeviceStateName): FrameFaultName | undefined {
    if (this.#noise > 0 && this.random.chance(this.#noise * FRAME_FAULTS.length))
      return this.random.pick(FRAME_FAULTS);
    return spring(this.#frames, state);
  }

  /** The faults that happen now. It is called after every event. */
  worldFault(state: DeviceStateName): WorldFaultName | undefined {
    return this.#world.length > 0 ? spring(this.#world, state) : undefined;
  }
}

/** An ambush, and the number of opportunities that it still lets pass. */
type Waiting<F extends FaultName> = { -readonly [key in keyof Ambush<F>]: Ambush<F>[key] };

function spring<F extends FaultName>(ambushes: Waiting<F>[], state: DeviceStateName): F | undefined {
  const at = ambushes.findIndex((ambush) => ambush.state === state);
  if (at < 0 || ambushes[at].patience-- > 0) return undefined;
  return ambushes.splice(at, 1)[0].fault;
}
