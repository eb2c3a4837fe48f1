import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { CHANNEL, FrameDecoder } from '../../firmware-protocol/framing.js';
import { fromHex, toHex } from '../support/protocol-vectors.js';

const US_PER_MS = 1000;

/** The orders of tools/session.c, carried out by the TypeScript emulator. */
export class EmulatedSession {
  #device!: EmulatedDevice;
  /** Number of the last command frame that the device sent in this session. */
  lastCommandSeq = 65535;
  readonly #decoder = new FrameDecoder(65536);

  get runId(): number {
    return this.#device.board.runId;
  }

  order(order: string): string[] {
    const [name, ...words] = order.split(' ');
    const nowMs = Number(words[0]) / US_PER_MS;
    switch (name) {
      case 'boot': {
        const [profile, die, boot] = words;
        const dieSeed = Number(die);
        this.#device = new EmulatedDevice({ profile: findProfile(profile)!, dieSeed }, Number(boot));
        return [];
      }
      case 'receive':
        this.#device.receive(fromHex(words[1]), nowMs);
        return [];
      case 'poll':
        return [this.#say(nowMs)];
      case 'elapse':
        this.#device.elapse(nowMs);
        return [];
      case 'advance': {
        const ticks = this.#device.advance(Number(words[0]));
        return [`ticks ${ticks} ${this.#device.ready ? 1 : 0}`];
      }
      case 'disconnect':
        this.#device.disconnect();
        return [];
      default:
        throw new Error(`no such order: ${name}`);
    }
  }

  #say(nowMs: number): string {
    const words = ['say'];
    for (let bytes = this.#device.poll(nowMs); bytes; bytes = this.#device.poll(nowMs)) {
      words.push(toHex(bytes));
      for (const item of this.#decoder.push(bytes)) {
        if (item.kind !== 'frame') continue;
        const { channel, seq, payload } = item.frame;
        if (channel === CHANNEL.open) this.lastCommandSeq = 65535;
        else if (channel === CHANNEL.command && payload.length > 0) this.lastCommandSeq = seq;
      }
    }
    return words.join(' ');
  }
}
