import { RUN_OUTCOME, type RunOutcomeCode } from '../../firmware-protocol/device-status.js';
import { BLOCK_QUEUE_MAX, OVERLOAD_INDICES_MAX } from '../../firmware-protocol/limits.js';
import { BLOCK_FLAG } from '../../firmware-protocol/messages/acquisition.js';
import type { Command, Event } from '../../firmware-protocol/messages/index.js';
import { NO_CREDIT, ON_OVERLOAD, STATISTICS } from '../../firmware-protocol/messages/run.js';
import { codeBytes } from '../../firmware-protocol/program-digest.js';
import type { CellArray } from '../analog/cell-array.js';
import type { EffectiveProgram } from '../analog/effective-program.js';
import { RunAverages } from './run-averages.js';

/**
 * Largest number of bytes that the message of a sample block has besides its codes. It counts the longest
 * encoding of every field.
 */
const BLOCK_OVERHEAD_BYTES = 64;
/** Largest number of samples that one slice takes. It bounds the slice when no ticks lie between samples. */
const SLICE_SAMPLES_MAX = 4096;

/**
 * One board run: burn-in, samples, blocks (protocol.md, "Samples"). It advances in slices of any size. What
 * it produces depends on the program, the seeds and the credits, never on the slices.
 */
export class RunEngine {
  readonly runId: number;
  readonly bank: number;
  readonly watchdogMs: number;
  ticksDone = 0;
  samplesTaken = 0;
  samplesLost = 0;
  blocksSent = 0;
  outcome: RunOutcomeCode | undefined;

  readonly #cells: CellArray;
  readonly #program: EffectiveProgram;
  readonly #start: Command<'start'>;
  readonly #cellsPerBlock: number;
  readonly #samplesPerBlock: number;
  readonly #reading: Int16Array;
  #averages: RunAverages | undefined;
  #credit: number;
  #released = 0;
  /** Blocks that were sent and are kept, oldest first; at most `keepBlocks` (protocol.md, "Kept blocks"). */
  readonly #kept: Event<'sampleBlock'>[] = [];
  /** Kept blocks that the host has asked for. */
  readonly #again: Event<'sampleBlock'>[] = [];
  #positionOwed = false;
  readonly #full: Event<'sampleBlock'>[] = [];
  #open: { firstSample: number; tick: number; samples: number; flags: number; codes: Int16Array } | undefined;
  /** Memory of blocks that were sent. The next blocks use it. */
  readonly #spare: Int16Array[] = [];
  /** Whether ticks have passed since the overload flags were last read. */
  #ticked = false;
  #overloaded = false;
  #blocksMade = 0;
  #gap = false;

  constructor(
    runId: number,
    start: Command<'start'>,
    program: EffectiveProgram,
    cells: CellArray,
    payloadBytesMax: number,
  ) {
    this.runId = runId;
    this.bank = start.bank;
    this.watchdogMs = start.watchdogMs;
    this.#start = start;
    this.#program = program;
    this.#cells = cells;
    this.#credit = start.creditBlocks;
    this.#reading = new Int16Array(program.cells);
    const { statistics, sampleCount, batchSamples } = start;
    if (statistics !== STATISTICS.samples) {
      const ofPairs = statistics === STATISTICS.secondMoments;
      this.#averages = new RunAverages(program.cells, sampleCount / batchSamples, batchSamples, ofPairs);
    }
    const codesPerBlock = Math.floor((payloadBytesMax - BLOCK_OVERHEAD_BYTES) / 2);
    this.#cellsPerBlock = Math.min(program.cells, codesPerBlock);
    const fit = this.#cellsPerBlock < program.cells ? 1 : Math.floor(codesPerBlock / program.cells);
    const asked = start.blockSamples === 0 ? fit : start.blockSamples;
    // A block never needs room for more samples than the board run takes.
    this.#samplesPerBlock = Math.max(1, Math.min(fit, asked, start.sampleCount));
  }

  /**
   * Takes a credit: blocks below `blocks` may be sent, and kept ones below `released` are forgotten. An older
   * credit changes nothing. A credit that raises neither number comes from a host that waits for blocks. The
   * board then tells the host how many blocks were sent (protocol.md, "Credits").
   */
  grant(blocks: number, released: number): void {
    if (blocks <= this.#credit && released <= this.#released) this.#positionOwed = true;
    this.#credit = Math.max(this.#credit, blocks);
    this.#released = Math.max(this.#released, released);
    while (this.#kept.length > 0 && this.#kept[0].block < this.#released) this.#kept.shift();
  }

  /** Queues kept blocks once more. Blocks that are not kept, or are queued already, are left out. */
  resend(firstBlock: number, count: number): void {
    for (const block of this.#kept)
      if (block.block >= firstBlock && block.block < firstBlock + count && !this.#again.includes(block))
        this.#again.push(block);
  }

  /**
   * Returns whether the host waits to be told how many blocks were sent (see `grant`), and forgets that it
   * waits.
   */
  takePosition(): boolean {
    const owed = this.#positionOwed;
    this.#positionOwed = false;
    return owed;
  }

  /**
   * The sums of a run that adds up its samples. Undefined for a run that sends its samples, and after an
   * early end.
   */
  get averages(): RunAverages | undefined {
    return this.#averages;
  }

  /** Number of the tick that comes next. */
  get tick(): number {
    return this.#start.firstTick + this.ticksDone;
  }

  /**
   * Whether the run can go on: it has not ended, and the next sample has room or may be lost (protocol.md,
   * "Blocks").
   */
  get ready(): boolean {
    return this.outcome === undefined && (this.#start.onNoCredit === NO_CREDIT.lose || this.#hasRoom);
  }

  /** Whether the board run has ended and all its blocks were sent at least once or dropped. */
  get drained(): boolean {
    return this.outcome !== undefined && this.#full.length === 0;
  }

  get #partsPerSample(): number {
    return Math.floor((this.#program.cells + this.#cellsPerBlock - 1) / this.#cellsPerBlock);
  }

  get #hasRoom(): boolean {
    return this.#full.length === 0 || this.#full.length + this.#partsPerSample <= BLOCK_QUEUE_MAX;
  }

  /**
   * Passes at most `ticksMax` ticks and takes at most SLICE_SAMPLES_MAX samples. Returns how many ticks
   * passed.
   */
  advance(ticksMax: number): number {
    const { burnInTicks, sampleCount, ticksPerSample } = this.#start;
    let left = ticksMax;
    let samplesLeft = SLICE_SAMPLES_MAX;
    for (;;) {
      if (this.samplesTaken === sampleCount && (sampleCount > 0 || this.ticksDone === burnInTicks)) {
        this.end(RUN_OUTCOME.completed);
        break;
      }
      if (!this.ready) break;
      const target = burnInTicks + this.samplesTaken * ticksPerSample;
      if (this.ticksDone < target) {
        if (left === 0) break;
        const wanted = Math.min(left, target - this.ticksDone);
        const halts = this.#start.onOverload === ON_OVERLOAD.halt;
        const done = this.#cells.advance(this.#program, wanted, this.tick, this.#start.runSeed, halts);
        this.ticksDone += done;
        this.#ticked = true;
        left -= done;
        if (halts && this.#cells.overloaded) {
          this.end(RUN_OUTCOME.overload);
          break;
        }
      } else {
        // A sample is due. A board run without samples never comes here, because it is complete after its
        // burn-in.
        if (samplesLeft === 0) break;
        samplesLeft--;
        this.#takeSample();
      }
    }
    return ticksMax - left;
  }

  /**
   * Ends the board run (protocol.md, "End of a run"). After `completed` and `overload` the blocks that wait
   * are still sent. Any other outcome drops them. A board run that has already ended keeps its outcome if no
   * block is dropped. Otherwise it gets the new outcome.
   */
  end(outcome: RunOutcomeCode): void {
    if (outcome === RUN_OUTCOME.completed || outcome === RUN_OUTCOME.overload) {
      this.#closeBlock();
      this.outcome ??= outcome;
      return;
    }
    // The host gets fewer blocks than an earlier outcome has promised, so the new outcome replaces it.
    if (!this.drained) this.outcome = outcome;
    this.#open = undefined;
    this.#full.length = 0;
    this.#kept.length = 0;
    this.#again.length = 0;
    this.#averages = undefined;
  }

  /**
   * The next block to send. A block that the host asked for again comes first. A new block needs credit, and
   * room among the kept blocks.
   */
  takeBlock(): Event<'sampleBlock'> | undefined {
    const again = this.#again.shift();
    if (again) return again;
    const block = this.#full[0];
    if (!block || block.block >= this.#credit) return undefined;
    const { keepBlocks } = this.#start;
    if (keepBlocks > 0) {
      if (block.block >= this.#released + keepBlocks) return undefined;
      // A host may release blocks before they are sent. Such blocks are not kept; otherwise kept blocks would
      // grow without a bound.
      if (block.block >= this.#released) this.#kept.push(block);
    }
    this.#full.shift();
    this.blocksSent++;
    return block;
  }

  /**
   * Takes back the memory of a block from `takeBlock` whose codes were copied. Another block uses this
   * memory, unless the block is kept.
   */
  takeBack({ codes }: Event<'sampleBlock'>): void {
    const memory = new Int16Array(codes.buffer);
    const isWhole = memory.length === this.#samplesPerBlock * this.#program.cells;
    if (this.#start.keepBlocks === 0 && isWhole && this.#spare.length < BLOCK_QUEUE_MAX)
      this.#spare.push(memory);
  }

  report(): Event<'runEnded'> {
    const cells = flagged(this.#cells.cellFlags);
    const rows = flagged(this.#cells.rowFlags);
    return {
      runId: this.runId,
      outcome: this.outcome!,
      ticksDone: this.ticksDone,
      samplesTaken: this.samplesTaken,
      samplesLost: this.samplesLost,
      blocksSent: this.blocksSent,
      overloadedCellCount: cells.count,
      overloadedCells: cells.first,
      overloadedRowCount: rows.count,
      overloadedRows: rows.first,
    };
  }

  #takeSample(): void {
    const index = this.samplesTaken++;
    if (this.#averages) {
      const flags = this.#readSample(this.#reading);
      this.#averages.add(this.#reading, flags);
      return;
    }
    if (!this.#hasRoom) {
      // Counts the sample as lost. This happens only with `lose`.
      this.#closeBlock();
      this.samplesLost++;
      this.#gap = true;
      return;
    }
    const { tick } = this;
    const { cells } = this.#program;
    if (this.#cellsPerBlock < cells) {
      const flags = this.#readSample(this.#reading);
      for (let first = 0; first < cells; first += this.#cellsPerBlock) {
        const codes = this.#reading.slice(first, first + this.#cellsPerBlock);
        this.#pushBlock(index, tick, first, codes.length, 1, flags, codes);
      }
      return;
    }
    this.#open ??= {
      firstSample: index,
      tick,
      samples: 0,
      flags: 0,
      codes: this.#spare.pop() ?? new Int16Array(this.#samplesPerBlock * cells),
    };
    const open = this.#open;
    open.flags |= this.#readSample(open.codes.subarray(open.samples * cells, (open.samples + 1) * cells));
    open.samples++;
    if (open.samples === this.#samplesPerBlock) this.#closeBlock();
  }

  /** Reads all cells of the program into `out`, and returns the flags of the sample. */
  #readSample(out: Int16Array): number {
    const clipped = this.#cells.readAdc(out);
    if (this.#ticked) this.#overloaded = this.#cells.overloaded;
    this.#ticked = false;
    const flags =
      (this.#overloaded ? BLOCK_FLAG.overload : 0) |
      (clipped ? BLOCK_FLAG.clip : 0) |
      (this.#gap ? BLOCK_FLAG.gap : 0);
    this.#gap = false;
    return flags;
  }

  #closeBlock(): void {
    const block = this.#open;
    if (!block) return;
    this.#open = undefined;
    const { cells } = this.#program;
    const codes = block.codes.subarray(0, block.samples * cells);
    this.#pushBlock(block.firstSample, block.tick, 0, cells, block.samples, block.flags, codes);
  }

  #pushBlock(
    firstSample: number,
    tick: number,
    firstCell: number,
    cellCount: number,
    sampleCount: number,
    flags: number,
    codes: Int16Array,
  ): void {
    this.#full.push({
      runId: this.runId,
      block: this.#blocksMade++,
      firstSample,
      tick,
      firstCell,
      cellCount,
      sampleCount,
      flags,
      codes: codeBytes(codes),
    });
  }
}

function flagged(flags: Uint8Array): { count: number; first: Uint8Array } {
  const indices: number[] = [];
  let count = 0;
  for (let i = 0; i < flags.length; i++)
    if (flags[i] !== 0) {
      count++;
      if (indices.length < OVERLOAD_INDICES_MAX) indices.push(i);
    }
  return { count, first: codeBytes(Int16Array.from(indices)) };
}
