import { describe, expect, it } from 'vitest';
import { type Clause, must } from '../../src/cli/commands/conformance/clause.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { checkInMemory, clausesOf } from './boards.js';
import { isCommand, type Mutation } from './mutant-port.js';

const SLACK_MS = 80;
const CHECK_MS = 400;

/** The clock of a machine that is late by a time that the test sets. */
class LateClock extends VirtualClock {
  #aheadMs = 0;
  #stoppedMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.#aheadMs;
  }

  stoppedMs(): number {
    return this.#stoppedMs;
  }

  /** Lets every waiting timer fire late by this time. */
  hold(forMs: number): void {
    this.#aheadMs += forMs;
  }

  /** Adds to the time for which the clock says that the process was stopped. */
  stop(forMs: number): void {
    this.#stoppedMs += forMs;
  }
}

/**
 * Makes a rule whose first `failures` checks fail, and counts its checks. A check that fails calls
 * `meanwhile`.
 */
function failing(failures: number, meanwhile: () => void, slackMs: number | undefined = SLACK_MS) {
  const seen = { checks: 0 };
  const clause: Clause = {
    id: 'LATE',
    what: 'a rule about time',
    ...(slackMs !== undefined && { slackMs }),
    async check({ host }) {
      const fails = seen.checks++ < failures;
      await host.wait(CHECK_MS / 2);
      if (fails) meanwhile();
      await host.wait(CHECK_MS / 2);
      must(!fails, 'an answer came late');
    },
  };
  return { clause, seen };
}

describe('a rule about time that fails', () => {
  it.each(['hold', 'stop'] as const)('is checked again when this machine was late (%s)', async (how) => {
    const clock = new LateClock();
    const { clause, seen } = failing(2, () => clock[how](2 * SLACK_MS));
    const [result] = await checkInMemory([clause], { clock });
    expect([result.status, seen.checks]).toEqual(['passed', 3]);
  });

  it('is checked three times at most, and says how late this machine was', async () => {
    const clock = new LateClock();
    const { clause, seen } = failing(Infinity, () => clock.hold(2 * SLACK_MS));
    const [{ status, reason }] = await checkInMemory([clause], { clock });
    expect([status, seen.checks]).toEqual(['failed', 3]);
    expect(reason).toMatch(/^an answer came late; this machine was 1[4-6]\d ms late meanwhile$/);
  });

  it.each([0, SLACK_MS / 2])(
    'has failed after one check on a machine that was %d ms late',
    async (lateMs) => {
      const clock = new LateClock();
      const { clause, seen } = failing(1, () => clock.hold(lateMs));
      const [{ status, reason }] = await checkInMemory([clause], { clock });
      expect([status, reason, seen.checks]).toEqual(['failed', 'an answer came late', 1]);
    },
  );

  it('has failed after one check if the machine was late only in another check', async () => {
    const clock = new LateClock();
    const before = failing(1, () => clock.hold(2 * SLACK_MS));
    const after = failing(1, () => undefined);
    const results = await checkInMemory([before.clause, after.clause], { clock });
    expect(results.map(({ status }) => status)).toEqual(['passed', 'failed']);
    expect(after.seen.checks).toBe(1);
  });

  it('has failed after one check if a late machine cannot be the cause', async () => {
    const clock = new LateClock();
    const { slackMs: _, ...clause } = failing(1, () => clock.hold(1000)).clause;
    const [{ status }] = await checkInMemory([clause], { clock });
    expect(status).toBe('failed');
  });
});

it('a board that sometimes sends late is found on an undisturbed machine', { tags: 'long' }, async () => {
  // One frame is not sent again at its first timeout, but only at the next timeout, 750 ms after the first
  // sending.
  let repeated = 0;
  const seen = new Set<number>();
  const mutation: Mutation = {
    toHost: ({ frame }) => {
      if (!isCommand(frame)) return [frame];
      if (!seen.has(frame.seq)) {
        seen.add(frame.seq);
        return [frame];
      }
      return repeated++ === 0 ? [] : [frame];
    },
  };
  const [{ status, reason }] = await checkInMemory(clausesOf('LINK-10'), { mutation });
  expect([status, reason]).toEqual(['failed', 'sending 2 came after 750 ms, not 250']);
});
