import { expect, it } from 'vitest';
import { SessionStop } from '../../src/hub/session-stop.js';
import type { TraceMessage } from '../../src/traces/trace-message.js';
import { VirtualClock } from '../support/virtual-clock.js';

it('a stop has its own deadline, also when the line takes no byte', async () => {
  const clock = new VirtualClock();
  let injected = 0;
  const stop = new SessionStop(
    {
      inject: () => {
        injected++;
        return new Promise(() => undefined);
      },
      acknowledgedByHost: () => 0,
    },
    clock,
  );
  stop.note({
    direction: 'toHost',
    kind: 'answer',
    name: 'hello',
    session: 1,
    requestId: 1,
    fields: { nonce: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
  } as unknown as TraceMessage);
  expect(await clock.run(stop.stop())).toBe(false);
  expect(clock.nowMs()).toBe(2000);
  // No second stop is sent while the first one waits.
  expect(injected).toBe(1);
});
