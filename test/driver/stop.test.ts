import { describe, expect, it } from 'vitest';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import type { Device } from '../../src/driver/device.js';
import type { ThermolinkError } from '../../src/errors.js';
import { openTestBoard, type Tamper } from '../support/test-board.js';

/** A board that hears no stop until it is allowed to. `sent` holds the stop frames. */
async function deafBoard() {
  const wire = { deaf: true, sent: 0 };
  const toDevice: Tamper = (frame, bytes) => {
    if (frame?.channel !== CHANNEL.stop) return [bytes];
    wire.sent++;
    return wire.deaf ? [] : [bytes];
  };
  return { ...(await openTestBoard('ideal-8', { toDevice })), wire };
}

/** When a stop ended, and how. */
async function endOf(
  clock: { nowMs(): number },
  stop: ReturnType<Device['stop']>,
): Promise<readonly [number, string]> {
  const startMs = clock.nowMs();
  const how = await stop.then(
    () => 'stopped',
    (error: ThermolinkError) => error.code,
  );
  return [clock.nowMs() - startMs, how];
}

describe('stops at the same time', () => {
  it('each ends by its own deadline, and the others go on', async () => {
    const { device, board, clock, wire } = await deafBoard();
    const ends = [500, 200, 5000].map((timeoutMs) => endOf(clock, device.stop({ timeoutMs })));
    expect(await clock.run(ends[1])).toEqual([200, 'TIMEOUT']);
    expect(await clock.run(ends[0])).toEqual([500, 'TIMEOUT']);
    expect(board.board.state).toBe('idle');
    wire.deaf = false;
    const [tookMs, how] = await clock.run(ends[2]);
    expect(how).toBe('stopped');
    expect(tookMs).toBeLessThanOrEqual(550);
    expect(board.board.state).toBe('safe');
  });

  it('each ends by its own signal, the first too, with the reason of its abort', async () => {
    const { device, board, clock, wire } = await deafBoard();
    const controllers = [new AbortController(), new AbortController()];
    const stops = controllers.map(({ signal }) => endOf(clock, device.stop({ signal })));
    const other = endOf(clock, device.stop());
    controllers[1].abort();
    expect(await clock.run(stops[1])).toEqual([0, 'ABORTED']);
    controllers[0].abort();
    expect(await clock.run(stops[0])).toEqual([0, 'ABORTED']);
    wire.deaf = false;
    expect(await clock.run(other)).toEqual([50, 'stopped']);
    expect(board.board.state).toBe('safe');
  });

  it('a stop is sent at once after an unanswered one, and its answer ends both', async () => {
    const { device, clock, wire } = await deafBoard();
    const first = endOf(clock, device.stop());
    expect(await clock.run(endOf(clock, device.stop({ timeoutMs: 10 })))).toEqual([10, 'TIMEOUT']);
    expect(wire.sent).toBe(2);
    wire.deaf = false;
    expect(await clock.run(endOf(clock, device.stop()))).toEqual([0, 'stopped']);
    expect(await clock.run(first)).toEqual([10, 'stopped']);
  });

  it('a late answer ends the stops up to its own, not later ones', async () => {
    let held: Uint8Array | undefined;
    const toHost: Tamper = (frame, bytes) => {
      if (frame?.channel !== CHANNEL.stop) return [bytes];
      const late = held;
      held = bytes.slice();
      return late ? [late] : [];
    };
    const { device, clock } = await openTestBoard('ideal-8', { toHost });
    const order: string[] = [];
    const first = device.stop().then(() => order.push('first'));
    await clock.run(new Promise<void>((resolve) => void clock.schedule(10, resolve)));
    const startMs = clock.nowMs();
    const second = device.stop().then(() => order.push('second'));
    await clock.run(Promise.all([first, second]));
    expect(order).toEqual(['first', 'second']);
    expect(clock.nowMs() - startMs).toBe(0);
  });

  it('nothing is sent any more when the last one has given up, and the next stop is sent at once', async () => {
    const { device, board, clock, wire } = await deafBoard();
    expect(await clock.run(endOf(clock, device.stop({ timeoutMs: 120 })))).toEqual([120, 'TIMEOUT']);
    const { sent } = wire;
    await clock.run(new Promise<void>((resolve) => void clock.schedule(1000, resolve)));
    expect([sent, wire.sent]).toEqual([3, 3]);
    wire.deaf = false;
    expect(await clock.run(endOf(clock, device.stop()))).toEqual([0, 'stopped']);
    expect(board.board.state).toBe('safe');
  });

  it('all of them end when the connection ends', async () => {
    const { device, clock } = await deafBoard();
    const stops = [device.stop(), device.stop()].map((stop) => endOf(clock, stop));
    await clock.run(device.close());
    expect(await clock.run(Promise.all(stops))).toEqual([
      [0, 'ABORTED'],
      [0, 'ABORTED'],
    ]);
  });

  it('an invalid deadline is refused, and nothing is sent', async () => {
    const { device, clock, wire } = await deafBoard();
    expect(await clock.run(endOf(clock, device.stop({ timeoutMs: 0 })))).toEqual([0, 'BAD_ARGUMENT']);
    expect(wire.sent).toBe(0);
  });
});
