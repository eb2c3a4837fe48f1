import type { Direction } from '../../../firmware-protocol/message-table.js';
import { MESSAGES } from '../../../firmware-protocol/messages/index.js';
import { ThermolinkError } from '../../errors.js';
import { counted } from '../../number-text.js';
import type { LinkChunk, TraceMessage } from '../trace-message.js';
import type { LedgerRun } from './run-ledger.js';
import { SessionLedger, secondsBetween } from './session-ledger.js';

/** From `from` to `to`, both included. A missing end means no bound. */
export interface Range {
  readonly from?: number;
  readonly to?: number;
}

/** The conditions on messages. A missing condition accepts all messages. */
export interface MessageFilter {
  /** Names in the message tables, and `bad`. */
  readonly names?: readonly string[];
  readonly direction?: Direction;
  /** Range of indices in the recording. */
  readonly messages?: Range;
  /** Seconds from the first byte. */
  readonly seconds?: Range;
  /** Number of a board run in the recording, counted from 1. */
  readonly run?: number;
}

/** A message and its place in the recording. */
export interface PlacedMessage {
  readonly message: TraceMessage;
  /** Time since the first byte. */
  readonly seconds: number;
  /** The board run of the message; undefined if it belongs to no run. */
  readonly run: LedgerRun | undefined;
}

const NAMES: readonly string[] = [...MESSAGES.map(({ name }) => name), 'bad'];

/** Throws BAD_ARGUMENT for an unknown name of a message. */
export function checkMessageNames(names: readonly string[]): void {
  for (const name of names)
    if (!NAMES.includes(name))
      throw new ThermolinkError('BAD_ARGUMENT', `There is no message ${JSON.stringify(name)}.`, {
        hint: `Messages are ${NAMES.join(', ')}.`,
        data: { name },
      });
}

/**
 * The messages that pass the filter, with their places. Errors: BAD_ARGUMENT, also at the end for a run that
 * the recording does not have; those of `chunks`.
 */
export function* placedMessages(
  chunks: Iterable<LinkChunk>,
  filter: MessageFilter = {},
): Generator<PlacedMessage> {
  const stream = new MessageStream(filter);
  for (const chunk of chunks) yield* stream.push(chunk);
  checkRun(filter.run, stream.ledger.runs.length);
}

/** Throws BAD_ARGUMENT for the number of a run that a recording of `runs` runs does not have. */
export function checkRun(run: number | undefined, runs: number): void {
  if (run === undefined || run <= runs) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `There is no run ${run}: the recording has ${runs === 0 ? 'no run' : counted(runs, 'run')}.`,
    { hint: 'Runs are counted from 1; `thermolink trace info` lists them.', data: { run, runs } },
  );
}

/** Like `placedMessages`, for chunks that arrive one by one. Errors: BAD_ARGUMENT from the constructor. */
export class MessageStream {
  readonly ledger = new SessionLedger();
  readonly #passes: (placed: PlacedMessage) => boolean;

  constructor(filter: MessageFilter = {}) {
    checkMessageNames(filter.names ?? []);
    this.#passes = passing(filter);
  }

  /** Returns the messages that these bytes complete and that pass the filter. */
  push(chunk: LinkChunk): PlacedMessage[] {
    const found: PlacedMessage[] = [];
    this.ledger.push(chunk, (message, run) => {
      const seconds = secondsBetween(this.ledger.firstNs, message.hostTimeNs);
      const placed = { message, seconds, run };
      if (this.#passes(placed)) found.push(placed);
    });
    return found;
  }
}

function passing(filter: MessageFilter): (placed: PlacedMessage) => boolean {
  const names = filter.names && new Set(filter.names);
  const { direction, messages, seconds, run } = filter;
  return (placed) =>
    (!names || names.has(placed.message.name)) &&
    (!direction || placed.message.direction === direction) &&
    isInside(placed.message.index, messages) &&
    isInside(placed.seconds, seconds) &&
    (run === undefined || placed.run?.run === run);
}

function isInside(value: number, range: Range | undefined): boolean {
  return value >= (range?.from ?? -Infinity) && value <= (range?.to ?? Infinity);
}
