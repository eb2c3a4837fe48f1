import type { Port } from '../../firmware-protocol/port.js';
import { Device } from '../../src/driver/device.js';
import type { DeviceEvent, ReconnectOptions } from '../../src/driver/reconnect.js';
import { ThermolinkError } from '../../src/errors.js';
import { unwitnessed } from './hooks.js';
import { preRoll } from './pre-roll.js';
import type { Random } from './random.js';
import type { TestRig } from './test-rig.js';
import { MortalClock } from './virtual-time.js';
import type { ProtocolWitness } from './witness.js';

const REOPEN_MS = 60;
/** A disturbance shows within this time: eight timeouts of 250 ms to 2 s, and the search for the board. */
const SHOWN_MS = 16_000;

/**
 * One life of the host's process: its clock, its device, and what it knows of the board. After a kill nothing
 * of it moves any more, and another life begins.
 */
export class Host {
  readonly clock: MortalClock;
  readonly rig: TestRig;
  readonly witness: ProtocolWitness;
  readonly random: Random;
  #device: Device | undefined;
  #openedAtMs = 0;
  /** The names of the programs that this process has loaded into the banks. Every failure clears the list. */
  readonly loaded: (string | undefined)[] = [];
  readonly #nonce: (before: Uint8Array | undefined) => Uint8Array;
  /** The nonce of the last session of this process. */
  #lastNonce: Uint8Array | undefined;
  /** Whether the driver finds a lost board again. Otherwise this host opens another device. */
  readonly #reconnects: boolean;
  readonly #reconnect: ReconnectOptions = {
    openPort: async () => {
      const port = await this.rig.openPort(this.clock);
      this.witness.samples.portOpened();
      return port;
    },
  };

  readonly #preRollFrames: number;
  #preRolled = false;

  /** `preRollFrames`: the number of command frames that pass in the first session before it is used. */
  constructor(
    rig: TestRig,
    witness: ProtocolWitness,
    random: Random,
    options: {
      readonly nonce: (before: Uint8Array | undefined) => Uint8Array;
      readonly preRollFrames: number;
    },
  ) {
    this.#preRollFrames = options.preRollFrames;
    this.#reconnects = random.chance(0.6);
    this.clock = new MortalClock(rig.time);
    this.rig = rig;
    this.witness = witness;
    this.random = random;
    this.#nonce = options.nonce;
  }

  /** The open device. If there is no device, opens one and tries until it succeeds. */
  async device(): Promise<Device> {
    while (!this.#device) {
      this.#openedAtMs = this.clock.nowMs();
      try {
        const port: Port = await this.rig.openPort(this.clock);
        this.witness.samples.portOpened();
        const onEvent = (event: DeviceEvent): void => {
          this.witness.driver.says(event);
          this.witness.host.driverSays(event);
        };
        this.#lastNonce = this.#nonce(this.#lastNonce);
        const options = { clock: this.clock, nonce: this.#lastNonce, onEvent };
        this.#device = await Device.open(
          port,
          this.#reconnects ? { ...options, reconnect: this.#reconnect } : options,
        );
        this.#preRoll();
      } catch (error) {
        this.explain(error);
        await this.clock.sleep(REOPEN_MS);
      }
    }
    return this.#device;
  }

  #preRoll(): void {
    const { connection } = this.witness.host;
    const { device } = this.rig;
    if (this.#preRollFrames === 0 || this.#preRolled || !connection || !device) return;
    this.#preRolled = true;
    unwitnessed(() => preRoll(connection.link, device, this.#preRollFrames, this.clock.nowMs()));
    this.witness.link.skip(this.#preRollFrames);
  }

  /** The session can't be used any more. The next call of `device` opens another one. */
  async leave(): Promise<void> {
    const device = this.#device;
    this.#device = undefined;
    this.#lastNonce = Buffer.from(this.witness.truth.hostSession, 'hex');
    this.loaded.length = 0;
    await device?.close();
  }

  /** Reports a violation if no disturbance since the start of the session explains the error. */
  explain(error: unknown): void {
    const { truth } = this.witness;
    if (!(error instanceof ThermolinkError)) truth.broken(`an error without a name: ${String(error)}`);
    // A recent disturbance may cause any error. The effects of an older one have shown already.
    else if (
      !truth.disturbedSince(Math.max(this.#openedAtMs, truth.nowMs - SHOWN_MS)) &&
      !this.#isExplained(error)
    )
      truth.broken(`${error.code} without a cause: ${error.message}`);
  }

  #isExplained({ code }: ThermolinkError): boolean {
    const { truth } = this.witness;
    // A late HELLO that arrives after a reset, in which the board forgot its nonce, opens a session of its
    // own.
    if (truth.session(truth.hostSession)?.endedAtMs !== undefined) return true;
    // The checkers have already decided whether the line alone caused this error.
    if (code === 'TIMEOUT') return truth.lastTimeoutMs >= this.#openedAtMs;
    return code === 'RUN_ENDED' && truth.lastTripMs >= this.#openedAtMs;
  }
}
