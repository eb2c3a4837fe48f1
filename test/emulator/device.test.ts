import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { decodeToHost, encodeCommand, type ToHost } from '../../firmware-protocol/codec.js';
import { CHANNEL, type Channel, encodeFrame, FrameDecoder } from '../../firmware-protocol/framing.js';
import type { Command, CommandName } from '../../firmware-protocol/messages/index.js';
import { REFUSAL } from '../../firmware-protocol/messages/system.js';
import { programDigest } from '../../firmware-protocol/program-digest.js';
import { helloFields } from '../../src/driver/hello.js';
import { joined } from '../support/frames.js';
import { diagonalProgram } from '../support/test-board.js';

const nonce = (first: number): Uint8Array => Uint8Array.of(first, 1, 1, 1, 1, 1, 1, 1);

/** A host that writes frames by hand: nothing between the test and the device's bytes. */
class Hand {
  readonly device = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
  readonly #decoder = new FrameDecoder(65536);
  #session = 0;
  #seq = 0;

  hello(first: number): Uint8Array {
    this.#session = first;
    this.#seq = 0;
    return this.#frame(CHANNEL.open, 0, encodeCommand('hello', 0, helloFields(nonce(first), 65536)));
  }

  command<N extends CommandName>(
    name: N,
    requestId: number,
    fields: Command<N>,
    session = this.#session,
  ): Uint8Array {
    const payload = encodeCommand(name, requestId, fields);
    const seq = session === this.#session ? this.#seq++ : 0;
    return this.#frame(CHANNEL.command, seq, payload, session);
  }

  #frame(channel: Channel, seq: number, payload: Uint8Array, session = this.#session): Uint8Array {
    return encodeFrame({ channel, session, flags: 0, seq, ack: 65535, payload });
  }

  /** Gives the device one chunk; what it says to it. */
  say(...frames: Uint8Array[]): ToHost[] {
    this.device.receive(joined(frames), 0);
    const said: ToHost[] = [];
    for (let bytes = this.device.poll(0); bytes; bytes = this.device.poll(0))
      for (const item of this.#decoder.push(bytes))
        if (item.kind === 'frame' && item.frame.payload.length > 0) {
          const message = decodeToHost(item.frame.payload);
          if (message.kind !== 'bad') said.push(message);
        }
    return said;
  }
}

const START = {
  bank: 0,
  runSeed: 1,
  firstTick: 0,
  startState: 0,
  burnInTicks: 1000,
  sampleCount: 1,
  ticksPerSample: 1,
  blockSamples: 0,
  onNoCredit: 0,
  onOverload: 0,
  watchdogMs: 1000,
  creditBlocks: 8,
} as const;

function program(hand: Hand, firstRequest: number): Uint8Array[] {
  const image = diagonalProgram(8);
  const { mode, cells, rows, couplingBits, rowAttenuation } = image;
  return [
    hand.command('defineProgram', firstRequest, { bank: 0, mode, cells, rows, couplingBits, rowAttenuation }),
    hand.command('writeCouplings', firstRequest + 1, {
      bank: 0,
      firstEntry: 0,
      codes: new Uint8Array(image.couplings.buffer),
    }),
    hand.command('writeDrive', firstRequest + 2, {
      bank: 0,
      firstCell: 0,
      codes: new Uint8Array(image.drive.buffer),
    }),
    hand.command('commit', firstRequest + 3, { bank: 0, ...programDigest(image) }),
  ];
}

describe('sessions, in one chunk of bytes', () => {
  it('a command behind HELLO belongs to the new session, one of the old session is dropped', () => {
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

  it('what comes behind a reset is not executed', () => {
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
    const define = { mode: 0, cells: 8, rows: 8, couplingBits: 16, rowAttenuation: 0 } as const;
    const said = hand.say(
      hand.command('defineProgram', 6, { bank: 0, ...define }),
      hand.command('defineProgram', 7, { bank: 1, ...define }),
    );
    expect(said).toMatchObject([
      { name: 'refusal', fields: { reason: REFUSAL.bankBusy } },
      { name: 'defineProgram' },
    ]);
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
  ])('a shape that the board can’t hold is refused: %j', (change, reason) => {
    const hand = new Hand();
    const shape = {
      bank: 0,
      mode: 0,
      cells: 8,
      rows: 8,
      couplingBits: 16,
      rowAttenuation: 0,
      ...change,
    } as const;
    const said = hand.say(hand.hello(7), hand.command('defineProgram', 1, shape));
    expect(said[1]).toMatchObject({ name: 'refusal', fields: { reason } });
  });
});
