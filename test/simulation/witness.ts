import type { Dispatcher } from '../../emulator/firmware/dispatcher.js';
import type { RunEngine } from '../../emulator/firmware/run-engine.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { COMMAND_QUEUE_MAX, UNSEQUENCED_QUEUE_MAX } from '../../firmware-protocol/limits.js';
import type { CommandSender } from '../../firmware-protocol/link/command-sender.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import type { CommandName, Event } from '../../firmware-protocol/messages/index.js';
import type { Connection } from '../../src/driver/connection.js';
import type { RunKeeper } from '../../src/driver/run-keeper.js';
import { BoardChecks } from './board-checks.js';
import { DriverChecks } from './driver-checks.js';
import type { AskedCall, Witness } from './hooks.js';
import { HostChecks } from './host-checks.js';
import { LinkChecks } from './link-checks.js';
import type { Random } from './random.js';
import { SampleChecks } from './sample-checks.js';
import type { Direction, RigObserver, TestRig } from './test-rig.js';
import { Truth } from './truth.js';

/** The number of unacknowledged command frames on which both sides have agreed. */
const WINDOW = 32;
/**
 * The last requests, one of which is chosen to be repeated: few enough that the board keeps their answers.
 */
const REPEATED_MAX = 20;

/**
 * Sees what host and board do and what the line does to their bytes, and passes it to the checkers of the
 * protocol's promises. The checkers share one truth.
 */
export class ProtocolWitness implements Witness, RigObserver {
  readonly truth: Truth;
  readonly host: HostChecks;
  readonly board: BoardChecks;
  readonly samples: SampleChecks;
  readonly link: LinkChecks;
  readonly driver: DriverChecks;
  readonly #rig: TestRig;

  constructor(rig: TestRig) {
    this.#rig = rig;
    this.truth = new Truth(rig);
    this.samples = new SampleChecks(this.truth);
    this.link = new LinkChecks(rig, this.truth, () => this.host.connection?.link);
    this.driver = new DriverChecks(this.truth);
    this.host = new HostChecks(rig, this.truth, () => this.link.freeMs);
    this.board = new BoardChecks(rig, this.truth, ({ nonce }, runId, cells) =>
      this.samples.begin(nonce, runId, cells),
    );
  }

  /** A request of the present session that the board has executed. */
  executedBefore(random: Random): Uint8Array | undefined {
    const { hostSession, payloads } = this.truth;
    const executed = this.truth.session(hostSession)?.executed;
    if (!executed || executed.size === 0) return undefined;
    return payloads.get(`${hostSession} ${random.pick([...executed].slice(-REPEATED_MAX))}`);
  }

  hostAsks(connection: Connection, name: CommandName, fields: unknown): AskedCall {
    return this.host.hostAsks(connection, name, fields);
  }

  hostStops(): () => void {
    return this.host.hostStops();
  }

  linkOpened(link: Link, nonce: Uint8Array): void {
    this.link.begins(link, nonce[0]);
    if (link !== this.#rig.device?.link) this.host.sessionOpened(link, nonce);
  }

  /** Called when the host's process has ended. */
  hostGone(): void {
    this.host.connection = undefined;
    this.driver.hostGone();
  }

  linkClosed(link: Link): void {
    this.link.begins(link, undefined);
  }

  linkTook(link: Link, seq: number): void {
    this.link.took(link, seq);
  }

  senderResumed(sender: CommandSender): void {
    this.link.resumed(sender);
  }

  senderPolled(sender: CommandSender, dueBeforeMs: number | undefined, sendings: number | undefined): void {
    this.link.polled(sender, dueBeforeMs, sendings);
  }

  linkSends(link: Link, parts: readonly Uint8Array[]): void {
    if (!this.host.sent(link, parts)) this.board.said(parts[0]);
  }

  boardHears(dispatcher: Dispatcher, payload: Uint8Array, handle: () => void): void {
    this.board.hears(dispatcher, payload, handle);
  }

  boardDid(effect: string): void {
    this.board.did(effect);
  }

  boardDisconnected(): void {
    this.board.disconnected();
  }

  blockSent(run: RunEngine, block: Event<'sampleBlock'>): void {
    this.samples.blockSent(run, block);
  }

  credited(run: RunEngine, blocks: number): void {
    this.samples.credited(run, blocks);
  }

  runKnown(keeper: RunKeeper, runId: number, watchdogMs: number): void {
    this.driver.runKnown(keeper, watchdogMs);
    this.samples.runKnown(runId);
  }

  runReported(report: Event<'runEnded'>): void {
    this.samples.runReported(report);
  }

  toBoard(bytes: Uint8Array): void {
    this.board.arrives(bytes);
    this.link.arrives('toBoard', bytes, this.#rig.device?.link);
  }

  boardHandled(): void {
    this.link.handled('toBoard', this.#rig.device?.link);
  }

  toHost(bytes: Uint8Array): void {
    this.samples.arrives(bytes);
    this.link.arrives('toHost', bytes, this.host.connection?.link);
  }

  hostHandled(): void {
    this.samples.handled();
    this.link.handled('toHost', this.host.connection?.link);
  }

  boardPowered(): void {
    this.board.powered();
  }

  attached(direction: Direction): void {
    this.link.reattached(direction);
  }

  disturbed(what: string, forMs: number): void {
    this.link.count();
    this.truth.disturbed(what, forMs);
  }

  written(direction: Direction, bytes: Uint8Array): void {
    const frames = this.link.written(direction, bytes);
    if (direction === 'toHost') return;
    if (frames.length > 0) this.driver.fed();
    for (const { channel, payload } of frames)
      if (channel === CHANNEL.command && payload.length > 0) this.host.onLine(payload);
  }

  /** Called after every event. */
  check(): void {
    this.board.check();
    const { device } = this.#rig;
    if (device) this.#checkQueues('board', device.link);
    const { connection } = this.host;
    if (connection) this.#checkQueues('host', connection.link);
    this.link.check(connection?.attached ? connection.link : undefined);
    this.driver.check(connection);
  }

  #checkQueues(whose: string, link: Link): void {
    if (link.unacknowledged > COMMAND_QUEUE_MAX + WINDOW || link.freePlaces < 0)
      this.truth.broken(`${link.unacknowledged} commands wait in the ${whose}'s link`);
    if (link.unsequencedQueued > UNSEQUENCED_QUEUE_MAX)
      this.truth.broken(`${link.unsequencedQueued} sample frames wait in the ${whose}'s link`);
  }
}
