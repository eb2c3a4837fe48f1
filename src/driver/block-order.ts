import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { BLOCK_FLAG } from '../../firmware-protocol/messages/acquisition.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { ThermolinkError } from '../errors.js';
import type { LossPolicy, RunOutcome, RunReport, SampleBlock, SampleRange } from './device-api.js';

/** A range of blocks that were sent and have not arrived. */
export interface MissingBlocks {
  readonly firstBlock: number;
  readonly count: number;
}

/**
 * Puts the blocks of one run in order and finds what is missing (protocol.md, "Blocks"). The block number
 * shows what was lost on the way. The sample index shows what the board skipped. With `reRequest` a block is
 * held back until all earlier blocks have arrived. The credit bounds the number of held blocks.
 */
export class BlockOrder {
  /**
   * The samples that will not arrive, in order. The blocks show lost samples earlier than the report of the
   * run does.
   */
  readonly lost: SampleRange[] = [];
  #sent = 0;
  readonly #cells: number;
  #waits: boolean;
  /** Number of the block that is delivered next. */
  #next = 0;
  readonly #ahead = new Map<number, SampleBlock>();
  /** Sample and cell of the next code. */
  #sample = 0;
  #cell = 0;

  constructor(cells: number, policy: LossPolicy) {
    this.#cells = cells;
    this.#waits = policy === 'reRequest';
  }

  /** The number of blocks that the board is known to have sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Blocks below this number have arrived or are lost. They are not requested again. */
  get settled(): number {
    return this.#next;
  }

  /** The first range of blocks that were sent, have not arrived, and may still arrive. */
  get missing(): MissingBlocks | undefined {
    if (!this.#waits || this.#next >= this.#sent) return undefined;
    let end = this.#next;
    while (end < this.#sent && !this.#ahead.has(end)) end++;
    return { firstBlock: this.#next, count: end - this.#next };
  }

  /**
   * Takes a block and returns the blocks that can be delivered now, in order. It returns no block for a
   * duplicate.
   */
  take(block: SampleBlock, number: number): SampleBlock[] {
    this.#sent = Math.max(this.#sent, number + 1);
    if (number < this.#next || this.#ahead.has(number)) return [];
    this.#ahead.set(number, block);
    if (!this.#waits) this.#next = number;
    const deliverable: SampleBlock[] = [];
    for (let due = this.#ahead.get(this.#next); due; due = this.#ahead.get(this.#next)) {
      this.#ahead.delete(this.#next++);
      this.#place(due);
      deliverable.push(due);
    }
    return deliverable;
  }

  /**
   * Records that the board has sent the blocks below this number. Without `reRequest`, missing blocks are
   * lost.
   */
  takeSent(blocks: number): void {
    this.#sent = Math.max(this.#sent, blocks);
    if (!this.#waits) this.#next = Math.max(this.#next, blocks);
  }

  /** Declares missing blocks lost, and returns the blocks that were held back. */
  giveUp(): SampleBlock[] {
    this.#waits = false;
    const held = [...this.#ahead].sort(([a], [b]) => a - b);
    this.#ahead.clear();
    const blocks = held.flatMap(([number, block]) => this.take(block, number));
    this.takeSent(this.#sent);
    return blocks;
  }

  /** Drops the blocks that were held back, because the run was cut short. */
  drop(): void {
    this.#ahead.clear();
    this.#waits = false;
    this.takeSent(this.#sent);
  }

  /** Records the total number of samples of the run. Samples that did not arrive are lost. */
  end(samples: number): void {
    if (this.#sample < samples) this.#lose(samples);
  }

  /** Counts the samples of a block. Those between the last code and this block are lost. */
  #place({ firstSample, sampleCount, firstCell, cellCount }: SampleBlock): void {
    // If a part of a sample is missing, the whole sample is lost.
    if (firstSample !== this.#sample || firstCell !== this.#cell)
      this.#lose(firstCell === 0 ? firstSample : firstSample + 1);
    this.#sample = firstSample + sampleCount - 1;
    this.#cell = firstCell + cellCount;
    if (this.#cell !== this.#cells) return;
    this.#sample++;
    this.#cell = 0;
  }

  #lose(to: number): void {
    const last = this.lost.at(-1);
    if (last && last.to >= this.#sample)
      this.lost[this.lost.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else if (to > this.#sample) this.lost.push({ from: this.#sample, to });
  }
}

const OUTCOME_NAMES = Object.keys(RUN_OUTCOME) as RunOutcome[];

export function contradiction(portName: string, { codes, ...block }: Event<'sampleBlock'>): ThermolinkError {
  return new ThermolinkError(
    'NOT_A_BOARD',
    `The board on ${portName} sent a sample block that contradicts its run.`,
    {
      hint: 'Its firmware does not follow the protocol; see docs/reference/protocol.md.',
      data: { ...block, codeBytes: codes.length },
    },
  );
}

/** Makes a block with its codes as numbers. Undefined when its sizes contradict each other. */
export function sampleBlock(event: Event<'sampleBlock'>): SampleBlock | undefined {
  const { runId, firstSample, sampleCount, firstCell, cellCount, tick, flags, codes } = event;
  if (codes.length !== 2 * sampleCount * cellCount) return undefined;
  // The copy is aligned; bulk data may start at any byte of the payload (protocol.md, "Payloads").
  const aligned = codes.slice();
  return {
    runId,
    firstSample,
    sampleCount,
    firstCell,
    cellCount,
    tick,
    overload: (flags & BLOCK_FLAG.overload) !== 0,
    clipped: (flags & BLOCK_FLAG.clip) !== 0,
    codes: new Int16Array(aligned.buffer, 0, sampleCount * cellCount),
  };
}

function indices(bytes: Uint8Array): number[] {
  return Array.from(
    { length: Math.floor(bytes.length / 2) },
    (_, i) => bytes[2 * i] + 256 * bytes[2 * i + 1],
  );
}

export function runReport(event: Event<'runEnded'>): RunReport {
  return {
    runId: event.runId,
    outcome: OUTCOME_NAMES[event.outcome],
    ticksDone: event.ticksDone,
    samplesTaken: event.samplesTaken,
    samplesLost: event.samplesLost,
    overloadedCells: indices(event.overloadedCells),
    overloadedCellCount: event.overloadedCellCount,
    overloadedRows: indices(event.overloadedRows),
    overloadedRowCount: event.overloadedRowCount,
  };
}
