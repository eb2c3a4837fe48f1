import { expect, it } from 'vitest';
import { encodeCommand } from '../../firmware-protocol/codec.js';
import { DEVICE_STATE } from '../../firmware-protocol/device-status.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { HELLO_PURPOSE, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';
import type { ContractBoard } from './contract.js';
import { loaded, START } from './loaded-board.js';
import { newNonce, type RawHost } from './raw-host.js';

const MAX_UNKNOWN_OPCODE = 127;

/** HELLO, frames, and the duties of a board on the command channel. */
export function describeSessions({ connect, running }: ContractBoard): void {
  const counters = async (host: RawHost) => {
    const { name, fields } = await host.ask('readCounters', {});
    if (name !== 'readCounters') throw new Error('refused');
    return fields;
  };

  it('the answer to HELLO describes the board; a repeated HELLO changes nothing, another nonce opens another session', async () => {
    const host = await connect();
    const board = await host.hello();
    expect(board).toMatchObject({
      nonce: host.nonce,
      major: PROTOCOL_MAJOR,
      minor: PROTOCOL_MINOR,
      tableHash: TABLE_HASH,
      resumed: 0,
    });
    expect(board.noiseShiftMax).toBeGreaterThanOrEqual(board.noiseShiftMin);
    expect(board.features & 3).not.toBe(0);
    await host.ask('ping', { token: 1 });
    host.write(host.helloFrame(host.nonce));
    const again = await host.next((message) => message.name === 'hello');
    expect(again.message).toMatchObject({ fields: { ...board, resumed: 1 } });
    expect(await host.ask('ping', { token: 2 })).toMatchObject({ name: 'ping', fields: { token: 2 } });
    // The next session must know nothing of this stop.
    host.write(host.stop(1));
    await host.next(({ name }) => name === 'stop');
    expect(await host.hello()).toMatchObject({ resumed: 0, bootEpoch: board.bootEpoch });
    expect(await host.ask('readStatus', {})).toMatchObject({
      fields: { state: DEVICE_STATE.idle, runId: 0, stopNumber: 0, nonce: host.nonce },
    });
  });

  it('a HELLO of a later minor version is answered with the board’s minor version', async () => {
    const host = await connect();
    host.write(host.helloFrame(host.begin(), { minor: PROTOCOL_MINOR + 1, tableHash: new Uint8Array(8) }));
    const { message } = await host.next(({ name }) => name === 'hello');
    expect(message).toMatchObject({ fields: { nonce: host.nonce, minor: PROTOCOL_MINOR, resumed: 0 } });
  });

  it.each([
    ['major version', { major: PROTOCOL_MAJOR + 1 }],
    ['table hash', { tableHash: new Uint8Array(8) }],
  ])('a HELLO with another %s is refused and opens no session', async (_, change) => {
    const host = await connect();
    host.write(host.helloFrame(host.begin(), change));
    const { message } = await host.next(({ name }) => name === 'helloRefused');
    expect(message).toMatchObject({
      fields: { nonce: host.nonce, reason: REFUSAL.version, major: PROTOCOL_MAJOR, minor: PROTOCOL_MINOR },
    });
    // The board has no session yet, so it takes no command.
    host.write(host.command('ping', { token: 1 }));
    const before = host.heard.length;
    await host.hello();
    expect(host.heard.slice(before).map((one) => one.message.name)).toEqual(['hello']);
  });

  it('a HELLO with purpose resume opens no session: its answer only tells whether the session is open', async () => {
    const host = await connect();
    const unknown = newNonce();
    host.write(host.helloFrame(unknown, { purpose: HELLO_PURPOSE.resume }));
    const asked = await host.next(({ name }) => name === 'hello');
    expect(asked.message).toMatchObject({ fields: { nonce: unknown, resumed: 0 } });
    await host.hello();
    host.write(host.helloFrame(unknown, { purpose: HELLO_PURPOSE.resume }));
    const again = await host.next(({ name }) => name === 'hello');
    expect(again.message).toMatchObject({ fields: { nonce: unknown, resumed: 0 } });
    // The open session continues.
    expect(await host.ask('ping', { token: 5 })).toMatchObject({ fields: { token: 5 } });
    host.write(host.helloFrame(host.nonce, { purpose: HELLO_PURPOSE.resume }));
    const own = await host.next(({ name }) => name === 'hello');
    expect(own.message).toMatchObject({ fields: { resumed: 1 } });
  });

  it('a nonce with the first byte of one of the last five sessions is refused, and another nonce opens a session', async () => {
    const host = await connect();
    const nonces: Uint8Array[] = [];
    for (let i = 0; i < 6; i++) {
      await host.hello();
      nonces.push(host.nonce);
    }
    for (const earlier of nonces.slice(1)) {
      const nonce = newNonce().fill(earlier[0], 0, 1);
      host.write(host.helloFrame(nonce));
      const refused = await host.next(({ name }) => name === 'helloRefused');
      expect(refused.message).toMatchObject({ fields: { nonce, reason: REFUSAL.stale } });
    }
    // The open session continues.
    expect(await host.ask('ping', { token: 5 })).toMatchObject({ fields: { token: 5 } });
    const free = newNonce().fill(nonces[0][0], 0, 1);
    host.write(host.helloFrame(host.begin(free)));
    const opened = await host.next(({ name }) => name === 'hello');
    expect(opened.message).toMatchObject({ fields: { nonce: free, resumed: 0 } });
  });

  it('a nonce of zeros is not answered', async () => {
    const host = await connect();
    host.write(host.helloFrame(new Uint8Array(8)));
    await host.hello();
    expect(host.heard.map(({ message }) => message.name)).toEqual(['hello']);
    if (!running().hangsUp) expect((await counters(host)).messagesRejected).toBeGreaterThan(0);
  });

  it('frames of another session are counted and dropped, also in the same chunk as HELLO', async () => {
    const host = await connect();
    await host.hello();
    const before = await counters(host);
    const old = host.command('ping', { token: 1 });
    const hello = host.helloFrame(host.begin());
    const all = Buffer.concat([hello, old, host.command('ping', { token: 2 })]);
    host.write(all);
    expect(await host.answer<'ping'>(1)).toMatchObject({ fields: { token: 2 } });
    expect((await counters(host)).framesForeign).toBe(before.framesForeign + 1);
  });

  it('bytes may be cut anywhere, and random bytes between frames only increase a count', async () => {
    const host = await connect();
    await host.hello();
    const before = await counters(host);
    const wrong = host.frame(CHANNEL.command, host.seq, encodeCommand('ping', 99, { token: 9 }));
    // One bit is flipped, in a byte that does not become a delimiter.
    const at = wrong.findIndex((byte) => byte > 1);
    wrong[at] ^= 1;
    const chunk = Buffer.concat([Buffer.from([1, 2, 3, 0, 0, 0]), wrong, host.command('ping', { token: 3 })]);
    for (const byte of chunk) host.write(Uint8Array.of(byte));
    expect(await host.answer<'ping'>(host.requestId)).toMatchObject({ fields: { token: 3 } });
    expect((await counters(host)).framesFaulty).toBe(before.framesFaulty + 2);
  });

  it('a frame that is too long for the board is dropped completely, and the next one is taken', async () => {
    const host = await connect();
    const { frameBytes } = await host.hello();
    const before = await counters(host);
    host.write(
      new Uint8Array(frameBytes + 2000).fill(7),
      Uint8Array.of(0),
      host.command('ping', { token: 4 }),
    );
    expect(await host.answer<'ping'>(host.requestId)).toMatchObject({ fields: { token: 4 } });
    expect((await counters(host)).framesFaulty).toBe(before.framesFaulty + 1);
  });

  it('after a gap there is one nak, and the repeated frames are executed once and in order', async () => {
    const host = await connect();
    await host.hello();
    const frames = [1, 2, 3, 4].map((token) => host.command('ping', { token }));
    host.write(frames[0], frames[2], frames[3]);
    await host.next((_, { flags, ack }) => flags === 1 && ack === 0);
    host.write(frames[1], frames[2], frames[3], frames[3]);
    expect(await host.answer<'ping'>(4)).toMatchObject({ fields: { token: 4 } });
    const { framesDuplicate } = await counters(host);
    expect(framesDuplicate).toBeGreaterThan(0);
    const tokens = host.heard.flatMap(({ message }) => (message.name === 'ping' ? [message.requestId] : []));
    expect(tokens).toEqual([1, 2, 3, 4]);
    expect(host.heard.filter(({ frame }) => frame.flags === 1)).toHaveLength(1);
  });

  it('frames that are not acknowledged come again, in order', async () => {
    const host = await connect();
    await host.hello();
    host.acknowledges = false;
    host.write(host.command('ping', { token: 1 }), host.command('ping', { token: 2 }));
    const said: number[] = [];
    while (said.length < 4) {
      const { message } = await host.next(({ name }) => name === 'ping');
      if (message.name === 'ping') said.push(message.requestId);
    }
    expect(said).toEqual([1, 2, 1, 2]);
  });

  it('after a nak all unacknowledged frames come again at once', async () => {
    const host = await connect();
    await host.hello();
    host.acknowledges = false;
    host.write(host.command('ping', { token: 1 }), host.command('ping', { token: 2 }));
    await host.answer<'ping'>(2);
    // This frame acknowledges the first answer and asks for the second one again.
    host.write(host.frame(CHANNEL.command, host.seq, new Uint8Array(0), { ack: 0, flags: 1 }));
    const { message } = await host.next(({ name }) => name === 'ping');
    expect(message).toMatchObject({ requestId: 2 });
  });

  it('a request that was executed gets its kept answer again; a request that is too old is refused as stale', async () => {
    const host = await connect();
    const { answerCache } = await loaded(host);
    const first = await host.ask('start', START);
    expect(first).toMatchObject({ name: 'start', fields: { runId: 1 } });
    const { requestId } = host;
    await host.nextEvent('runEnded');
    host.write(host.command('start', START, requestId));
    expect(await host.answer<'start'>(requestId)).toMatchObject({ name: 'start', fields: { runId: 1 } });
    for (let i = 0; i < answerCache; i++) await host.ask('acknowledge', {});
    host.write(host.command('start', START, requestId));
    expect(await host.answer<'start'>(requestId)).toMatchObject({
      name: 'refusal',
      fields: { reason: REFUSAL.stale },
    });
    expect(await host.ask('readStatus', {})).toMatchObject({ fields: { runId: 1 } });
  });

  it('a payload that is not a command is refused with a reason; on a wrong channel it is only counted', async () => {
    const host = await connect();
    await host.hello();
    const before = await counters(host);
    const ping = (token: number) => encodeCommand('ping', ++host.requestId, { token });
    const unknown = Uint8Array.of(0x92, MAX_UNKNOWN_OPCODE, ++host.requestId);
    host.write(host.frame(CHANNEL.command, host.seq++, unknown));
    expect(await host.answer(host.requestId)).toMatchObject({
      fields: { reason: REFUSAL.unknownCommand, opcode: MAX_UNKNOWN_OPCODE },
    });
    const tooShort = Uint8Array.of(0x92, 1, ++host.requestId);
    host.write(host.frame(CHANNEL.command, host.seq++, tooShort));
    expect(await host.answer(host.requestId)).toMatchObject({
      fields: { reason: REFUSAL.badMessage, opcode: 1 },
    });
    const said = await host.until(() => host.write(host.frame(CHANNEL.sample, 0, ping(1))));
    expect(said).toEqual([]);
    expect((await counters(host)).messagesRejected).toBe(before.messagesRejected + 3);
  });

  it('a command with request id 0 is a bad message, and no stop has cancelled it', async () => {
    const host = await connect();
    await host.hello();
    const before = await counters(host);
    for (const name of ['readStatus', 'acknowledge'] as const) {
      host.write(host.command(name, {}, 0));
      expect((await host.next((said) => said.name === 'refusal')).message).toMatchObject({
        requestId: 0,
        fields: { reason: REFUSAL.badMessage },
      });
    }
    expect((await counters(host)).messagesRejected).toBe(before.messagesRejected + 2);
  });

  it('a line full of zero bytes does no harm', async () => {
    const host = await connect();
    await host.hello();
    const before = await counters(host);
    host.write(new Uint8Array(65536));
    expect(await host.ask('ping', { token: 6 })).toMatchObject({ fields: { token: 6 } });
    expect((await counters(host)).framesFaulty).toBe(before.framesFaulty);
  });
}
