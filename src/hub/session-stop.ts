import { equalBytes } from '../../firmware-protocol/bytes.js';
import type { Clock } from '../../firmware-protocol/clock.js';
import { encodeCommand } from '../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame } from '../../firmware-protocol/framing.js';
import { U32_MAX } from '../../firmware-protocol/limits.js';
import type { Answer, Command } from '../../firmware-protocol/messages/index.js';
import type { TraceMessage } from '../traces/trace-message.js';

/** A stop is repeated until it is answered (protocol.md, "Stop"). */
const REPEAT_MS = 50;
const GIVE_UP_MS = 2000;

/** Sends frames to the board, and gives the last acknowledgement of its client. */
export interface StopPath {
  readonly inject: (frame: Uint8Array) => Promise<void>;
  readonly acknowledgedByHost: () => number;
}

/**
 * Stops the run of a client within the client's own session, which stays open. The client learns that its run
 * was stopped, and does not repeat the run. This class follows the passing messages to know the session and
 * its numbers.
 */
export class SessionStop {
  readonly #path: StopPath;
  readonly #clock: Clock;
  #nonce: Uint8Array | undefined;
  #session = 0;
  #lastRequestId = 0;
  /** The highest number of a stop that passed. */
  #lastNumber = 0;
  /** The highest number of a stop of this server, and whether such a stop is unanswered. */
  #ownNumber = 0;
  #sendingOwn = 0;
  readonly #waits = new Set<(number: number) => void>();

  constructor(path: StopPath, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Takes the messages that pass, in their order. */
  note({ direction, kind, name, fields, session, requestId }: TraceMessage): void {
    if (session !== this.#session || (name === 'hello' && kind === 'answer'))
      this.#noteSession(fields, session);
    if (direction === 'toHost') {
      if (name === 'stop') for (const tell of this.#waits) tell(Number(fields['stopNumber']));
      return;
    }
    this.#lastRequestId = Math.max(this.#lastRequestId, requestId);
    if (name === 'stop') this.#noteStop(fields as unknown as Command<'stop'>);
  }

  /** Stops the run. Resolves with whether the board has answered, after GIVE_UP_MS at the latest. */
  async stop(): Promise<boolean> {
    // The client has used the highest number, so the server cannot stop its session.
    if (this.#nonce === undefined || this.#lastNumber >= U32_MAX) return false;
    this.#ownNumber = this.#lastNumber + 1;
    const number = this.#ownNumber;
    const untilMs = this.#clock.nowMs() + GIVE_UP_MS;
    // A write of the client that does not end delays the stop. The deadline still holds.
    let isSending = false;
    while (this.#clock.nowMs() < untilMs && this.#ownNumber === number) {
      const answered = this.#answer(number);
      if (!isSending) {
        isSending = true;
        void this.#send(number).then(() => {
          isSending = false;
        });
      }
      if (await answered) return true;
    }
    return this.#ownNumber !== number;
  }

  #noteSession(fields: TraceMessage['fields'], session: number): void {
    const { nonce } = fields as unknown as Answer<'hello'>;
    if (session === this.#session || !(nonce instanceof Uint8Array)) return;
    this.#session = session;
    this.#nonce = nonce.slice();
    this.#lastRequestId = 0;
    this.#lastNumber = 0;
    this.#ownNumber = 0;
  }

  /**
   * A board ignores a stop whose number is not above the last one. The client does not know of the stops of
   * this server, so a stop of the client that would be ignored is followed by a stop of the server.
   */
  #noteStop({ nonce, stopNumber }: Command<'stop'>): void {
    if (this.#nonce === undefined || !equalBytes(nonce, this.#nonce)) return;
    const isOwn = this.#sendingOwn > 0 && stopNumber === this.#ownNumber;
    if (isOwn) this.#sendingOwn--;
    this.#lastNumber = Math.max(this.#lastNumber, stopNumber);
    if (isOwn || stopNumber > this.#ownNumber || this.#lastNumber >= U32_MAX) return;
    this.#ownNumber = this.#lastNumber + 1;
    void this.#send(this.#ownNumber);
  }

  async #send(number: number): Promise<void> {
    const nonce = this.#nonce!;
    this.#sendingOwn++;
    const payload = encodeCommand('stop', 0, {
      nonce,
      stopNumber: number,
      lastRequestId: this.#lastRequestId,
    });
    const frame = encodeFrame({
      channel: CHANNEL.stop,
      session: nonce[0],
      flags: 0,
      seq: 0,
      // This is the client's own acknowledgement. Another one could acknowledge messages that the client has
      // not received.
      ack: this.#path.acknowledgedByHost(),
      payload,
    });
    await this.#path.inject(Uint8Array.of(0, ...frame)).catch(() => undefined);
  }

  /** Whether a stop of this number or a later one is answered before the next repetition. */
  #answer(number: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isAnswered: boolean): void => {
        cancel();
        this.#waits.delete(tell);
        resolve(isAnswered);
      };
      const tell = (answered: number): void => {
        if (answered >= number) settle(true);
      };
      const cancel = this.#clock.schedule(REPEAT_MS, () => settle(false));
      this.#waits.add(tell);
    });
  }
}
