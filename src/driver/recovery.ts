import { deviceStateName } from '../../firmware-protocol/device-status.js';
import { faultyFrames } from '../../firmware-protocol/link/counters.js';
import { ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { CallOptions } from './device-api.js';
import type { DeviceEvent } from './reconnect.js';
import type { Stopper } from './stopper.js';

/**
 * The line counts as noisy if both ends received at least this number of damaged frames since the last
 * recovery.
 */
const DAMAGE_MIN = 3;

/** Makes a board ready again after a call was lost (`BoardDevice.recover`), and counts how often. */
export class Recovery {
  /** Called at each recovery. */
  tell: (event: DeviceEvent) => void = () => undefined;
  readonly #connection: Connection;
  readonly #stopper: Stopper;
  #count = 0;
  /** Number of damaged frames that both ends together had counted at the last recovery. */
  #framesDamaged = 0;
  /** Number of stops that a caller asked for, and number of these stops that are released. */
  #stopsAsked = 0;
  #stopsSettled = 0;

  constructor(connection: Connection, stopper: Stopper) {
    this.#connection = connection;
    this.#stopper = stopper;
  }

  /** Records a stop that a caller asked for. This class never acknowledges such a stop. */
  noteStop(): void {
    this.#stopsAsked++;
  }

  /**
   * Call this before an acknowledgement of a stop, and before every command that a stopped board refuses.
   * Call the returned function when the board has carried the command out. The stops so far then count as
   * released.
   */
  settling(): () => void {
    const asked = this.#stopsAsked;
    return () => {
      this.#stopsSettled = Math.max(this.#stopsSettled, asked);
    };
  }

  async recover(cause: ThermolinkError, options: CallOptions = {}): Promise<void> {
    await this.#connection.found(options.signal);
    this.tell({ kind: 'repeating', reason: cause, count: ++this.#count });
    if (await this.#seesDamage(options)) {
      this.#connection.shortenFrames();
      await this.#connection.found(options.signal);
    }
    let state = deviceStateName((await this.#connection.request('readStatus', {}, options)).state);
    if (state === 'fault')
      throw new ThermolinkError('DEVICE_FAULT', 'The board has latched a fault.', {
        cause,
        hint: 'Read its status, remove the cause and acknowledge the fault.',
      });
    if (this.#stopsSettled < this.#stopsAsked)
      throw new ThermolinkError('DEVICE_REFUSED', 'The board was stopped, so lost work is not done again.', {
        cause,
        hint: 'Acknowledge the stop, then go on.',
      });
    // This run has no reader: its start was not answered in time, or its reader has ended.
    if (state === 'running') {
      await this.#stopper.stop(options);
      state = 'safe';
    }
    if (state === 'safe' || state === 'halted') await this.#connection.request('acknowledge', {}, options);
  }

  /** Whether both ends together received a few damaged frames since the last recovery. */
  async #seesDamage(options: CallOptions): Promise<boolean> {
    const { framesFaulty } = await this.#connection.request('readCounters', {}, options);
    const before = this.#framesDamaged;
    this.#framesDamaged = framesFaulty + faultyFrames(this.#connection.link.counters);
    return this.#framesDamaged - before >= DAMAGE_MIN;
  }
}
