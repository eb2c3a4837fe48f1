import type { RunEngine } from '../../emulator/firmware/run-engine.js';
import { decodeToHost } from '../../firmware-protocol/codec.js';
import { CHANNEL, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import { commandRow, type Event, eventRow, MESSAGES } from '../../firmware-protocol/messages/index.js';
import { CREDIT_BLOCKS } from '../../src/driver/run-stream.js';
import { peek } from './peek.js';
import { SampleLedger } from './sample-ledger.js';
import type { Truth } from './truth.js';

const START_OPCODE = commandRow('start').opcode;
const RUN_ENDED_OPCODE = eventRow('runEnded').opcode;
const SAMPLE_OPCODES: ReadonlySet<number> = new Set(
  MESSAGES.filter(({ channel }) => channel === 'sample').map(({ opcode }) => opcode),
);

/** Counts the samples of every run from the board to the host, and checks that credit is kept. */
export class SampleChecks {
  readonly #truth: Truth;
  readonly #taken = new Map<string, number>();
  readonly #ledgers = new Map<string, SampleLedger>();
  readonly #credits = new WeakMap<RunEngine, number>();
  #decoder = new FrameDecoder(65536);
  /** Frames of the chunk that the host is about to handle. */
  readonly #arriving: Frame[] = [];

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  begin(session: string, runId: number, cells: number): void {
    this.#ledgers.set(`${session} ${runId}`, new SampleLedger(cells));
  }

  /** The number of samples that the board had taken when it sent the newest block of this run. */
  samplesTaken(session: string, runId: number): number | undefined {
    return this.#taken.get(`${session} ${runId}`);
  }

  ledger(session: string, runId: number): SampleLedger | undefined {
    return this.#ledgers.get(`${session} ${runId}`);
  }

  blockSent(run: RunEngine, block: Event<'sampleBlock'>): void {
    const session = this.#truth.sessions.at(-1);
    if (!session) return;
    this.ledger(session.nonce, block.runId)?.sent(block);
    this.#taken.set(`${session.nonce} ${block.runId}`, run.samplesTaken);
    const credit = this.#credits.get(run) ?? CREDIT_BLOCKS;
    if (block.block >= credit) this.#truth.broken(`block ${block.block} was sent with a credit of ${credit}`);
  }

  credited(run: RunEngine, blocks: number): void {
    this.#credits.set(run, Math.max(this.#credits.get(run) ?? CREDIT_BLOCKS, blocks));
  }

  arrives(bytes: Uint8Array): void {
    for (const item of this.#decoder.push(bytes)) if (item.kind === 'frame') this.#arriving.push(item.frame);
  }

  /** Called when the host has handled the bytes that arrived. */
  handled(): void {
    for (const frame of this.#arriving.splice(0)) this.#arrived(frame);
  }

  runKnown(runId: number): void {
    this.#handledUpTo(START_OPCODE);
    const ledger = this.ledger(this.#truth.hostSession, runId);
    if (ledger) ledger.known = true;
  }

  runReported({ runId, blocksSent }: Event<'runEnded'>): void {
    this.#handledUpTo(RUN_ENDED_OPCODE);
    this.ledger(this.#truth.hostSession, runId)?.told(blocksSent);
  }

  /** Bytes that are before a message in the same chunk arrived before it. */
  #handledUpTo(opcode: number): void {
    const at = this.#arriving.findIndex(({ payload }) => peek(payload).opcode === opcode);
    for (const frame of this.#arriving.splice(0, at + 1)) this.#arrived(frame);
  }

  #arrived({ payload, session, channel }: Frame): void {
    if (session !== Number.parseInt(this.#truth.hostSession.slice(0, 2), 16)) return;
    const { opcode = -1 } = peek(payload);
    if (channel === CHANNEL.open || !SAMPLE_OPCODES.has(opcode)) return;
    const message = decodeToHost(payload);
    if (message.kind !== 'event') return;
    if (message.name === 'sampleBlock')
      this.ledger(this.#truth.hostSession, message.fields.runId)?.arrived(message.fields);
    else if (message.name === 'blocksSent')
      this.ledger(this.#truth.hostSession, message.fields.runId)?.told(message.fields.blocks);
  }

  /** A new port is opened: half a frame from the port before is dropped. */
  portOpened(): void {
    this.#decoder = new FrameDecoder(65536);
  }
}
