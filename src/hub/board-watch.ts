import { type DeviceStateName, RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import type { Direction } from '../../firmware-protocol/message-table.js';
import type { Answer } from '../../firmware-protocol/messages/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { LinkDecoder } from '../traces/link-decoder.js';
import { stateAfter } from '../traces/look/session-ledger.js';
import { TappedPort } from '../traces/tapped-port.js';
import type { TraceMessage } from '../traces/trace-message.js';
import type { LinkCounters } from './api.js';

/** Listeners for the messages that pass. Fields are valid only during the call. */
export interface WatchListener {
  message(message: TraceMessage): void;
}

/**
 * Listens at a board's port and keeps the state of the board, its identity and counters of the messages. It
 * needs memory for a few frames.
 */
export class BoardWatch {
  readonly #decoder = new LinkDecoder();
  readonly #listener: WatchListener;
  readonly #bytes: Record<Direction, number> = { toDevice: 0, toHost: 0 };
  /** The last identity of the board. */
  board: Answer<'hello'> | undefined;
  /** The state of the board, according to its messages. */
  state: DeviceStateName | undefined;
  #sessions = 0;
  #stops = 0;
  #refusals = 0;
  #runs = 0;
  #samplesLost = 0;
  #overloads = 0;
  #watchdogTrips = 0;
  #faults = 0;

  constructor(listener: WatchListener) {
    this.#listener = listener;
  }

  /** The last acknowledgement of the host in the open session. */
  get acknowledgedByHost(): number {
    return this.#decoder.acknowledged.toDevice;
  }

  /** A port that passes all bytes on while this class listens. */
  tap(port: Port): Port {
    return new TappedPort(port, {
      wrote: (bytes) => this.#push('toDevice', bytes),
      received: (bytes) => this.#push('toHost', bytes),
      closed: () => {
        this.state = undefined;
      },
    });
  }

  /** Counters since the start. `leases` is not known here. */
  get counters(): Omit<LinkCounters, 'leases'> {
    const { framesReceived, framesFaulty, retransmissions, sampleFramesLost } = this.#decoder.findings;
    return {
      bytesToBoard: this.#bytes.toDevice,
      bytesToHost: this.#bytes.toHost,
      frames: framesReceived,
      framesFaulty,
      retransmissions,
      sampleFramesLost,
      samplesLost: this.#samplesLost,
      sessions: this.#sessions,
      runs: this.#runs,
      overloads: this.#overloads,
      watchdogTrips: this.#watchdogTrips,
      stops: this.#stops,
      refusals: this.#refusals,
      faults: this.#faults,
    };
  }

  #push(direction: Direction, bytes: Uint8Array): void {
    this.#bytes[direction] += bytes.length;
    const chunk = { direction, connection: 1, hostTimeNs: 0n, bytes };
    this.#decoder.push(chunk, (message) => this.#take(message), { copy: false });
  }

  #take(message: TraceMessage): void {
    const { kind, name, fields, session } = message;
    this.#sessions = Math.max(this.#sessions, session);
    if (kind === 'command') {
      if (name === 'stop') this.#stops++;
    } else if (name === 'hello') this.board = fields as unknown as Answer<'hello'>;
    else if (name === 'refusal') this.#refusals++;
    else if (name === 'start') this.#runs++;
    else if (name === 'runEnded') {
      this.#samplesLost += Number(fields['samplesLost']);
      if (fields['outcome'] === RUN_OUTCOME.overload) this.#overloads++;
      if (fields['outcome'] === RUN_OUTCOME.watchdog) this.#watchdogTrips++;
    }
    if (kind !== 'command') {
      const state = stateAfter(message) ?? this.state;
      if (state === 'fault' && this.state !== 'fault') this.#faults++;
      this.state = state;
    }
    this.#listener.message(message);
  }
}
