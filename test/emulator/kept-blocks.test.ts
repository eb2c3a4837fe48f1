import { describe, expect, it } from 'vitest';
import type { ToHost } from '../../firmware-protocol/codec.js';
import type { Command } from '../../firmware-protocol/messages/index.js';
import { Hand, program, START } from '../support/hand.js';

/** A run of `sampleCount` blocks of one sample, taken as far as credit allows; the next request is 6. */
function started(change: Partial<Command<'start'>>): {
  hand: Hand;
  said: ToHost[];
} {
  const hand = new Hand();
  hand.say(hand.hello(7), ...program(hand, 1));
  hand.say(hand.command('start', 5, { ...START, burnInTicks: 0, blockSamples: 1, ...change }));
  return { hand, said: advance(hand) };
}

function advance(hand: Hand): ToHost[] {
  const said: ToHost[] = [];
  for (let slice = 0; slice < 50; slice++) {
    hand.device.advance(10);
    said.push(...hand.say());
  }
  return said;
}

/** Numbers of the blocks, and names of everything else. */
const told = (said: ToHost[]) =>
  said.map((message) =>
    message.kind === 'event' && message.name === 'sampleBlock' ? message.fields.block : message.name,
  );

describe('blocks that are kept', () => {
  it('are sent again as they were, and only those', () => {
    const { hand, said } = started({ sampleCount: 20, creditBlocks: 6, keepBlocks: 8 });
    expect(told(said)).toEqual([0, 1, 2, 3, 4, 5]);
    const again = hand.say(hand.resend(1, 2, 2), hand.resend(1, 3, 64), hand.resend(2, 0, 1));
    expect(told(again)).toEqual([2, 3, 4, 5]);
    expect(again.map((message) => 'fields' in message && message.fields)).toEqual(
      said.slice(2).map((message) => 'fields' in message && message.fields),
    );
    expect(hand.device.board.run?.blocksSent).toBe(6);
  });

  it('limit the number of sent blocks until they are released', () => {
    const { hand, said } = started({ sampleCount: 20, creditBlocks: 100, keepBlocks: 3 });
    expect(told(said)).toEqual([0, 1, 2]);
    expect(told([...hand.say(hand.credit(1, 100, 2)), ...advance(hand)])).toEqual([3, 4]);
    expect(told(hand.say(hand.resend(1, 0, 64)))).toEqual([2, 3, 4]);
  });

  it('stay after the report of their run, but not after the next run or a stop', () => {
    for (const [end, left] of [
      [(hand: Hand) => hand.say(), [0, 1]],
      [(hand: Hand) => hand.say(hand.command('start', 6, START)), []],
      [(hand: Hand) => hand.say(hand.stop(1, 5)), []],
      [(hand: Hand) => hand.say(hand.hello(8)), []],
    ] as const) {
      const { hand, said } = started({ sampleCount: 2, creditBlocks: 6, keepBlocks: 8 });
      expect(told(said)).toEqual([0, 1, 'runEnded']);
      end(hand);
      const again = told(hand.say(hand.resend(1, 0, 64)));
      expect(again).toEqual(left);
    }
  });

  it('exist only on request', () => {
    const { hand } = started({ sampleCount: 2, creditBlocks: 1 });
    expect(told(hand.say(hand.resend(1, 0, 64)))).toEqual([]);
  });

  it('are gone if the run ends early', () => {
    const { hand } = started({ sampleCount: 20, creditBlocks: 6, keepBlocks: 8 });
    expect(told(hand.say(hand.command('abort', 6, { runId: 1 })))).toEqual(['abort', 'runEnded']);
    expect(told(hand.say(hand.resend(1, 0, 64)))).toEqual([]);
  });
});

it('a credit that raises neither of its numbers is answered with the number of sent blocks', () => {
  const { hand } = started({ sampleCount: 20, creditBlocks: 4 });
  const said = hand.say(hand.credit(1, 4), hand.credit(1, 3));
  expect(said).toMatchObject([{ name: 'blocksSent', fields: { runId: 1, blocks: 4 } }]);
  expect(told(hand.say(hand.credit(1, 4, 1)))).toEqual([]);
  expect(told(hand.say(hand.credit(1, 5, 1)))).toEqual([4]);
});
