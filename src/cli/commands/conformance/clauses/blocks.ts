import type { Event } from '../../../../../firmware-protocol/messages/index.js';
import { FEATURE } from '../../../../../firmware-protocol/messages/system.js';
import { type Bench, type Clause, equal, must, QUIET_MS, uncoupled } from '../clause.js';

/** The bytes of a frame that the rule ⌊(f − 76)/2⌋ reserves for other things than the codes of a block. */
const BLOCK_OVERHEAD = 76;
const SHORT_FRAME = 256;
/** Largest number of full blocks that wait to be sent. */
const WAITING_MAX = 4;
const FLAG_GAP = 4;

const codesIn = ({ cellCount, sampleCount }: Event<'sampleBlock'>): number => cellCount * sampleCount;

const GAP_TICKS = 50;

/** Starts a run without credit, gives credit for eight blocks after samples were lost, and aborts the run. */
async function runWithGap(use: Bench): Promise<void> {
  const { host } = use;
  await use.load();
  const runId = await use.start({
    sampleCount: 2 ** 32 - 1,
    blockSamples: 1,
    creditBlocks: 0,
    onNoCredit: 1,
    ticksPerSample: GAP_TICKS,
  });
  await use.untilTick(20 * GAP_TICKS);
  host.write(host.event('credit', { runId, blocks: 8, released: 0 }));
  await host.next(
    ({ message }) =>
      message?.kind === 'event' && message.name === 'sampleBlock' && message.fields.block === 6,
    'block 6',
  );
  host.write(host.command('abort', { runId }));
  await use.ended();
}

const needsHold = (board: { features: number }): string | undefined =>
  (board.features & FEATURE.hold) === 0 ? 'the board has no feature hold' : undefined;

/** Blocks, credits and kept blocks (protocol.md, "Samples"). */
export const BLOCK_CLAUSES: readonly Clause[] = [
  {
    id: 'BLOCK-1',
    what: 'a block has at most ⌊(f − 76)/2⌋ codes (f: longest frame), and at most blockSamples samples, which are whole',
    async check(use) {
      await use.host.hello({ frameBytes: SHORT_FRAME });
      await use.load();
      const codesMax = Math.floor((SHORT_FRAME - BLOCK_OVERHEAD) / 2);
      for (const blockSamples of [0, 2]) {
        const from = use.blocks().length;
        await use.start({ sampleCount: 100, blockSamples });
        await use.ended();
        for (const block of use.blocks().slice(from)) {
          must(codesIn(block) <= codesMax, `a block has ${codesIn(block)} codes; ${codesMax} fit`);
          equal(block.codes.length, 2 * codesIn(block), 'the bytes of a block');
          equal(block.firstCell, 0, 'the first cell of a block of whole samples');
          if (blockSamples > 0)
            must(block.sampleCount <= blockSamples, `a block has ${block.sampleCount} samples`);
        }
      }
    },
  },
  {
    id: 'BLOCK-2',
    what: 'a sample of many cells is spread over consecutive blocks, each as full as possible',
    skip: ({ cells }) =>
      cells <= 90
        ? 'the board has too few cells for a sample that does not fit the shortest frame'
        : undefined,
    async check(use) {
      await use.host.hello({ frameBytes: SHORT_FRAME });
      const cells = Math.min(use.board.cells, 100);
      const codesMax = Math.floor((SHORT_FRAME - BLOCK_OVERHEAD) / 2);
      await use.load(uncoupled(use.board, { cells }));
      await use.start({ sampleCount: 3 });
      await use.ended();
      const places = use
        .blocks()
        .map(({ firstSample, firstCell, cellCount }) => [firstSample, firstCell, cellCount]);
      const wanted = [0, 1, 2].flatMap((sample) => [
        [sample, 0, codesMax],
        [sample, codesMax, cells - codesMax],
      ]);
      equal(places, wanted, 'first sample, first cell and cells of the blocks');
    },
  },
  {
    id: 'BLOCK-3',
    what: 'four full blocks may wait to be sent, and no more',
    async check(use) {
      await use.load();
      await use.start({
        sampleCount: 20,
        blockSamples: 1,
        creditBlocks: 0,
        onNoCredit: 1,
        ticksPerSample: 2,
      });
      await use.untilTick(38);
      const runId = (await use.status()).runId;
      use.host.write(use.host.event('credit', { runId, blocks: 100, released: 0 }));
      const { samplesTaken, samplesLost } = await use.ended();
      equal([samplesTaken, samplesLost], [20, 20 - WAITING_MAX], 'samples taken and lost without credit');
      equal(
        use.blocks().map(({ firstSample }) => firstSample),
        [0, 1, 2, 3],
        'the samples that waited',
      );
    },
  },
  {
    id: 'BLOCK-4',
    what: 'the first sample after a loss has the flag gap',
    async check(use) {
      await runWithGap(use);
      let next = 0;
      for (const { block, firstSample, sampleCount, flags } of use.blocks()) {
        const gap = firstSample !== next;
        equal((flags & FLAG_GAP) !== 0, gap, `the flag gap of block ${block}`);
        next = firstSample + sampleCount;
      }
      must(next > 8, 'no sample was lost');
    },
  },
  {
    id: 'BLOCK-5',
    what: 'blocks are sent once',
    async check(use) {
      await use.load();
      await use.start({ sampleCount: 12, blockSamples: 2 });
      const { blocksSent } = await use.ended();
      await use.quiet();
      equal(
        use.blocks().map(({ block }) => block),
        [0, 1, 2, 3, 4, 5],
        'the numbers of the blocks',
      );
      equal(blocksSent, 6, 'blocksSent');
    },
  },
  {
    id: 'BLOCK-6',
    what: 'the device reports as lost exactly the samples whose indices are missing',
    async check(use) {
      await use.load();
      const runId = await use.start({ sampleCount: 50, blockSamples: 1, creditBlocks: 2, onNoCredit: 1 });
      await use.untilTick(49);
      use.host.write(use.host.event('credit', { runId, blocks: 100, released: 0 }));
      const { samplesTaken, samplesLost } = await use.ended();
      const got = use.blocks().reduce((sum, { sampleCount }) => sum + sampleCount, 0);
      equal(samplesTaken - samplesLost, got, 'samples taken but not lost');
      must(samplesLost > 0, 'nothing was lost without credit');
      await runWithGap(use);
      for (const { block, firstSample, tick } of use.blocks().slice(-5))
        equal(tick, firstSample * GAP_TICKS, `the tick of block ${block}, by the index of its sample`);
    },
  },
  {
    id: 'CREDIT-1',
    what: 'a block is sent only if its number is below the credit; the credit is an absolute number',
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 6, blockSamples: 1, creditBlocks: 2 });
      const numbers = () => use.blocks().map(({ block }) => block);
      await use.quiet();
      equal(numbers(), [0, 1], 'the blocks within a credit of 2');
      const credit = host.event('credit', { runId, blocks: 3, released: 0 });
      host.write(credit, credit);
      await use.quiet();
      equal(numbers(), [0, 1, 2], 'the blocks after a credit of 3 came twice');
      host.write(host.event('credit', { runId, blocks: 50, released: 0 }));
      await use.ended();
    },
  },
  {
    id: 'CREDIT-2',
    what: 'with hold, no tick passes while there is no room for a sample',
    skip: needsHold,
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({
        sampleCount: 40,
        blockSamples: 1,
        creditBlocks: 0,
        ticksPerSample: 10,
      });
      await use.quiet();
      const { tick } = await use.status();
      await host.wait(QUIET_MS);
      equal((await use.status()).tick, tick, 'the tick while the run is held');
      must(tick < 390, `the run was not held: tick ${tick}`);
      host.write(host.event('credit', { runId, blocks: 100, released: 0 }));
      equal((await use.ended()).samplesLost, 0, 'the samples that a held run lost');
    },
  },
  {
    id: 'CREDIT-3',
    what: 'a credit that is not above the last one is answered with blocksSent',
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 100, blockSamples: 1, creditBlocks: 3 });
      await use.quiet();
      host.write(host.event('credit', { runId, blocks: 3, released: 0 }));
      const { blocks } = await host.nextEvent('blocksSent');
      equal(blocks, 3, 'blocksSent');
    },
  },
  {
    id: 'CREDIT-4',
    what: 'after the report of a run a credit for it is not answered',
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 2, blockSamples: 1, creditBlocks: 3 });
      await use.ended();
      host.write(host.event('credit', { runId, blocks: 3, released: 0 }));
      await use.quiet();
      equal(host.events('blocksSent').length, 0, 'how many credits were answered after the report');
    },
  },
  {
    id: 'CREDIT-5',
    what: 'samplesLost of readCounters counts during a run, and never decreases',
    async check(use) {
      await use.load();
      const { samplesLost: before } = await use.counters();
      const lossy = { blockSamples: 1, creditBlocks: 0, onNoCredit: 1 as const, ticksPerSample: 50 };
      await use.start({ ...lossy, sampleCount: 2 ** 32 - 1 });
      await use.untilTick(1000);
      const during = (await use.counters()).samplesLost - before;
      must(during > 0, 'no sample was counted as lost while the run was in progress');
      // A new session ends the run.
      await use.host.hello();
      const after = (await use.counters()).samplesLost - before;
      must(
        after >= during,
        `${after} samples are counted as lost after the run, but ${during} were counted during the run`,
      );
    },
  },
  {
    id: 'KEEP-1',
    what: 'blocks numbered released + keepBlocks or higher are not sent',
    skip: noKeeping,
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 6, blockSamples: 1, keepBlocks: 1 });
      const numbers = () => use.blocks().map(({ block }) => block);
      await use.quiet();
      equal(numbers(), [0], 'the blocks before one was released');
      host.write(host.event('credit', { runId, blocks: 1000, released: 2 }));
      await use.quiet();
      equal(numbers(), [0, 1, 2], 'the blocks after two were released');
      host.write(host.event('credit', { runId, blocks: 1000, released: 100 }));
      await use.ended();
    },
  },
  {
    id: 'KEEP-2',
    what: 'resend sends kept blocks again, unchanged',
    skip: noKeeping,
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 6, blockSamples: 1, keepBlocks: 1 });
      await use.quiet();
      host.write(host.event('resend', { runId, firstBlock: 0, count: 1 }));
      await use.quiet();
      const blocks = host.heard.filter(({ name }) => name === 'sampleBlock');
      equal(blocks.length, 2, 'how often the block came');
      equal(blocks[1].payload, blocks[0].payload, 'the block that was sent again');
    },
  },
  {
    id: 'KEEP-3',
    what: 'blocks stay kept after the report of a run; a run that ends early keeps none',
    skip: noKeeping,
    async check(use) {
      const { host } = use;
      await use.load();
      const first = await use.start({ sampleCount: 1, blockSamples: 1, keepBlocks: 1 });
      await use.ended();
      host.write(host.event('resend', { runId: first, firstBlock: 0, count: 1 }));
      await use.quiet();
      equal(use.blocks().length, 2, 'how often the block of a reported run came');
      const second = await use.start({ sampleCount: 6, blockSamples: 1, keepBlocks: 1 });
      await use.quiet();
      await use.ask('abort', { runId: second });
      await use.ended();
      const before = use.blocks().length;
      host.write(host.event('resend', { runId: second, firstBlock: 0, count: 1 }));
      await use.quiet();
      equal(use.blocks().length, before, 'the blocks after asking for one of a run that was cut short');
    },
  },
];

/** Why a rule about kept blocks cannot be checked on this board. */
export function noKeeping({ keepBlocksMax }: { readonly keepBlocksMax: number }): string | undefined {
  return keepBlocksMax === 0 ? 'the board keeps no blocks' : undefined;
}
