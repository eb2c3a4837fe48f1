import { DEVICE_STATE, type DeviceStateName } from '../../firmware-protocol/device-status.js';

/** Faults of one frame on its way. */
export const FRAME_FAULTS = [
  'drop',
  'flip',
  'duplicate',
  'reorder',
  'truncate',
  'fragment',
  'delay',
] as const;
/** Faults of the line, the board and the host. */
export const WORLD_FAULTS = ['stall', 'disconnect', 'repath', 'reset', 'kill'] as const;

export type FrameFaultName = (typeof FRAME_FAULTS)[number];
export type WorldFaultName = (typeof WORLD_FAULTS)[number];
export type FaultName = FrameFaultName | WorldFaultName;
export const FAULTS: readonly FaultName[] = [...FRAME_FAULTS, ...WORLD_FAULTS];

export const STATES = Object.keys(DEVICE_STATE) as DeviceStateName[];

/** The number of hits of each fault in each state of the board. */
export class Coverage {
  readonly #hits = new Map<string, number>();

  hit(fault: FaultName, state: DeviceStateName): void {
    const key = `${fault} ${state}`;
    this.#hits.set(key, (this.#hits.get(key) ?? 0) + 1);
  }

  hits(fault: FaultName, state: DeviceStateName): number {
    return this.#hits.get(`${fault} ${state}`) ?? 0;
  }

  /** The pairs of fault and state with fewer hits than `least`, as texts. */
  missing(least: number): string[] {
    return FAULTS.flatMap((fault) =>
      STATES.filter((state) => this.hits(fault, state) < least).map(
        (state) => `${fault} in ${state}: ${this.hits(fault, state)}`,
      ),
    );
  }
}

/** A fault that waits for the board to be in a state, and then lets some opportunities pass. */
export interface Ambush<F extends FaultName> {
  readonly fault: F;
  readonly state: DeviceStateName;
  /**
   * Opportunities that it lets pass: frames in this state for a frame fault, events in it for a world fault.
   */
  readonly patience: number;
}
