import type { Clock } from '../../../firmware-protocol/clock.js';
import type { Direction } from '../../../firmware-protocol/message-table.js';
import type { Port } from '../../../firmware-protocol/port.js';
import { SYSTEM_CLOCK } from '../../driver/system-clock.js';
import { TappedPort } from '../tapped-port.js';
import type { LinkChunk } from '../trace-message.js';

/** Listens at the host side of ports, one after another, and reports the bytes. */
export class PortListener {
  readonly #onBytes: (chunk: LinkChunk) => void;
  readonly #clock: Clock;
  readonly #startNs: bigint;
  readonly #clockStartMs: number;
  #connections = 0;

  /** Times are times of day. With a clock of the caller they begin at 0. */
  constructor(onBytes: (chunk: LinkChunk) => void, clock: Clock | undefined) {
    this.#onBytes = onBytes;
    this.#clock = clock ?? SYSTEM_CLOCK;
    this.#clockStartMs = this.#clock.nowMs();
    this.#startNs = clock ? 0n : BigInt(Date.now()) * 1_000_000n;
  }

  /** A port that passes everything to `port`; this listener hears it. */
  tap(port: Port): Port {
    const connection = ++this.#connections;
    const hear = (direction: Direction) => (bytes: Uint8Array) => {
      const passedNs = BigInt(Math.round((this.#clock.nowMs() - this.#clockStartMs) * 1e6));
      if (bytes.length > 0)
        this.#onBytes({
          hostTimeNs: this.#startNs + passedNs,
          direction,
          connection,
          side: 'host',
          port: port.name,
          bytes,
        });
    };
    return new TappedPort(port, {
      wrote: hear('toDevice'),
      received: hear('toHost'),
      closed: () => undefined,
    });
  }
}
