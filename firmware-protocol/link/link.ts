/**
 * The link: one state machine, used by both ends. It takes bytes and the time. It gives messages, and frames
 * to write. It does no input or output and has no clock.
 *
 * Messages of the command channel arrive in order and once within a session, by go-back-N with cumulative
 * acknowledgement (protocol.md, "Commands: delivered in order, once"). The link sends a message of any other
 * channel once. It counts lost frames of the sample channel. The caller repeats a stop or HELLO until it is
 * answered.
 */
import {
  CHANNEL,
  type Channel,
  type DecodedItem,
  FLAG_NAK,
  type Frame,
  FrameDecoder,
  type FrameHeader,
  sealFrame,
  wireBytesMax,
} from '../framing.js';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES } from '../limits.js';
import { CommandSender, LIMITS_BEFORE_HELLO, type LinkLimits, wrapSequence } from './command-sender.js';
import { type LinkCounters, linkCounters } from './counters.js';
import { FrameLog } from './frame-log.js';
import { FramePool } from './frame-pool.js';
import { type OnceFrame, OnceSender } from './once-sender.js';

/** One result of received bytes: a message, or a fault. */
export type LinkEvent =
  | { readonly kind: 'message'; readonly channel: Channel; readonly payload: Uint8Array }
  | Extract<DecodedItem, { kind: 'fault' }>;

/**
 * One end of a link: the caller brings bytes and the time, and writes what `poll` returns. Errors: a call
 * against its contract (`send` without a free place, or with a payload that is too long) throws an Error that
 * begins with "bug". Nothing else throws.
 */
export class Link {
  /** Counts of the frames and faults of this end, since it was made. */
  readonly counters: LinkCounters = linkCounters();
  /** The last frames of both directions. */
  readonly frames = new FrameLog();
  /**
   * Called with every good frame that is received or sent, also with frames of other sessions. Its bytes are
   * valid during the call.
   */
  onFrame: ((direction: 'sent' | 'received', header: FrameHeader, payload: Uint8Array) => void) | undefined;
  readonly #decoder: FrameDecoder;
  readonly #answersEverything: boolean;
  #session: number | undefined;
  #held = false;
  #limits: LinkLimits = LIMITS_BEFORE_HELLO;

  readonly #pool = new FramePool();
  readonly #commands = new CommandSender(LIMITS_BEFORE_HELLO, this.counters, this.#pool);
  #expectedSeq = 0;
  #ackOwed = false;
  #nakOwed = false;
  /** A nak was sent for the present gap and is not repeated (protocol.md, "Acknowledgements"). */
  #nakSent = false;

  /**
   * The buffer of the bytes that `poll` returns. All frames share it: the caller writes a frame before it
   * calls `poll` again.
   */
  readonly #wire = new Uint8Array(1 + wireBytesMax(FRAME_BYTES_MAX));
  readonly #once = new OnceSender(this.#pool);
  #lastHeardMs: number | undefined;
  #sampleSeqIn = 0;

  /**
   * With `answersEverything` a command is taken only if its answer can be queued. Otherwise its frame is
   * dropped without an acknowledgement, and the host sends it again (protocol.md, "At most once"). Only the
   * device sets it. If both ends did so, two full queues would wait for each other.
   */
  constructor(frameBytesMax: number, options: { readonly answersEverything: boolean }) {
    this.#answersEverything = options.answersEverything;
    this.#decoder = new FrameDecoder(frameBytesMax);
  }

  /** Opens a session. The link forgets the earlier session, including its queue. */
  openSession(nonce: Uint8Array, limits: LinkLimits): void {
    this.#begin(nonce[0], limits);
  }

  /** Continues the session: sends every unacknowledged frame again (protocol.md, "Resuming a session"). */
  resumeSession(): void {
    this.#held = false;
    this.#commands.resume();
  }

  /** Sends nothing but HELLO and stop until the session is resumed or a new one is opened. */
  hold(): void {
    this.#held = true;
  }

  /** Forgets a frame that was cut off, because the next bytes come over a new port. */
  restartReceiver(): void {
    this.#decoder.reset();
  }

  /**
   * Ends the session, because the other side has gone. Until a new session is opened, only messages of the
   * channels `open` and `stop` are sent.
   */
  closeSession(): void {
    this.#begin(undefined, LIMITS_BEFORE_HELLO);
  }

  #begin(session: number | undefined, limits: LinkLimits): void {
    this.#session = session;
    this.#held = false;
    this.#limits = limits;
    this.#commands.begin(limits);
    this.#once.begin();
    this.#expectedSeq = 0;
    this.#ackOwed = false;
    this.#nakOwed = false;
    this.#nakSent = false;
    this.#lastHeardMs = undefined;
    this.#sampleSeqIn = 0;
  }

  /** The first bytes of a frame that is not complete yet. */
  get pendingHead(): Uint8Array {
    return this.#decoder.pendingHead;
  }

  /** Whether a session is open. */
  get sessionOpen(): boolean {
    return this.#session !== undefined;
  }

  /** Longest payload that one frame to the other side can carry. */
  get payloadBytesMax(): number {
    return this.#limits.frameBytes - FRAME_OVERHEAD_BYTES;
  }

  /** The estimated time from sending to acknowledgement, in ms; undefined before the first measurement. */
  get roundTripMs(): number | undefined {
    return this.#commands.roundTripMs;
  }

  /** Whether another command message can be queued. */
  get canSend(): boolean {
    return this.freePlaces > 0;
  }

  /** How many command messages can be queued now. */
  get freePlaces(): number {
    return this.#commands.freePlaces;
  }

  /** Whether a frame came that is not acknowledged yet. */
  get owesAcknowledgement(): boolean {
    return this.#ackOwed || this.#nakOwed;
  }

  /** How many command messages wait, or were sent and are not acknowledged yet. */
  get unacknowledged(): number {
    return this.#commands.unacknowledged;
  }

  /**
   * How many command messages of this session were sent at least once. Messages are sent in the order in
   * which they were queued.
   */
  get commandsSent(): number {
    return this.#commands.sentCount;
  }

  /** Whether another message of the sample channel can be queued. A stop and a HELLO always can. */
  get canSendUnsequenced(): boolean {
    return this.#once.canSendSample;
  }

  /** Whether the link has failed: no command is sent until the other side shows that it is alive. */
  get failed(): boolean {
    return this.#commands.failed;
  }

  /** How many messages of the sample channel wait for the port. */
  get unsequencedQueued(): number {
    return this.#once.samplesQueued;
  }

  /**
   * Queues a copy of a message of the command channel, given in parts. Check `canSend` first. Returns its
   * number in the session, counted from 1.
   */
  send(...parts: readonly Uint8Array[]): number {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length > this.payloadBytesMax)
      throw new Error(`bug: payload of ${length} bytes, the frame takes ${this.payloadBytesMax}`);
    return this.#commands.send(parts);
  }

  /**
   * Queues a copy of a message of another channel, given in parts. Check `canSendUnsequenced` first for the
   * sample channel. A stop or open message goes before all other messages, and replaces an older message of
   * its kind that still waits (protocol.md, "Opening a session").
   */
  sendUnsequenced(channel: Exclude<Channel, typeof CHANNEL.command>, ...parts: readonly Uint8Array[]): void {
    this.#once.send(channel, parts);
  }

  /**
   * Takes bytes from the port. It hands each message to `deliver` before it looks at the next frame, for two
   * reasons. First, a HELLO decides to which session the frames after it belong (protocol.md, "Frames").
   * Second, the answer to a message takes room in the queue, and the next command is taken only if there is
   * room. A payload is valid only during the call.
   */
  receive(bytes: Uint8Array, nowMs: number, deliver: (event: LinkEvent) => void): void {
    this.counters.bytesReceived += bytes.length;
    this.#decoder.decode(bytes, (item) => {
      if (item.kind === 'fault') {
        this.counters.faults[item.fault]++;
        deliver(item);
        return;
      }
      const { frame } = item;
      this.onFrame?.('received', frame, frame.payload);
      if (frame.channel !== CHANNEL.open && frame.session !== this.#session) {
        this.counters.framesForeign++;
        return;
      }
      this.counters.framesReceived++;
      if (frame.channel !== CHANNEL.open) {
        this.#lastHeardMs = nowMs;
        // The other side is alive, so a failed link tries again (protocol.md, "Retransmission").
        if (this.#commands.failed) this.#commands.resume();
      }
      this.frames.add('received', frame, frame.payload.length, nowMs);
      if (this.#accept(frame, nowMs))
        deliver({ kind: 'message', channel: frame.channel, payload: frame.payload });
    });
  }

  /** The time at which the last good frame of the session came, in ms, or undefined. */
  get lastHeardMs(): number | undefined {
    return this.#lastHeardMs;
  }

  /**
   * Takes the acknowledgement and the number in the header. Returns whether the frame carries a message to
   * deliver.
   */
  #accept(frame: Frame, nowMs: number): boolean {
    if (frame.channel === CHANNEL.open) return frame.payload.length > 0;
    this.#commands.takeAck(frame.ack, (frame.flags & FLAG_NAK) !== 0, nowMs);
    if (frame.payload.length === 0) return false;
    if (frame.channel === CHANNEL.stop) return true;
    if (frame.channel === CHANNEL.sample) {
      const skipped = wrapSequence(frame.seq - this.#sampleSeqIn);
      // A frame with an earlier number was sent twice or arrived late, so nothing is lost. Its block number
      // identifies it.
      if (skipped < 0x8000) {
        this.counters.sampleFramesLost += skipped;
        this.#sampleSeqIn = wrapSequence(frame.seq + 1);
      }
      return true;
    }
    // Go-back-N takes only the expected frame (protocol.md, "Acknowledgements").
    if (frame.seq === this.#expectedSeq) {
      if (this.#answersEverything && !this.canSend) {
        this.counters.framesWithoutRoom++;
        return false;
      }
      this.#expectedSeq = wrapSequence(this.#expectedSeq + 1);
      this.#ackOwed = true;
      this.#nakSent = false;
      return true;
    }
    if (wrapSequence(this.#expectedSeq - frame.seq) <= 0x8000) {
      this.counters.framesDuplicate++;
      this.#ackOwed = true;
    } else {
      this.counters.framesOutOfOrder++;
      if (!this.#nakSent) this.#nakOwed = true;
    }
    return false;
  }

  /**
   * Returns the next bytes to write, or undefined when there is nothing to send now. They are valid
   * until the next call. The order is stop, open, commands, samples, a bare acknowledgement
   * (protocol.md, "Order of sending").
   */
  poll(nowMs: number): Uint8Array | undefined {
    const frame = this.#once.nextUrgent() ?? this.#nextOfSession(nowMs);
    if (!frame) return undefined;
    const { channel, seq, raw, behindDelimiter } = frame;
    const flags = this.#nakOwed && channel !== CHANNEL.open ? FLAG_NAK : 0;
    if (channel !== CHANNEL.open) {
      if (flags) {
        this.counters.naksSent++;
        this.#nakSent = true;
      }
      this.#nakOwed = false;
      this.#ackOwed = false;
    }
    const ack = channel === CHANNEL.open ? 0 : wrapSequence(this.#expectedSeq - 1);
    const header = { channel, session: this.#session ?? 0, flags, seq, ack };
    const start = behindDelimiter ? 1 : 0;
    const wire = this.#pool.wire ?? this.#wire;
    wire[0] = 0;
    const bytes = wire.subarray(0, start + sealFrame(raw, header, wire.subarray(start)).length);
    const payloadBytes = raw.length - FRAME_OVERHEAD_BYTES;
    this.frames.add('sent', header, payloadBytes, nowMs);
    this.onFrame?.('sent', header, raw.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + payloadBytes));
    this.counters.framesSent++;
    this.counters.bytesSent += bytes.length;
    return bytes;
  }

  #nextOfSession(nowMs: number): OnceFrame | undefined {
    if (this.#session === undefined || this.#held) return undefined;
    const command = this.#commands.next(nowMs);
    if (command)
      return {
        channel: CHANNEL.command,
        seq: command.seq,
        raw: command.raw,
        // A frame that is sent again follows a delimiter (protocol.md, "Delimiters").
        behindDelimiter: command.sendings > 1,
      };
    const sample = this.#once.nextSample();
    if (sample) return sample;
    return this.#ackOwed || this.#nakOwed ? this.#once.bare(this.#commands.nextSeq) : undefined;
  }

  /**
   * Makes `poll` give a frame even if no message waits. The frame feeds the watchdog of the board
   * (protocol.md, "Watchdog and reset").
   */
  keepAlive(): void {
    this.#ackOwed = true;
  }

  /** The time at which `poll` must be called even if nothing arrives, or undefined. */
  get nextTimeoutMs(): number | undefined {
    return this.#held ? undefined : this.#commands.nextTimeoutMs;
  }
}
