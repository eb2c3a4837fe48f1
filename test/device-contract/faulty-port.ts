import { decodeToHost } from '../../firmware-protocol/codec.js';
import { DEVICE_STATE, type DeviceStateName, RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { FrameDecoder } from '../../firmware-protocol/framing.js';
import type { Port } from '../../firmware-protocol/port.js';
import { SYSTEM_CLOCK } from '../../src/driver/system-clock.js';
import type { FaultPlan } from '../simulation/fault-plan.js';
import type { FaultName } from '../simulation/faults.js';
import { Lane } from '../simulation/lane.js';
import { LinePort } from '../simulation/line-port.js';
import type { VirtualTime } from '../simulation/virtual-time.js';

/** Longest stall of the line: far below the time after which a link gives up. */
const STALL_MS_MAX = 400;
const LATENCY_MS = 0.2;
const BYTES_PER_MS = 8000;

/** The clock of the two directions of the line. In front of a device it is real time, not virtual time. */
const REAL_TIME = SYSTEM_CLOCK as unknown as VirtualTime;

const STATE_NAMES = new Map<number, DeviceStateName>(
  Object.entries(DEVICE_STATE).map(([name, code]) => [code, name as DeviceStateName]),
);

/**
 * A byte proxy in front of a device. It applies faults to frames in both directions. The simulator's plan
 * chooses the faults by the state of the board, which is derived from the messages of the board.
 */
export class FaultyPort {
  readonly port: Port;
  readonly hits = new Map<FaultName, number>();
  readonly #plan: FaultPlan;
  readonly #toDevice: Lane;
  readonly #toHost: Lane;
  readonly #reader = new FrameDecoder(65536);
  #state: DeviceStateName = 'safe';
  #rest: Uint8Array = new Uint8Array(0);
  #writing: Promise<unknown> = Promise.resolve();

  constructor(device: Port, plan: FaultPlan) {
    this.#plan = plan;
    const port = new LinePort(`faulty:${device.name}`, 65536, {
      frameBytesMax: device.frameBytesMax,
      send: (bytes) => this.#toDevice.send(bytes),
      schedule: (ms, callback) => void SYSTEM_CLOCK.schedule(ms, callback),
      closed: () => void this.#writing.then(() => device.close()),
    });
    this.port = port;
    this.#toDevice = this.#lane((bytes) => {
      this.#writing = this.#writing.then(() => device.write(bytes)).catch(() => undefined);
    });
    this.#toHost = this.#lane((bytes) => !port.closed && port.deliver(bytes));
    device.onData((bytes) => this.#takeChunk(bytes));
    device.onClose((reason) => !port.closed && port.end(reason));
  }

  #lane(deliver: (bytes: Uint8Array) => void): Lane {
    const { random } = this.#plan;
    return new Lane(REAL_TIME, {
      latencyMs: LATENCY_MS,
      bytesPerMs: BYTES_PER_MS,
      random,
      fault: (bytes) => {
        this.#happen();
        // A bare delimiter is not a frame.
        const fault = bytes.length > 1 ? this.#plan.frameFault(this.#state) : undefined;
        if (fault) this.#hit(fault);
        return fault;
      },
      deliver,
    });
  }

  #happen(): void {
    // A stall is the only fault of the environment that can happen to a line alone.
    if (this.#plan.worldFault(this.#state) !== 'stall') return;
    this.#hit('stall');
    const ms = this.#plan.random.ms(20, STALL_MS_MAX);
    for (const lane of [this.#toDevice, this.#toHost]) lane.stall(ms);
  }

  #hit(fault: FaultName): void {
    this.hits.set(fault, (this.hits.get(fault) ?? 0) + 1);
  }

  /** Collects whole frames, because a port may cut the bytes anywhere and faults happen to frames. */
  #takeChunk(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(0, from); end >= 0; end = bytes.indexOf(0, from)) {
      const frame = new Uint8Array(bytes.subarray(from, end + 1));
      from = end + 1;
      this.#watch(frame);
      this.#toHost.send(frame);
    }
    this.#rest = new Uint8Array(bytes.subarray(from));
  }

  #watch(bytes: Uint8Array): void {
    for (const item of this.#reader.push(bytes)) {
      if (item.kind !== 'frame' || item.frame.payload.length === 0) continue;
      const message = decodeToHost(item.frame.payload);
      if (message.kind === 'bad') continue;
      if (message.name === 'hello') this.#state = 'idle';
      else if (message.name === 'commit' && this.#state !== 'running') this.#state = 'configured';
      else if (message.name === 'start') this.#state = 'running';
      else if (message.name === 'runEnded')
        this.#state = message.fields.outcome === RUN_OUTCOME.overload ? 'halted' : 'done';
      else if (message.name === 'stop' || message.name === 'acknowledge' || message.name === 'readStatus')
        this.#state = STATE_NAMES.get(message.fields.state) ?? this.#state;
    }
  }
}
