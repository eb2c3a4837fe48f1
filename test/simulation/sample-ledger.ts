import type { Event } from '../../firmware-protocol/messages/index.js';
import type { LossPolicy, SampleRange } from '../../src/driver/device-api.js';

type Block = Event<'sampleBlock'>;

/**
 * The true history of the samples of one run: the samples that the board sent, and those that reached the
 * host. It also holds samples that arrived before the answer to the start of the run.
 */
export class SampleLedger {
  readonly #cells: number;
  readonly #sent = new Map<number, Block>();
  readonly #arrived = new Set<number>();
  /** The blocks that arrived before any later block and before a report that they were sent. */
  readonly #inOrder = new Set<number>();
  /** A host that takes blocks as they arrive does not take a block below this number any more. */
  #next = 0;
  /** Whether the host has the answer to its start command. */
  known = false;

  constructor(cells: number) {
    this.#cells = cells;
  }

  sent(block: Block): void {
    if (!this.#sent.has(block.block)) this.#sent.set(block.block, block);
  }

  arrived({ block }: Block): void {
    this.#arrived.add(block);
    // A host that takes blocks as they arrive can't use a repeated block, or one that comes after a later
    // block.
    if (block < this.#next) return;
    this.#inOrder.add(block);
    this.#next = block + 1;
  }

  /**
   * The board reports that blocks below this number were sent. A host that requests no block again has lost
   * the missing ones.
   */
  told(blocks: number): void {
    if (this.known) this.#next = Math.max(this.#next, blocks);
  }

  /** Number of samples, among the first `taken`, that the board has not sent completely. */
  skipped(taken: number): number {
    return taken - wholeSamples(this.#cells, this.#sent.values()).size;
  }

  /**
   * Samples, among the first `taken`, of which a part did not arrive. Without `taken`: the missing samples
   * that the host can know of.
   */
  lost(policy: LossPolicy, taken?: number): SampleRange[] {
    const numbers = policy === 'reRequest' ? this.#arrived : this.#inOrder;
    const blocks = [...numbers].sort((a, b) => a - b).map((number) => this.#sent.get(number)!);
    const whole = wholeSamples(this.#cells, blocks);
    const ranges: { from: number; to: number }[] = [];
    for (let s = 0; s < (taken ?? knownSamples(this.#cells, blocks)); s++) {
      if (whole.has(s)) continue;
      const last = ranges.at(-1);
      if (last?.to === s) last.to = s + 1;
      else ranges.push({ from: s, to: s + 1 });
    }
    return ranges;
  }
}

function wholeSamples(cells: number, blocks: Iterable<Block>): Set<number> {
  const cellsThere = new Map<number, number>();
  for (const { firstSample, sampleCount, cellCount } of blocks)
    for (let s = firstSample; s < firstSample + sampleCount; s++)
      cellsThere.set(s, (cellsThere.get(s) ?? 0) + cellCount);
  return new Set([...cellsThere].filter(([, there]) => there === cells).map(([s]) => s));
}

/**
 * Number of samples, from sample 0 on, that end in the last block or before it. A sample that the last block
 * leaves open does not count, unless it has a gap already.
 */
function knownSamples(cells: number, blocks: readonly Block[]): number {
  const last = blocks.at(-1);
  if (!last) return 0;
  const end = last.firstSample + last.sampleCount;
  if (last.firstCell + last.cellCount === cells) return end;
  const there = blocks
    .filter(({ firstSample }) => firstSample === last.firstSample)
    .reduce((sum, { cellCount }) => sum + cellCount, 0);
  return there === last.firstCell + last.cellCount ? end - 1 : end;
}
