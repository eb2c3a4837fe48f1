import { describe, expect, it } from 'vitest';
import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { NO_CREDIT } from '../../firmware-protocol/messages/run.js';
import { Hand, program, START } from '../support/hand.js';

const ONE_SAMPLE = { ...START, burnInTicks: 0 };

/** A run that has taken its last sample; the next request is 6. */
function sampled(creditBlocks: number): Hand {
  const hand = new Hand();
  hand.say(hand.hello(7), ...program(hand, 1));
  hand.say(hand.command('start', 5, { ...ONE_SAMPLE, creditBlocks }));
  hand.device.advance(10);
  expect(hand.device.board.run?.outcome).toBe(RUN_OUTCOME.completed);
  expect(hand.device.board.state).toBe('running');
  return hand;
}

const ENDINGS: readonly [string, number, (hand: Hand) => void][] = [
  ['aborted', RUN_OUTCOME.aborted, (hand) => hand.device.receive(hand.command('abort', 6, { runId: 1 }), 0)],
  ['stopped', RUN_OUTCOME.stopped, (hand) => hand.device.receive(hand.stop(1, 5), 0)],
  ['ended by the watchdog', RUN_OUTCOME.watchdog, (hand) => hand.device.elapse(START.watchdogMs)],
];

describe('a run that has taken its last sample', () => {
  it.each(ENDINGS)('can be %s while it has blocks without credit', (_, outcome, end) => {
    const hand = sampled(0);
    end(hand);
    expect(hand.say().find(({ name }) => name === 'runEnded')).toMatchObject({
      fields: { runId: 1, outcome, samplesTaken: 1, blocksSent: 0 },
    });
    expect(hand.device.board.run).toBeUndefined();
  });

  it('makes room for the next run when its blocks are dropped', () => {
    const hand = sampled(0);
    const said = hand.say(hand.command('abort', 6, { runId: 1 }), hand.command('start', 7, START));
    expect(said.map(({ name }) => name)).toEqual(['abort', 'runEnded', 'start']);
  });

  it.each(ENDINGS)('keeps its outcome when it is %s after its last block was sent', (_, __, end) => {
    const hand = sampled(1);
    // The block was sent, but the report was not.
    hand.device.poll(0);
    end(hand);
    expect(hand.say().find(({ name }) => name === 'runEnded')).toMatchObject({
      fields: { runId: 1, outcome: RUN_OUTCOME.completed, blocksSent: 1 },
    });
  });

  it('sends its blocks when credit comes', () => {
    const hand = sampled(0);
    expect(hand.say()).toEqual([]);
    expect(hand.say(hand.credit(1, 1)).map(({ name }) => name)).toEqual(['sampleBlock', 'runEnded']);
  });
});

describe('samples without ticks between them', () => {
  it('that are lost without credit do not delay a stop', () => {
    const hand = new Hand();
    hand.say(hand.hello(7), ...program(hand, 1));
    const sampleCount = 4294967295;
    const run = { ticksPerSample: 0, sampleCount, onNoCredit: NO_CREDIT.lose, creditBlocks: 0 };
    hand.say(hand.command('start', 5, { ...ONE_SAMPLE, ...run }));
    let slices = 0;
    for (; slices < 10; slices++) hand.device.advance(1);
    expect(hand.device.ready).toBe(true);
    const ended = hand.say(hand.stop(1, 5)).find(({ name }) => name === 'runEnded');
    expect(ended).toMatchObject({ fields: { outcome: RUN_OUTCOME.stopped, samplesTaken: 10 * 4096 } });
  });

  it('all come, over several slices', () => {
    const hand = new Hand();
    hand.say(hand.hello(7), ...program(hand, 1));
    const run = { ticksPerSample: 0, sampleCount: 10_000, creditBlocks: 8 };
    hand.say(hand.command('start', 5, { ...ONE_SAMPLE, ...run }));
    let slices = 0;
    for (; hand.device.ready; slices++) hand.device.advance(1);
    expect(slices).toBe(3);
    expect(hand.say().at(-1)).toMatchObject({
      name: 'runEnded',
      fields: { outcome: RUN_OUTCOME.completed, samplesTaken: 10_000, samplesLost: 0 },
    });
  });
});
