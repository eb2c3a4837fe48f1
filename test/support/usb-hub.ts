import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../../src/errors.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { PortEvents } from '../../src/transport/event-port.js';

const FRAME_BYTES_MAX = 8192;

/**
 * The board's end of the cable. It stays open when the cable is pulled, because the board does not notice
 * that.
 */
class Plug implements Port {
  readonly name: string;
  readonly frameBytesMax = FRAME_BYTES_MAX;
  readonly closed = false;
  readonly events = new PortEvents();
  cable: Cable | undefined;
  readonly #clock: Clock;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.events.onData(receiver);
  }

  onClose(): void {}

  /** Without a cable the bytes are lost, as on a real line. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) =>
      this.#clock.defer(() => {
        this.cable?.events.data(bytes);
        resolve();
      }),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The host's side: an open port under some path. It ends when the cable is pulled. */
class Cable implements Port {
  readonly name: string;
  readonly frameBytesMax = FRAME_BYTES_MAX;
  readonly events = new PortEvents();
  readonly #plug: Plug;
  readonly #clock: Clock;

  constructor(path: string, plug: Plug, clock: Clock) {
    this.name = `serial:${path}`;
    this.#plug = plug;
    this.#clock = clock;
    plug.cable = this;
  }

  get closed(): boolean {
    return this.events.closed;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.events.onData(receiver);
  }

  onClose(receiver: (reason?: Error) => void): void {
    this.events.onClose(receiver);
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#clock.defer(() => {
        if (this.closed) {
          reject(new Error(`${this.name} is gone`));
          return;
        }
        this.#plug.events.data(bytes);
        resolve();
      }),
    );
  }

  close(): Promise<void> {
    if (this.#plug.cable === this) this.#plug.cable = undefined;
    this.events.end();
    return Promise.resolve();
  }
}

/** Boards with serial numbers on a hub. Each can disappear within a frame and return under another path. */
export class UsbHub {
  readonly #clock: Clock;
  readonly #plugs = new Map<string, Plug>();
  readonly #boards = new Map<string, EmulatedDevice>();
  /** The serial number of the board at each path. */
  readonly #paths = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(serialNumber: string, profileName: string, dieSeed = 1): EmulatedDevice {
    const board = new EmulatedDevice({ profile: findProfile(profileName)!, dieSeed });
    const plug = new Plug(serialNumber, this.#clock);
    new ServedDevice(board, plug, { clock: this.#clock, sliceTicksMax: 256 });
    this.#plugs.set(serialNumber, plug);
    this.#boards.set(serialNumber, board);
    return board;
  }

  plugIn(serialNumber: string, path: string): void {
    this.#paths.set(path, serialNumber);
  }

  async pull(serialNumber: string): Promise<void> {
    for (const [path, plugged] of this.#paths) if (plugged === serialNumber) this.#paths.delete(path);
    await this.#plugs.get(serialNumber)?.cable?.close();
  }

  /** Opens the board at its present path. */
  open(serialNumber: string): Promise<Port> {
    for (const [path, plugged] of this.#paths)
      if (plugged === serialNumber)
        return Promise.resolve(new Cable(path, this.#plugs.get(serialNumber)!, this.#clock));
    return Promise.reject(new ThermolinkError('PORT_NOT_FOUND', `No board ${serialNumber} is plugged in.`));
  }
}
