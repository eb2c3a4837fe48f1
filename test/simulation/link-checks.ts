import { CHANNEL, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import type { CommandSender } from '../../firmware-protocol/link/command-sender.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import { LaneLedger } from './lane-ledger.js';
import type { Direction, TestRig } from './test-rig.js';
import type { Truth } from './truth.js';

/**
 * Longest delay of a repeated frame after its due time: a turn of the host, or a slice of the board.
 */
const LATE_MS = 12;

interface LaneWatch {
  readonly ledger: LaneLedger;
  readonly written: FrameDecoder;
  arrived: FrameDecoder;
  withoutRoom: number;
}

/**
 * Checks the promises of the link. A frame that arrives in order is taken. A missing frame is sent again at
 * its due time, and nothing else changes this time. Therefore only the line can delay a command. This class
 * counts the time in which the line delayed nothing.
 */
export class LinkChecks {
  readonly #rig: TestRig;
  readonly #truth: Truth;
  readonly #host: () => Link | undefined;
  readonly #lanes: Readonly<Record<Direction, LaneWatch>> = { toBoard: newLane(), toHost: newLane() };
  /** Senders that have sent nothing since their session was resumed. */
  readonly #resumed = new Set<CommandSender>();
  #lookedAtMs = 0;
  #freeMs = 0;

  /** `host`: the present host's link. */
  constructor(rig: TestRig, truth: Truth, host: () => Link | undefined) {
    this.#rig = rig;
    this.#truth = truth;
    this.#host = host;
  }

  /** Called when a link begins a session, or ends its last one. */
  begins(link: Link, session: number | undefined): void {
    const [out, into] = this.#isBoard(link)
      ? (['toHost', 'toBoard'] as const)
      : (['toBoard', 'toHost'] as const);
    this.#lanes[out].ledger.senderBegins();
    this.#lanes[into].ledger.receiverBegins(session);
  }

  /** Takes account of command frames that passed in each direction without the witness (`preRoll`). */
  skip(frames: number): void {
    for (const { ledger } of Object.values(this.#lanes)) ledger.skip(frames);
  }

  /** Bytes were written to the line. Returns the whole frames that they complete, except those of HELLO. */
  written(direction: Direction, bytes: Uint8Array): Frame[] {
    this.count();
    const { ledger, written } = this.#lanes[direction];
    const frames = written.push(bytes).flatMap((item) => (item.kind === 'frame' ? [item.frame] : []));
    for (const frame of frames) ledger.sent(frame, this.#truth.nowMs);
    return frames.filter(({ channel }) => channel !== CHANNEL.open);
  }

  /** Called when the receiving end begins to listen again. */
  reattached(direction: Direction): void {
    this.#lanes[direction].arrived = new FrameDecoder(65536);
  }

  arrives(direction: Direction, bytes: Uint8Array, link: Link | undefined): void {
    this.count();
    const lane = this.#lanes[direction];
    lane.withoutRoom = link?.counters.framesWithoutRoom ?? 0;
    for (const item of lane.arrived.push(bytes)) if (item.kind === 'frame') lane.ledger.arrives(item.frame);
  }

  took(link: Link, seq: number): void {
    this.#lanes[this.#isBoard(link) ? 'toBoard' : 'toHost'].ledger.took(seq);
  }

  /** Called when the receiver has handled the bytes that arrived. */
  handled(direction: Direction, link: Link | undefined): void {
    const { ledger, withoutRoom } = this.#lanes[direction];
    const missed = ledger.passedOver();
    if (missed === undefined || !link?.sessionOpen || link.counters.framesWithoutRoom !== withoutRoom) return;
    this.#truth.broken(`command frame ${missed} came ${direction} in order and was not taken`);
  }

  /** Called when all unacknowledged frames will be sent again. */
  resumed(sender: CommandSender): void {
    this.#resumed.add(sender);
  }

  /** Called when the sender was asked for its next frame. */
  polled(sender: CommandSender, dueBeforeMs: number | undefined, sendings: number | undefined): void {
    const again = sendings !== undefined && sendings > 1;
    if (this.#resumed.delete(sender) && dueBeforeMs !== undefined && !again)
      this.#truth.broken('a session was resumed, and its unacknowledged frames are not sent again');
    const dueMs = sender.nextTimeoutMs;
    if (dueBeforeMs === undefined || dueMs === undefined || dueMs === dueBeforeMs) return;
    if (!again)
      this.#truth.broken(
        `a frame due at ${dueBeforeMs} ms is due at ${dueMs} ms now, and was not sent again`,
      );
  }

  /**
   * The total time, since the simulation began, without a disturbance and without a missing frame on either
   * side.
   */
  get freeMs(): number {
    this.count();
    return this.#freeMs;
  }

  /** Counts the time up to now. It is called before each change. */
  count(): void {
    const { nowMs, quietFromMs } = this.#truth;
    const { toBoard, toHost } = this.#lanes;
    const hostHolds = (this.#host()?.unacknowledged ?? 0) > 0;
    const boardHolds = (this.#rig.device?.link.unacknowledged ?? 0) > 0;
    const missesSinceMs = Math.min(
      toBoard.ledger.missesSinceMs(hostHolds, boardHolds),
      toHost.ledger.missesSinceMs(boardHolds, hostHolds),
    );
    this.#freeMs += Math.max(0, Math.min(nowMs, missesSinceMs) - Math.max(this.#lookedAtMs, quietFromMs));
    this.#lookedAtMs = nowMs;
  }

  /** Called after every event. */
  check(host: Link | undefined): void {
    this.count();
    this.#checkDue('board', this.#rig.device?.link, this.#rig.boardWrites);
    this.#checkDue('host', host, this.#rig.hostWrites);
  }

  #checkDue(whose: string, link: Link | undefined, writes: boolean): void {
    const lateMs = this.#truth.nowMs - (link?.nextTimeoutMs ?? Number.POSITIVE_INFINITY);
    if (!writes || lateMs <= LATE_MS) return;
    this.#truth.broken(`the ${whose} is ${lateMs} ms late to send a frame again`);
  }

  #isBoard(link: Link): boolean {
    return link === this.#rig.device?.link;
  }
}

function newLane(): LaneWatch {
  return {
    ledger: new LaneLedger(),
    written: new FrameDecoder(65536),
    arrived: new FrameDecoder(65536),
    withoutRoom: 0,
  };
}
