import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { decodeToHost, encodeCommand, encodeEvent, type ToHost } from '../../firmware-protocol/codec.js';
import { CHANNEL, type Channel, encodeFrame, FrameDecoder } from '../../firmware-protocol/framing.js';
import type { Command, CommandName } from '../../firmware-protocol/messages/index.js';
import { programDigest } from '../../firmware-protocol/program-digest.js';
import { linearRowsOf } from '../../firmware-protocol/program-image.js';
import { helloFields } from '../../src/driver/hello.js';
import { joined } from './frames.js';
import { diagonalProgram } from './test-board.js';

export const nonce = (first: number): Uint8Array => Uint8Array.of(first, 1, 1, 1, 1, 1, 1, 1);

/** A host that writes single frames: no driver stands between the test and the device's bytes. */
export class Hand {
  readonly device: EmulatedDevice;
  readonly #decoder = new FrameDecoder(65536);
  #session = 0;
  #seq = 0;

  constructor(profileName = 'ideal-8') {
    this.device = new EmulatedDevice({ profile: findProfile(profileName)!, dieSeed: 1 });
  }

  hello(first: number, change: Partial<Command<'hello'>> = {}): Uint8Array {
    this.#session = first;
    this.#seq = 0;
    const fields = { ...helloFields(nonce(first), 65536), ...change };
    return this.#frame(CHANNEL.open, 0, encodeCommand('hello', 0, fields));
  }

  stop(stopNumber: number, lastRequestId = 0): Uint8Array {
    const fields = { nonce: nonce(this.#session), stopNumber, lastRequestId };
    return this.#frame(CHANNEL.stop, 0, encodeCommand('stop', 0, fields));
  }

  credit(runId: number, blocks: number, released = 0): Uint8Array {
    return this.#frame(CHANNEL.sample, 0, encodeEvent('credit', 0, { runId, blocks, released }));
  }

  resend(runId: number, firstBlock: number, count: number): Uint8Array {
    return this.#frame(CHANNEL.sample, 0, encodeEvent('resend', 0, { runId, firstBlock, count }));
  }

  /** Acknowledges the device's command frames up to this one. */
  acknowledgement(ack: number): Uint8Array {
    const header = { channel: CHANNEL.command, session: this.#session, flags: 0, seq: this.#seq };
    return encodeFrame({ ...header, ack, payload: new Uint8Array(0) });
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

  /** Gives the device one chunk. Returns its answers. */
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

export const START = {
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
  keepBlocks: 0,
  statistics: 0,
  batchSamples: 0,
} as const;

/** The commands that load and commit a program of 8 cells. */
export function program(hand: Hand, firstRequest: number): Uint8Array[] {
  const image = diagonalProgram(8);
  const { mode, cells, rows, couplingBits, rowAttenuation } = image;
  return [
    hand.command('defineProgram', firstRequest, {
      bank: 0,
      mode,
      cells,
      rows,
      couplingBits,
      rowAttenuation,
      linearRows: linearRowsOf(image),
    }),
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
