import { DEVICE_STATE, RUN_OUTCOME } from '../../../../../firmware-protocol/device-status.js';
import { FEATURE } from '../../../../../firmware-protocol/messages/system.js';
import { type Bench, type Clause, ENDLESS, equal, must, START } from '../clause.js';
import { overload } from './overload.js';

const WATCHDOG_MS = 300;
/** After its answer to reset, a board becomes silent within this time, ms. */
const SAID_MS = 50;
/** After this number of its times a watchdog has expired, although HELLOs came. */
const WATCHDOGS_OF_HELLO = 5;
/** Largest delay of a watchdog after its stated time, ms. */
const LATE_MS = 1000;

async function expectState(use: Bench, state: keyof typeof DEVICE_STATE, after: string): Promise<void> {
  equal((await use.status()).state, DEVICE_STATE[state], `the state after ${after}`);
}

export const STATE_CLAUSES: readonly Clause[] = [
  {
    id: 'STATE-1',
    what: 'idle, configured, running, done, halted and safe follow each other as in the table',
    async check(use) {
      const { host } = use;
      const hold = use.has('hold') ? {} : { onNoCredit: 1 as const };
      host.write(host.stop(1));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      await host.hello();
      await expectState(use, 'idle', 'HELLO in safe');
      await use.refused(
        'start',
        { ...START, ...hold },
        (await use.status()).committedBanks & 1 ? 'wrongState' : 'notCommitted',
        'a start in idle',
      );
      await use.load();
      await expectState(use, 'configured', 'a commit');
      const runId = await use.start(ENDLESS);
      await expectState(use, 'running', 'a start');
      equal(
        (await use.ask('acknowledge', {})).state,
        DEVICE_STATE.running,
        'the state after acknowledge while running',
      );
      await use.refused('start', { ...START, ...hold }, 'wrongState', 'a start while running');
      await use.ask('abort', { runId });
      await use.ended();
      await expectState(use, 'done', 'an abort');
      equal(
        (await use.ask('acknowledge', {})).state,
        DEVICE_STATE.done,
        'the state after acknowledge when done',
      );
      await use.load();
      await expectState(use, 'configured', 'a commit when done');
      host.write(host.stop(1));
      await host.next(({ name }) => name === 'stop', 'an answer to stop');
      await use.load();
      await expectState(use, 'safe', 'a stop and a commit');
      equal(
        (await use.ask('acknowledge', {})).state,
        DEVICE_STATE.idle,
        'the state after acknowledge in safe',
      );
    },
  },
  {
    id: 'STATE-2',
    slackMs: WATCHDOG_MS / 3,
    what: 'any good frame of the session feeds the watchdog, but HELLO does not; silence ends the run in safe',
    async check(use) {
      const { host } = use;
      await use.load();
      await use.start({ ...ENDLESS, watchdogMs: WATCHDOG_MS });
      for (let fed = 0; fed < 8; fed++) {
        await host.wait(WATCHDOG_MS / 3);
        host.acknowledge();
      }
      equal(host.events('runEnded').length, 0, 'how many runs ended while the watchdog was fed');
      host.acknowledges = false;
      const sinceMs = use.clock.nowMs();
      for (let said = 0; said < 3 * WATCHDOGS_OF_HELLO && host.events('runEnded').length === 0; said++) {
        host.write(host.helloFrame(host.nonce));
        await host.wait(WATCHDOG_MS / 3);
      }
      must(host.events('runEnded').length > 0, 'HELLO feeds the watchdog');
      const { outcome } = await use.ended(WATCHDOG_MS + LATE_MS);
      equal(outcome, RUN_OUTCOME.watchdog, 'the outcome of the run');
      const tookMs = use.clock.nowMs() - sinceMs;
      must(tookMs > WATCHDOG_MS / 2, `the watchdog ended the run after ${tookMs.toFixed(0)} ms`);
      host.acknowledges = true;
      host.ack = host.heard.findLast(
        ({ frame, message }) => frame.channel === 1 && message !== undefined,
      )!.frame.seq;
      host.acknowledge();
      await expectState(use, 'safe', 'the watchdog');
    },
  },
  {
    id: 'END-2',
    what: 'the report of an overload names the cells that passed their rail',
    async check(use) {
      const { overloadedCellCount, overloadedCells } = await overload(use);
      const cells = Math.min(4, use.board.cells);
      equal(overloadedCellCount, cells, 'how many cells passed their rail');
      equal(
        [...new Uint16Array(overloadedCells.slice().buffer)],
        Array.from({ length: cells }, (_, i) => i),
        'the cells that the report names',
      );
      await expectState(use, 'halted', 'an overload');
      equal((await use.ask('acknowledge', {})).state, DEVICE_STATE.configured, 'the state after acknowledge');
    },
  },
  {
    id: 'AVERAGE-6',
    what: 'a run that an overload halted has the sums of the samples before the overload',
    skip: ({ features }) =>
      (features & FEATURE.averages) === 0 ? 'the board has no feature averages' : undefined,
    async check(use) {
      const run = { burnInTicks: 0, sampleCount: 4096, statistics: 1, batchSamples: 128 } as const;
      const { runId, samplesTaken } = await overload(use, { run });
      must(samplesTaken > 0 && samplesTaken < 4096, `${samplesTaken} samples were taken before the overload`);
      const { samples } = await use.ask('readAverages', { runId, part: 0, firstEntry: 0, count: 1 });
      equal(samples, samplesTaken, 'the samples that were added up');
    },
  },
  {
    id: 'STATE-3',
    what: 'after reset the board ignores all bytes and boots: the boot epoch grows, programs and session are lost',
    async check(use) {
      const { host, board } = use;
      await use.load();
      host.write(host.command('reset', {}), host.command('ping', { token: 1 }));
      const { refusal } = await host.answer(host.requestId - 1, 'reset');
      must(refusal === undefined, 'reset was refused');
      await host.wait(SAID_MS);
      must(!host.heard.some(({ name }) => name === 'ping'), 'a command behind reset was executed');
      const next = await use.connect();
      const { bootEpoch, resumed } = await next.hello();
      equal([bootEpoch, resumed], [board.bootEpoch + 1, 0], 'boot epoch and resumed after a reset');
      const { fields } = await next.ask('readStatus', {});
      equal(fields?.committedBanks, 0, 'the committed banks after a reset');
    },
  },
];
