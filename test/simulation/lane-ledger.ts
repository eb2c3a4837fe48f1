import { CHANNEL, type Frame } from '../../firmware-protocol/framing.js';

/**
 * Longest time that a frame without a fault takes on the slowest line. It contains the wait while chunks are
 * joined, and one turn.
 */
const PASSAGE_MS = 15;
const BEFORE_FIRST = 0xffff;

/** Whether `a` comes after `b`. Numbers are modulo 2¹⁶. */
function isNewer(a: number, b: number): boolean {
  const ahead = (a - b) & 0xffff;
  return ahead > 0 && ahead < 0x8000;
}

/**
 * One direction of a session. It knows the sent frames, the frames that the receiver has taken, and since
 * when a frame is missing because of the line.
 */
export class LaneLedger {
  /** First byte of the nonce of the receiver's session; undefined without a session. */
  session: number | undefined;
  /** The times of the first sending of command frames, by number. Frames that arrived are removed. */
  readonly #sentAtMs = new Map<number, number>();
  #taken = BEFORE_FIRST;
  #ackSent = BEFORE_FIRST;
  #ackSentAtMs = 0;
  #ackCame = BEFORE_FIRST;
  /** The number that the receiver must have taken when it has handled the bytes that arrive now. */
  #due = BEFORE_FIRST;

  /** The sender begins a session. */
  senderBegins(): void {
    this.#sentAtMs.clear();
    this.#ackSent = BEFORE_FIRST;
  }

  receiverBegins(session: number | undefined): void {
    this.session = session;
    this.#taken = BEFORE_FIRST;
    this.#ackCame = BEFORE_FIRST;
    this.#due = BEFORE_FIRST;
  }

  /**
   * Takes account of command frames that were sent, taken and acknowledged without the witness (`preRoll`).
   */
  skip(frames: number): void {
    this.#taken = (frames - 1) & 0xffff;
    this.#ackSent = this.#taken;
    this.#ackCame = this.#taken;
    this.#due = this.#taken;
  }

  /** Called when the sender has written a frame to the line. */
  sent({ channel, seq, ack, payload }: Frame, nowMs: number): void {
    if (channel === CHANNEL.open) return;
    if (isNewer(ack, this.#ackSent)) {
      this.#ackSent = ack;
      this.#ackSentAtMs = nowMs;
    }
    if (channel !== CHANNEL.command || payload.length === 0) return;
    if (isNewer(seq, this.#taken) && !this.#sentAtMs.has(seq)) this.#sentAtMs.set(seq, nowMs);
  }

  /** A good frame has arrived, and the receiver will look at it next. */
  arrives({ channel, session, seq, ack, payload }: Frame): void {
    if (channel === CHANNEL.open || session !== this.session) return;
    if (isNewer(ack, this.#ackCame)) this.#ackCame = ack;
    if (channel === CHANNEL.command && payload.length > 0 && seq === ((this.#due + 1) & 0xffff))
      this.#due = seq;
  }

  /** Called when the receiver has delivered the message of this frame. */
  took(seq: number): void {
    this.#taken = seq;
    this.#sentAtMs.delete(seq);
  }

  /**
   * The receiver has handled all bytes that arrived. Returns the number of the frame that it should have
   * taken and has not taken, or undefined.
   */
  passedOver(): number | undefined {
    const due = this.#due;
    this.#due = this.#taken;
    return isNewer(due, this.#taken) ? due : undefined;
  }

  /**
   * The time since which the receiver misses a sent frame. It is infinite if no frame is missing, or if no
   * side needs the missing frame. `senderHolds` says whether the sender still has frames to send again,
   * `receiverHolds` whether the receiver waits for acknowledgements.
   */
  missesSinceMs(senderHolds: boolean, receiverHolds: boolean): number {
    const sentAtMs = senderHolds ? this.#sentAtMs.get((this.#taken + 1) & 0xffff) : undefined;
    const ackAtMs = receiverHolds && isNewer(this.#ackSent, this.#ackCame) ? this.#ackSentAtMs : undefined;
    return Math.min(sentAtMs ?? Number.POSITIVE_INFINITY, ackAtMs ?? Number.POSITIVE_INFINITY) + PASSAGE_MS;
  }
}
