import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { DeviceStateName } from '../../firmware-protocol/device-status.js';
import { ThermolinkError } from '../../src/errors.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import type { FaultPlan } from './fault-plan.js';
import type { Coverage } from './faults.js';
import { Lane } from './lane.js';
import { LinePort } from './line-port.js';
import type { Random } from './random.js';
import type { Scenario } from './scenario.js';
import type { Trace } from './trace.js';
import { MortalClock, type VirtualTime } from './virtual-time.js';

/**
 * Largest number of ticks of a slice. With turns of about a millisecond, runs last long enough for faults.
 */
const SLICE_TICKS = 16;

/** The observer to which the rig reports all events. */
export interface RigObserver {
  /** Whole bytes that reached the board, or the host. */
  toBoard(bytes: Uint8Array): void;
  toHost(bytes: Uint8Array): void;
  hostHandled(): void;
  boardHandled(): void;
  boardPowered(): void;
  /** A reader begins to receive bytes. */
  attached(direction: Direction): void;
  /** Called when a disturbance that may end a session has happened. */
  disturbed(what: string, forMs: number): void;
  /** Bytes were written to the line. They may be lost. */
  written(direction: Direction, bytes: Uint8Array): void;
}

export type Direction = 'toBoard' | 'toHost';

/**
 * A board with power, a line, and a place where a host can plug in. A `hub` tells each end that the other end
 * has gone, but a `serial` line does not.
 */
export class TestRig {
  readonly #scenario: Scenario;
  device: EmulatedDevice | undefined;
  observer!: RigObserver;
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly #random: Random;
  readonly #toBoard: Lane;
  readonly #toHost: Lane;
  #path = 'usb:1-1';
  #plugged = true;
  #bootEpoch = 0;
  #boardClock: MortalClock;
  #boardPort: LinePort | undefined;
  #hostPort: LinePort | undefined;
  #powerUps = 0;
  #unplugged = 0;

  constructor(
    time: VirtualTime,
    scenario: Scenario,
    random: Random,
    plan: FaultPlan,
    coverage: Coverage,
    trace: Trace,
  ) {
    this.#scenario = scenario;
    this.time = time;
    this.trace = trace;
    this.#random = random;
    this.#boardClock = new MortalClock(time, scenario.sliceMs);
    const { latencyMs, bytesPerMs } = scenario;
    const lane = (direction: Direction, deliver: (bytes: Uint8Array) => void): Lane =>
      new Lane(time, {
        latencyMs,
        bytesPerMs,
        random: plan.random,
        fault: (bytes) => {
          // A delimiter alone is not a frame.
          const fault = bytes.length > 1 ? plan.frameFault(this.state) : undefined;
          if (fault) coverage.hit(fault, this.state);
          this.observer.written(direction, bytes);
          trace.write(time.nowMs(), this.state, direction, bytes, fault);
          return fault;
        },
        deliver,
      });
    this.#toBoard = lane('toBoard', (bytes) => {
      if (!this.#boardPort || this.#boardPort.closed) return;
      this.observer.toBoard(bytes);
      this.#boardPort.deliver(bytes);
      this.observer.boardHandled();
    });
    this.#toHost = lane('toHost', (bytes) => {
      if (!this.#hostPort || this.#hostPort.closed) return;
      this.observer.toHost(bytes);
      this.#hostPort.deliver(bytes);
      this.observer.hostHandled();
    });
  }

  /** The state of the board. Without power, or before its firmware runs, the state is `boot`. */
  get state(): DeviceStateName {
    return this.device?.board.state ?? 'boot';
  }

  /** Whether the host's end of the line takes bytes now and no write waits. */
  get hostWrites(): boolean {
    return this.#hostPort?.isFree ?? false;
  }

  get boardWrites(): boolean {
    return this.#boardPort?.isFree ?? false;
  }

  get sliceMs(): number {
    return this.#scenario.sliceMs;
  }

  /** The board starts or restarts: it has no programs, session or run. */
  powerUp(): void {
    const powerUps = ++this.#powerUps;
    // An emulator that was reset by command counts its boots by itself.
    this.#bootEpoch = Math.max(this.#bootEpoch, this.device?.board.bootEpoch ?? 0) + 1;
    this.#boardClock.alive = false;
    this.#boardClock = new MortalClock(this.time, this.sliceMs);
    this.device = undefined;
    this.#boardPort = undefined;
    const clock = this.#boardClock;
    const bootMs = this.#random.ms(40, 400);
    this.observer.boardPowered();
    this.observer.disturbed('power on', bootMs);
    if (this.#scenario.line === 'hub') {
      this.#toBoard.cut();
      this.#toHost.cut();
      const port = this.#hostPort;
      this.#hostPort = undefined;
      port?.end(new Error('the board has gone from the bus'));
    } else
      for (const share of [0.2, 0.5, 0.8])
        clock.schedule(bootMs * share, () => this.#plugged && this.#toHost.send(BOOT_TEXT));
    clock.schedule(bootMs, () => {
      if (powerUps !== this.#powerUps) return;
      const die = { profile: findProfile('ideal-256')!, dieSeed: 7 };
      this.device = new EmulatedDevice(die, this.#bootEpoch);
      if (this.#scenario.line === 'serial') this.#attachBoard(clock);
      this.note(`the board has booted (epoch ${this.#bootEpoch})`);
    });
  }

  /** Opens the port at which the board is now. Only one caller at a time has it. */
  openPort(clock: MortalClock): Promise<LinePort> {
    const refuse = (why: string): Promise<never> =>
      Promise.reject(new ThermolinkError('LINK_LOST', `${this.#path}: ${why}`, { retryable: true }));
    // A hub shows a board only after it has booted.
    if (!this.#plugged || (this.#scenario.line === 'hub' && !this.device)) return refuse('nothing there');
    if (this.#hostPort && !this.#hostPort.closed) return refuse('already open');
    const { frameBytes, inFlightFrames } = this.#scenario;
    const port: LinePort = new LinePort(this.#path, inFlightFrames * frameBytes, {
      frameBytesMax: frameBytes,
      send: (bytes) => (this.#hostPort === port ? this.#toBoard.send(bytes) : 0),
      schedule: (ms, callback) => clock.schedule(ms, callback),
      closed: () => {
        if (this.#hostPort === port) this.#hangUp();
      },
    });
    this.#hostPort = port;
    this.observer.attached('toHost');
    if (this.#scenario.line === 'hub') this.#attachBoard(this.#boardClock);
    return Promise.resolve(port);
  }

  /** The host's process has ended, and its end of the line is closed. */
  hostDied(): void {
    this.observer.disturbed('host killed', 0);
    if (this.#hostPort) this.#hangUp();
  }

  /** Pulls the plug for a while; it may come back at another path. */
  unplug(ms: number, path = this.#path): void {
    this.observer.disturbed(`unplugged for ${ms} ms`, ms);
    this.#plugged = false;
    this.#toBoard.cut();
    this.#toHost.cut();
    const port = this.#hostPort;
    this.#hangUp();
    port?.end(new Error('unplugged'));
    const unplugged = ++this.#unplugged;
    this.time.schedule(ms, () => {
      if (unplugged !== this.#unplugged) return;
      this.#path = path;
      this.#plugged = true;
      this.note(`plugged in at ${path}`);
    });
  }

  stall(ms: number): void {
    this.observer.disturbed(`stalled for ${ms} ms`, ms);
    this.#toBoard.stall(ms);
    this.#toHost.stall(ms);
  }

  /** Lets the memory of the board fail once, when registers are set the next time. */
  sabotage(): void {
    const memory = this.device?.board.memory;
    if (!memory) return;
    Object.defineProperty(memory, 'setRegisters', {
      configurable: true,
      value: () => {
        Reflect.deleteProperty(memory, 'setRegisters');
        throw new Error('simulated failure of the memory');
      },
    });
  }

  note(what: string): void {
    this.trace.note(this.time.nowMs(), this.state, what);
  }

  #hangUp(): void {
    this.#hostPort = undefined;
    if (this.#scenario.line === 'serial') return;
    this.#toBoard.cut();
    this.#toHost.cut();
    this.#boardPort?.end();
    this.#boardPort = undefined;
  }

  #attachBoard(clock: MortalClock): void {
    if (!this.device) throw new Error('no board is running');
    const port: LinePort = new LinePort('board', 0, {
      frameBytesMax: this.#scenario.frameBytes,
      send: (bytes) => (this.#boardPort === port && this.#plugged ? this.#toHost.send(bytes) : 0),
      schedule: (ms, callback) => clock.schedule(ms, callback),
      closed: () => undefined,
    });
    this.#boardPort = port;
    this.observer.attached('toBoard');
    new ServedDevice(this.device, port, { clock, sliceTicksMax: SLICE_TICKS });
  }
}

const BOOT_TEXT = new TextEncoder().encode('rst:0x1 (POWERON), boot: 0x13\r\n');
