import { DEVICE_STATE, RUN_OUTCOME } from '../../../../../firmware-protocol/device-status.js';
import { FEATURE } from '../../../../../firmware-protocol/messages/system.js';
import { type Clause, ENDLESS, equal, must, START, uncoupled } from '../clause.js';
import { noKeeping } from './blocks.js';

/** Starts and ends of runs (protocol.md, "Samples"). */
export const RUN_CLAUSES: readonly Clause[] = [
  {
    id: 'RUN-1',
    what: 'two runs of a session have different numbers',
    async check(use) {
      await use.load();
      const first = await use.start();
      equal((await use.ended()).runId, first, 'the run id of the report');
      const second = await use.start();
      must(second !== first, `the run id ${first} was used twice`);
    },
  },
  {
    id: 'RUN-2',
    what: 'the reasons to refuse a start come in this order: notCommitted, outOfRange, wrongState',
    async check(use) {
      const hold = use.has('hold') ? {} : { onNoCredit: 1 as const };
      const start = { ...START, ...hold };
      const far = { ...start, firstTick: 2 ** 53 - 1, burnInTicks: 5 };
      use.write(0, uncoupled(use.board));
      await use.refused('start', far, 'notCommitted', 'a start of a bank that is not committed');
      await use.load();
      await use.refused('start', far, 'outOfRange', 'a start behind the last tick');
      if (use.board.keepBlocksMax < 64)
        await use.refused(
          'start',
          { ...start, keepBlocks: 64 },
          'outOfRange',
          'a start that keeps 64 blocks',
        );
      await use.start(ENDLESS);
      await use.refused(
        'start',
        far,
        'outOfRange',
        'a start behind the last tick, while another run is in progress',
      );
      await use.refused('start', start, 'wrongState', 'a start while another run is in progress');
    },
  },
  {
    id: 'RUN-3',
    what: 'tick of readStatus is the number of the next tick',
    async check(use) {
      await use.load();
      await use.start({ firstTick: 1000, burnInTicks: 30, sampleCount: 3, ticksPerSample: 5 });
      await use.ended();
      equal((await use.status()).tick, 1040, 'the tick after a run of 40 ticks from 1000 on');
    },
  },
  {
    id: 'RUN-4',
    what: 'a board without the feature hold refuses a start with hold as unsupported, before any other reason',
    skip: ({ features }) => ((features & FEATURE.hold) !== 0 ? 'the board has the feature hold' : undefined),
    async check(use) {
      use.write(0, uncoupled(use.board));
      await use.refused('start', { ...START, onNoCredit: 0 }, 'unsupported', 'a start with hold');
    },
  },
  {
    id: 'END-1',
    what: 'runEnded comes after the last block, and until then the board is running',
    async check(use) {
      await use.load();
      const runId = await use.start({ sampleCount: 5, blockSamples: 1, creditBlocks: 4 });
      await use.untilTick(3);
      await use.quiet();
      equal((await use.status()).state, DEVICE_STATE.running, 'the state while a block waits');
      use.host.write(use.host.event('credit', { runId, blocks: 10, released: 0 }));
      const { blocksSent } = await use.ended();
      equal(use.blocks().length, blocksSent, 'the blocks that came before the report');
    },
  },
  {
    id: 'END-3',
    what: 'blocksSent does not count blocks that are sent again',
    skip: noKeeping,
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 3, blockSamples: 1, keepBlocks: 1 });
      await use.quiet();
      host.write(host.event('resend', { runId, firstBlock: 0, count: 1 }));
      await use.quiet();
      host.write(host.event('credit', { runId, blocks: 1000, released: 100 }));
      equal((await use.ended()).blocksSent, 3, 'blocksSent of a run of three blocks');
    },
  },
  {
    id: 'END-4',
    what: 'a run that ends early drops the blocks that it has not sent',
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 100, blockSamples: 1, creditBlocks: 1 });
      await use.quiet();
      host.write(host.command('abort', { runId }));
      const { blocksSent } = await use.ended();
      host.write(host.event('credit', { runId, blocks: 100, released: 0 }));
      await use.quiet();
      equal([blocksSent, use.blocks().length], [1, 1], 'blocksSent and the blocks that came');
    },
  },
  {
    id: 'END-5',
    what: 'an aborted run that still waits for credit is reported as aborted; a run with no blocks left as completed',
    async check(use) {
      const { host } = use;
      await use.load();
      const runId = await use.start({ sampleCount: 3, blockSamples: 1, creditBlocks: 0, ticksPerSample: 2 });
      await use.untilTick(4);
      host.write(host.command('abort', { runId }));
      equal((await use.ended()).outcome, RUN_OUTCOME.aborted, 'the outcome of a run that still had blocks');
      await use.start({ sampleCount: 3, blockSamples: 1 });
      equal((await use.ended()).outcome, RUN_OUTCOME.completed, 'the outcome of a run with nothing left');
    },
  },
  {
    id: 'END-6',
    what: 'abort of an ended run is answered and changes nothing; abort of a run that never existed is outOfRange',
    async check(use) {
      await use.load();
      const runId = await use.start();
      await use.ended();
      await use.ask('abort', { runId });
      equal((await use.status()).state, DEVICE_STATE.done, 'the state after aborting a run that has ended');
      await use.refused('abort', { runId: runId + 7 }, 'outOfRange', 'abort of a run that never was');
    },
  },
];
