import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame } from '../../firmware-protocol/framing.js';
import { NO_ROW_ELEMENT } from '../../firmware-protocol/limits.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../firmware-protocol/version.js';
import { helloFields } from '../../src/driver/hello.js';
import { Hand, nonce, program, START } from '../support/hand.js';

/** Rows that only amplify. */
const LINEAR = { rowAttenuation: 0, linearRows: NO_ROW_ELEMENT } as const;

describe('sessions, in one chunk of bytes', () => {
  it('a command after HELLO belongs to the new session, a command of the old session is dropped', () => {
    const hand = new Hand();
    hand.say(hand.hello(7));
    const hello = hand.hello(9);
    const said = hand.say(
      hello,
      hand.command('acknowledge', 1, {}, 7),
      hand.command('ping', 1, { token: 5 }),
    );
    expect(said.map(({ name }) => name)).toEqual(['hello', 'ping']);
    expect(hand.device.link.counters.framesForeign).toBe(1);
  });

  it('a HELLO of a later minor version, with any tables, is answered: that host speaks our version too', () => {
    const hand = new Hand();
    const later = { minor: PROTOCOL_MINOR + 1, tableHash: new Uint8Array(8).fill(9) };
    expect(hand.say(hand.hello(7, later))).toMatchObject([
      { name: 'hello', fields: { major: PROTOCOL_MAJOR, minor: PROTOCOL_MINOR } },
    ]);
    expect(hand.device.link.sessionOpen).toBe(true);
  });

  it.each([
    ['major version', { major: PROTOCOL_MAJOR + 1 }],
    ['table hash', { tableHash: new Uint8Array(8) }],
    ['major version and minor', { major: PROTOCOL_MAJOR + 1, minor: PROTOCOL_MINOR + 1 }],
  ])('a HELLO with another %s opens no session', (_, change) => {
    const hand = new Hand();
    expect(hand.say(hand.hello(7, change))).toMatchObject([
      {
        name: 'helloRefused',
        fields: { reason: REFUSAL.version, minor: PROTOCOL_MINOR, tableHash: TABLE_HASH },
      },
    ]);
    expect(hand.device.link.sessionOpen).toBe(false);
  });

  it('a HELLO with a nonce of zeros is rejected without an answer', () => {
    const hand = new Hand();
    expect(hand.say(hand.hello(0, { nonce: new Uint8Array(8) }))).toEqual([]);
    expect(hand.device.link.sessionOpen).toBe(false);
    expect(hand.device.link.counters.messagesRejected).toBe(1);
  });

  it('commands after a reset are not executed', () => {
    const hand = new Hand();
    hand.say(hand.hello(7));
    const said = hand.say(hand.command('reset', 1, {}), hand.command('ping', 2, { token: 5 }));
    expect(said.map(({ name }) => name)).toEqual(['reset']);
    expect(hand.device.board.bootEpoch).toBe(2);
  });

  it('a request that was executed is answered from memory, not executed again', () => {
    const hand = new Hand();
    hand.say(hand.hello(7), ...program(hand, 1));
    const [first] = hand.say(hand.command('start', 5, START));
    expect(first).toMatchObject({ name: 'start', fields: { runId: 1 } });
    const [again] = hand.say(hand.command('start', 5, START));
    expect(again).toMatchObject({ name: 'start', fields: { runId: 1 } });
  });

  it('HELLO does not feed the watchdog', () => {
    const hand = new Hand();
    hand.say(hand.hello(7), ...program(hand, 1), hand.command('start', 5, START));
    const hello = encodeFrame({
      channel: CHANNEL.open,
      session: 7,
      flags: 0,
      seq: 0,
      ack: 0,
      payload: encodeCommand('hello', 0, helloFields(nonce(7), 65536)),
    });
    hand.device.receive(hello, 999);
    hand.device.poll(1000);
    expect(hand.device.board.state).toBe('safe');
  });
});

describe('runs', () => {
  it('an aborted run is reported before the next one begins', () => {
    const hand = new Hand();
    hand.say(hand.hello(7), ...program(hand, 1), hand.command('start', 5, START));
    const said = hand.say(hand.command('abort', 6, { runId: 1 }), hand.command('start', 7, START));
    expect(said.map(({ name }) => name)).toEqual(['abort', 'runEnded', 'start']);
    expect(said[1]).toMatchObject({ fields: { runId: 1 } });
    expect(said[2]).toMatchObject({ fields: { runId: 2 } });
  });

  it('a bank that runs can’t be written, the other one can', () => {
    const hand = new Hand();
    hand.say(hand.hello(7), ...program(hand, 1), hand.command('start', 5, START));
    const define = { mode: 0, cells: 8, rows: 8, couplingBits: 16, ...LINEAR } as const;
    const said = hand.say(
      hand.command('defineProgram', 6, { bank: 0, ...define }),
      hand.command('defineProgram', 7, { bank: 1, ...define }),
    );
    expect(said).toMatchObject([
      { name: 'refusal', fields: { reason: REFUSAL.bankBusy } },
      { name: 'defineProgram' },
    ]);
  });

  it.each([
    [8, 'the same'],
    [7, 'another'],
  ])('a bank that is defined again is zero: %i cells, %s size', (cells) => {
    const hand = new Hand();
    const define = { bank: 0, mode: 0, couplingBits: 16, ...LINEAR } as const;
    const codes = new Uint8Array(2 * 64).fill(7);
    const said = hand.say(
      hand.hello(7),
      hand.command('defineProgram', 1, { ...define, cells: 8, rows: 8 }),
      hand.command('writeCouplings', 2, { bank: 0, firstEntry: 0, codes }),
      hand.command('defineProgram', 3, { ...define, cells, rows: cells }),
      hand.command('readProgram', 4, { bank: 0, section: 0, firstEntry: 0, count: cells * cells }),
    );
    expect(said.at(-1)).toMatchObject({ fields: { codes: new Uint8Array(2 * cells * cells) } });
  });

  it('a program that differs from its digest is not committed', () => {
    const hand = new Hand();
    hand.say(hand.hello(7), ...program(hand, 1));
    const [refused] = hand.say(hand.command('commit', 5, { bank: 0, crc32: 1, crc32c: 2 }));
    expect(refused).toMatchObject({ name: 'refusal', fields: { reason: REFUSAL.digestMismatch } });
  });

  it.each([
    [{ cells: 9, rows: 9 }, REFUSAL.outOfRange],
    [{ rows: 7 }, REFUSAL.outOfRange],
    [{ rowAttenuation: 1 }, REFUSAL.outOfRange],
  ])('a shape that the board does not allow is refused: %j', (change, reason) => {
    const hand = new Hand();
    const shape = {
      bank: 0,
      mode: 0,
      cells: 8,
      rows: 8,
      couplingBits: 16,
      ...LINEAR,
      ...change,
    } as const;
    const said = hand.say(hand.hello(7), hand.command('defineProgram', 1, shape));
    expect(said[1]).toMatchObject({ name: 'refusal', fields: { reason } });
  });
});
