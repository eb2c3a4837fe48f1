import { expect, it } from 'vitest';
import { DEVICE_STATE, RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import type { ContractBoard } from './contract.js';
import { ENDLESS, load, loaded, START, uncoupled } from './loaded-board.js';
import type { RawHost } from './raw-host.js';

const WATCHDOG_MS = 100;
/** The number of connections that a server accepts at once (protocol.md, "Over TCP"). */
const CONNECTIONS_MAX = 8;

const stateOf = async (host: RawHost) => {
  const { fields } = await host.ask('readStatus', {});
  return fields.state;
};

/**
 * Tests of stop, abort, silence, reset, and hosts that leave. Outputs must be off when no host needs them.
 */
export function describeSafety({ connect, running }: ContractBoard): void {
  it('a stop ends the run, and nothing runs before the host has acknowledged and committed again', async () => {
    const host = await connect();
    const board = await loaded(host);
    await host.ask('start', ENDLESS);
    host.write(host.stop(1));
    expect((await host.next(({ name }) => name === 'stop')).message).toMatchObject({
      fields: { stopNumber: 1, state: DEVICE_STATE.safe },
    });
    expect(await host.nextEvent('runEnded')).toMatchObject({ outcome: RUN_OUTCOME.stopped });
    const wrongState = { fields: { reason: REFUSAL.wrongState, state: DEVICE_STATE.safe } };
    expect(await host.ask('start', START)).toMatchObject(wrongState);
    expect(await load(host, 0, uncoupled(board))).toMatchObject({ name: 'commit' });
    expect(await host.ask('start', START)).toMatchObject(wrongState);
    expect(await host.ask('acknowledge', {})).toMatchObject({ fields: { state: DEVICE_STATE.idle } });
    expect(await host.ask('start', START)).toMatchObject({ fields: { reason: REFUSAL.wrongState } });
    await load(host, 0, uncoupled(board));
    expect(await host.ask('start', START)).toMatchObject({ name: 'start' });
    expect(await host.nextEvent('runEnded')).toMatchObject({ outcome: RUN_OUTCOME.completed });
  });

  it('a stop goes before everything queued: commands up to its last request are refused as cancelled', async () => {
    const host = await connect();
    await loaded(host);
    const { requestId } = host;
    const late = [
      host.command('acknowledge', {}),
      host.command('start', ENDLESS),
      host.command('ping', { token: 1 }),
    ];
    host.write(host.stop(1, requestId + 2), ...late);
    expect(await host.answer(requestId + 1)).toMatchObject({ fields: { reason: REFUSAL.cancelled } });
    expect(await host.answer(requestId + 2)).toMatchObject({ fields: { reason: REFUSAL.cancelled } });
    expect(await host.answer(requestId + 3)).toMatchObject({ name: 'ping' });
    expect(await stateOf(host)).toBe(DEVICE_STATE.safe);
  });

  it('an old stop is answered and changes nothing, and a stop of another session is not answered', async () => {
    const host = await connect();
    await loaded(host);
    host.write(host.stop(2));
    await host.next(({ name }) => name === 'stop');
    await host.ask('acknowledge', {});
    for (const number of [2, 1]) {
      host.write(host.stop(number));
      expect((await host.next(({ name }) => name === 'stop')).message).toMatchObject({
        fields: { stopNumber: number, state: DEVICE_STATE.idle },
      });
    }
    const foreign = host.nonce.slice();
    foreign[7] ^= 1;
    expect(await host.until(() => host.write(host.stop(9, host.requestId, foreign)))).toEqual([]);
    expect(await stateOf(host)).toBe(DEVICE_STATE.idle);
    host.write(host.stop(3));
    expect((await host.next(({ name }) => name === 'stop')).message).toMatchObject({
      fields: { stopNumber: 3, state: DEVICE_STATE.safe },
    });
  });

  it('an aborted run is reported before the next one is answered; aborting an ended run is not an error', async () => {
    const host = await connect();
    await loaded(host);
    await host.ask('start', ENDLESS);
    host.write(host.command('abort', { runId: 1 }), host.command('start', START));
    expect(await host.answer(host.requestId)).toMatchObject({ name: 'start', fields: { runId: 2 } });
    const ended = host.heard.find(({ message }) => message.name === 'runEnded');
    expect(ended?.message).toMatchObject({ fields: { runId: 1, outcome: RUN_OUTCOME.aborted } });
    expect(await host.nextEvent('runEnded')).toMatchObject({ runId: 2, outcome: RUN_OUTCOME.completed });
    expect(await host.ask('abort', { runId: 1 })).toMatchObject({ name: 'abort' });
    expect(await host.ask('abort', { runId: 3 })).toMatchObject({ fields: { reason: REFUSAL.outOfRange } });
    expect(await stateOf(host)).toBe(DEVICE_STATE.done);
  });

  it('silence of the host ends a run, puts the board into safe, and is counted', async () => {
    const host = await connect();
    await loaded(host);
    const trips = async () => {
      const { fields } = await host.ask('readCounters', {});
      return 'watchdogTrips' in fields ? fields.watchdogTrips : undefined;
    };
    const before = await trips();
    await host.ask('start', { ...ENDLESS, watchdogMs: WATCHDOG_MS });
    // The host sends nothing until the board has sent a message.
    host.acknowledges = false;
    expect(await host.nextEvent('runEnded')).toMatchObject({ outcome: RUN_OUTCOME.watchdog });
    host.acknowledges = true;
    expect(await stateOf(host)).toBe(DEVICE_STATE.safe);
    expect(await trips()).toBe(before! + 1);
  });

  it('a new session ends the run of the old one without a report, and programs stay', async () => {
    const host = await connect();
    await loaded(host);
    await host.ask('start', ENDLESS);
    const before = host.heard.length;
    await host.hello();
    expect(await host.ask('readStatus', {})).toMatchObject({
      fields: { state: DEVICE_STATE.idle, runId: 0, committedBanks: expect.any(Number) },
    });
    expect(host.heard.slice(before).some(({ message }) => message.name === 'runEnded')).toBe(false);
    const { fields } = await host.ask('readStatus', {});
    expect('committedBanks' in fields && fields.committedBanks & 1).toBe(1);
  });

  it('a reset answers, forgets programs and session, and the boot epoch grows', async () => {
    const host = await connect();
    const { bootEpoch } = await loaded(host);
    expect(await host.ask('reset', {})).toMatchObject({ name: 'reset' });
    // A server may close the connection of a session that is gone.
    const next = host.port.closed ? await connect() : host;
    const again = await next.hello();
    expect(again).toMatchObject({ resumed: 0 });
    expect(again.bootEpoch).toBe(bootEpoch + 1);
    expect(await next.ask('readStatus', {})).toMatchObject({
      fields: { committedBanks: 0, state: DEVICE_STATE.idle },
    });
    expect(await next.ask('start', START)).toMatchObject({ fields: { reason: REFUSAL.notCommitted } });
  });

  it('one client at a time: another client is told BUSY; a client that leaves ends its run', async () => {
    if (!running().hangsUp) return;
    const host = await connect();
    await loaded(host);
    await host.ask('start', ENDLESS);
    const other = await connect();
    other.write(other.helloFrame(other.begin()));
    expect((await other.next(({ name }) => name === 'helloRefused')).message).toMatchObject({
      fields: { reason: REFUSAL.busy, nonce: other.nonce },
    });
    expect(await stateOf(host)).toBe(DEVICE_STATE.running);
    const { nonce } = host;
    await host.port.close();
    // The session has ended with its connection, and its nonce opens no new session.
    const late = await connect();
    late.begin(nonce);
    late.write(late.helloFrame(nonce));
    expect((await late.next(({ name }) => name === 'helloRefused')).message).toMatchObject({
      fields: { reason: REFUSAL.stale, nonce },
    });
    await late.port.close();
    const next = await connect();
    next.write(next.helloFrame(next.begin()));
    expect((await next.next(({ name }) => name === 'hello')).message).toMatchObject({
      fields: { resumed: 0 },
    });
    expect(await next.ask('readStatus', {})).toMatchObject({
      fields: { state: DEVICE_STATE.idle, runId: 0 },
    });
  });

  it('a host that connects again right after it closed its connection gets the board', async () => {
    if (!running().hangsUp) return;
    for (let round = 0; round < 5; round++) {
      const host = await connect();
      await host.hello();
      void host.port.close();
    }
  });

  it('silent connections do not lock out a client', async () => {
    if (!running().hangsUp) return;
    const silent: RawHost[] = [];
    for (let count = 0; count < 2 * CONNECTIONS_MAX; count++) silent.push(await connect());
    const host = await connect();
    await host.hello();
    for (let count = 0; count < 2 * CONNECTIONS_MAX; count++) silent.push(await connect());
    expect(await host.ask('ping', { token: 8 })).toMatchObject({ fields: { token: 8 } });
    await Promise.all(silent.map(({ port }) => port.close()));
  });

  it('of eight clients that want the board of another client, at most one is closed without the answer BUSY', async () => {
    if (!running().hangsUp) return;
    const host = await connect();
    await host.hello();
    const others: RawHost[] = [];
    while (others.length < CONNECTIONS_MAX - 1) others.push(await connect());
    for (const other of others) other.write(other.helloFrame(other.begin()));
    // The ninth connection may find the server full, or may come before a HELLO of another client or after a
    // refusal.
    const ninth = await connect();
    ninth.write(ninth.helloFrame(ninth.begin()));
    let untold = 0;
    for (const other of [...others, ninth]) {
      const refusal = await other.nextEvent('helloRefused').catch((error: unknown) => {
        if (!other.port.closed) throw error;
        untold++;
      });
      if (refusal) expect(refusal.reason).toBe(REFUSAL.busy);
    }
    expect(untold).toBeLessThanOrEqual(1);
    expect(await host.ask('ping', { token: 9 })).toMatchObject({ fields: { token: 9 } });
  });
}
