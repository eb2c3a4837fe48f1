/**
 * Orders for tools/session.c: random sessions of a host that sometimes makes mistakes, drawn while the
 * emulator executes them.
 */
import { encodeCommand, encodeEvent } from '../../firmware-protocol/codec.js';
import { CHANNEL, type Channel, encodeFrame } from '../../firmware-protocol/framing.js';
import { ROW_TABLE_NODES } from '../../firmware-protocol/limits.js';
import type { Command, CommandName } from '../../firmware-protocol/messages/index.js';
import { SECTION } from '../../firmware-protocol/messages/program.js';
import { programDigest } from '../../firmware-protocol/program-digest.js';
import {
  linearRowsOf,
  PROGRAM_MODE,
  type ProgramImage,
  type RowElement,
} from '../../firmware-protocol/program-image.js';
import { helloFields } from '../../src/driver/hello.js';
import { integersFrom } from '../support/analog-boards.js';
import { toHex } from '../support/protocol-vectors.js';
import { EmulatedSession } from './emulated-session.js';

type Draw = (low: number, high: number) => number;

const CELLS = 8;

export class RandomSession {
  readonly orders: string[] = [];
  /** The lines that the emulator printed. */
  readonly lines: string[] = [];
  readonly #emulator = new EmulatedSession();
  readonly #draw: Draw;
  #timeUs = 1_000_000;
  #nonce = Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1);
  #seq = 0;
  #requestId = 0;
  #stopNumber = 0;
  #runId = 0;
  /** The last command frame of the device that this host acknowledges. */
  #ack = 65535;
  readonly #images: [ProgramImage, ProgramImage];
  readonly #sent: Uint8Array[] = [];

  constructor(seed: number, steps: number) {
    this.#draw = integersFrom(seed);
    this.#images = [this.#image(), this.#image()];
    this.#order(`boot ideal-8 ${seed} 1`);
    this.#hello(false);
    for (let step = 0; step < steps; step++) this.#step();
  }

  #chance(percent: number): boolean {
    return this.#draw(0, 99) < percent;
  }

  #pick<T>(...items: readonly T[]): T {
    return items[this.#draw(0, items.length - 1)];
  }

  #image(): ProgramImage {
    const draw = this.#draw;
    const dense = this.#chance(50);
    const cells = draw(1, CELLS);
    const rows = dense ? cells : draw(1, CELLS);
    const couplingBits = draw(4, 16);
    const most = 2 ** (couplingBits - 1) - 1;
    const couplings = new (couplingBits <= 8 ? Int8Array : Int16Array)(rows * cells).map(() =>
      draw(-most, most),
    );
    if (dense) for (let i = 0; i < cells; i++) couplings[i * cells + i] = most;
    const codes = () => Int16Array.from({ length: cells }, () => draw(-20000, 20000));
    return {
      mode: dense ? PROGRAM_MODE.dense : PROGRAM_MODE.factored,
      cells,
      rows,
      couplingBits,
      rowAttenuation: dense ? 0 : draw(0, 3),
      couplings,
      drive: codes(),
      initialState: codes(),
      damping: draw(0, 32768),
      noiseAmplitude: this.#pick(0, 12288, 24575),
      noiseShift: draw(8, 24),
      // A dense program with a row element is refused.
      rowElement: this.#chance(dense ? 5 : 50) ? this.#rowElement(rows) : undefined,
    };
  }

  #rowElement(rows: number): RowElement {
    const draw = this.#draw;
    const table = Int16Array.from({ length: ROW_TABLE_NODES }, () => draw(-32768, 32767));
    const drive = Int16Array.from({ length: rows }, () => draw(-9000, 9000));
    return { linearRows: draw(0, rows), table, drive };
  }

  #step(): void {
    const draw = this.#draw;
    this.#timeUs += this.#pick(0, 0, 100, 1000);
    const what = draw(0, 99);
    if (what < 22) this.#loadSome();
    else if (what < 34) this.#start();
    else if (what < 44) this.#order(`advance ${this.#pick(0, 1, 3, 17, 400)}`);
    else if (what < 52) this.#credit();
    else if (what < 58) this.#ask();
    else if (what < 61) this.#command('abort', { runId: Math.max(1, this.#runId + draw(-1, 0)) });
    else if (what < 66) this.#command('acknowledge', {});
    else if (what < 68) this.#stop();
    else if (what < 72) this.#wrong();
    else if (what < 75) this.#again();
    else if (what < 76) this.#hello(this.#chance(50));
    else if (what < 77) this.#elapseLong();
    else if (what < 78 && this.#chance(40)) this.#leave();
    else this.#poll();
    if (this.#chance(55)) this.#poll();
  }

  #order(order: string): void {
    this.orders.push(order);
    this.lines.push(...this.#emulator.order(order));
  }

  #poll(): void {
    this.#order(`poll ${this.#timeUs}`);
    // If the acknowledgement is late, the device sends frames again.
    if (this.#chance(85)) this.#ack = this.#emulator.lastCommandSeq;
  }

  #receive(bytes: Uint8Array): void {
    this.#order(`receive ${this.#timeUs} ${toHex(bytes)}`);
  }

  #frame(channel: Channel, seq: number, payload: Uint8Array, change = {}): Uint8Array {
    const frame = { channel, session: this.#nonce[0], flags: 0, seq, ack: this.#ack, payload, ...change };
    const bytes = encodeFrame(frame).slice();
    this.#sent.push(bytes);
    if (this.#sent.length > 12) this.#sent.shift();
    return bytes;
  }

  #command<N extends CommandName>(name: N, fields: Command<N>): void {
    const payload = encodeCommand(name, ++this.#requestId, fields);
    this.#receive(this.#frame(CHANNEL.command, this.#seq++ & 0xffff, payload));
  }

  #hello(same: boolean): void {
    if (!same) {
      this.#nonce = Uint8Array.from({ length: 8 }, () => this.#draw(1, 255));
      this.#seq = 0;
      this.#requestId = 0;
      this.#stopNumber = 0;
      this.#runId = 0;
    }
    const fields = {
      ...helloFields(this.#nonce, this.#pick(256, 300, 65536)),
      window: this.#pick(1, 4, 1024),
      purpose: this.#pick<0 | 1>(0, 0, 0, 1),
    };
    this.#receive(this.#frame(CHANNEL.open, 0, encodeCommand('hello', 0, fields)));
    this.#poll();
  }

  #loadSome(): void {
    const draw = this.#draw;
    const bank = draw(0, 1);
    if (this.#chance(10)) this.#images[bank] = this.#image();
    const image = this.#images[bank];
    const { mode, cells, rows, couplingBits, rowAttenuation, damping, noiseAmplitude, noiseShift } = image;
    const { rowElement } = image;
    const bytes = (codes: Int8Array | Int16Array) => new Uint8Array(codes.buffer);
    const wrong = this.#chance(4) ? 1 : 0;
    const parts = [
      () =>
        this.#command('defineProgram', {
          bank,
          mode,
          cells: cells + wrong,
          rows,
          couplingBits,
          rowAttenuation,
          linearRows: linearRowsOf(image),
        }),
      () => this.#command('writeCouplings', { bank, firstEntry: wrong, codes: bytes(image.couplings) }),
      () => this.#command('writeDrive', { bank, firstCell: wrong, codes: bytes(image.drive) }),
      () => this.#command('writeInitialState', { bank, firstCell: 0, codes: bytes(image.initialState) }),
      ...(rowElement
        ? [
            () => this.#command('writeRowTable', { bank, firstNode: wrong, codes: bytes(rowElement.table) }),
            () => this.#command('writeRowDrive', { bank, firstRow: wrong, codes: bytes(rowElement.drive) }),
          ]
        : []),
      () =>
        this.#command('setRegisters', {
          bank,
          damping,
          noiseAmplitude: wrong === 1 ? 777 : noiseAmplitude,
          noiseShift,
        }),
      () => this.#command('commit', { bank, ...programDigest({ ...image, damping: damping + wrong }) }),
    ];
    if (this.#chance(70)) for (const part of parts) part();
    else this.#pick(...parts)();
  }

  #start(): void {
    const draw = this.#draw;
    // A host either waits for the missing blocks of the previous run, or it ends that run. Otherwise the
    // device may send a ready block before or after it handles the start.
    if (this.#chance(80)) this.#poll();
    else this.#command('abort', { runId: Math.max(1, this.#emulator.runId) });
    const statistics = this.#pick<0 | 1 | 2>(0, 0, 0, 1, 2);
    this.#command('start', {
      bank: draw(0, 1),
      runSeed: draw(0, 4294967295),
      firstTick: this.#pick(0, 5, 2 ** 32 - 3, 2 ** 53 - 100),
      startState: draw(0, 1) as 0 | 1,
      burnInTicks: this.#pick(0, 0, 1, 30),
      sampleCount: this.#pick(0, 1, 5, 40, 500),
      ticksPerSample: this.#pick(0, 1, 2),
      blockSamples: this.#pick(0, 1, 3),
      onNoCredit: draw(0, 1) as 0 | 1,
      onOverload: draw(0, 1) as 0 | 1,
      watchdogMs: this.#pick(100, 1000),
      creditBlocks: this.#pick(0, 1, 3, 1000),
      keepBlocks: this.#pick(0, 0, 1, 4, 64),
      statistics,
      batchSamples: statistics === 0 ? 0 : this.#pick(1, 5, 5, 20, 0),
    });
    // The start is usually accepted. If not, later credits belong to a run that does not exist.
    if (this.#chance(70)) this.#runId++;
    if (this.#chance(50)) this.#poll();
    this.#order(`advance ${this.#pick(1, 10, 300)}`);
  }

  #credit(): void {
    const draw = this.#draw;
    const runId = Math.max(1, this.#runId + this.#pick(0, 0, 0, -1, 1));
    const fields = { runId, blocks: this.#pick(1, 2, 5, 20, 600), released: draw(0, 12) };
    const payload = this.#chance(60)
      ? encodeEvent('credit', 0, fields)
      : encodeEvent('resend', 0, { runId, firstBlock: draw(0, 9), count: draw(1, 64) });
    this.#receive(this.#frame(CHANNEL.sample, 0, payload));
  }

  #ask(): void {
    const draw = this.#draw;
    this.#pick(
      () => this.#command('ping', { token: draw(0, 4294967295) }),
      // The tick of a run is printed only after an order that lets ticks pass.
      () => {
        this.#order('advance 1');
        this.#command('readStatus', {});
      },
      () => this.#command('readCounters', {}),
      () =>
        this.#command('readProgram', {
          bank: draw(0, 1),
          section: this.#pick(...Object.values(SECTION)),
          firstEntry: draw(0, 10),
          count: this.#pick(1, 4, 64, 65536),
        }),
      () =>
        this.#command('readAverages', {
          runId: Math.max(1, this.#runId + this.#pick(0, 0, 0, -1)),
          part: this.#pick<0 | 1>(0, 1),
          firstEntry: this.#pick(0, 0, 0, 3, 900),
          count: this.#pick(1, 1, 4, 30, 65536),
        }),
      () => {
        if (this.#chance(5)) this.#command('reset', {});
      },
    )();
  }

  #stop(): void {
    const stopNumber = (this.#stopNumber += this.#pick(0, 1, 1)) || 1;
    const fields = { nonce: this.#nonce, stopNumber, lastRequestId: this.#requestId + this.#pick(0, 0, 2) };
    this.#receive(this.#frame(CHANNEL.stop, 0, encodeCommand('stop', 0, fields)));
  }

  /** Frames that are wrong in some way. */
  #wrong(): void {
    const draw = this.#draw;
    const ping = encodeCommand('ping', this.#requestId + 1, { token: 1 });
    const cut = ping.slice(0, draw(0, ping.length));
    const mutated = ping.slice();
    mutated[draw(0, mutated.length - 1)] = draw(0, 255);
    const noise = Uint8Array.from({ length: draw(1, 30) }, () => draw(0, 255));
    this.#pick(
      () => this.#receive(this.#frame(CHANNEL.command, this.#seq + draw(1, 3), ping)),
      () => this.#receive(this.#frame(CHANNEL.command, (this.#seq - draw(1, 3)) & 0xffff, ping)),
      () => this.#receive(this.#frame(CHANNEL.command, this.#seq++, cut)),
      () => this.#receive(this.#frame(CHANNEL.command, this.#seq++, mutated)),
      () => this.#receive(this.#frame(CHANNEL.command, 0, ping, { session: (this.#nonce[0] % 255) + 1 })),
      () => this.#receive(this.#frame(this.#pick(0, 2, 3), 0, ping)),
      () => this.#receive(this.#frame(CHANNEL.command, this.#seq, ping, { flags: 1 })),
      () =>
        this.#receive(
          this.#frame(CHANNEL.command, 0, new Uint8Array(0), { ack: draw(0, 65535), flags: draw(0, 1) }),
        ),
      () => this.#receive(noise),
    )();
  }

  /** Repeats an earlier frame, unchanged or with one changed byte. */
  #again(): void {
    const bytes = this.#pick(...this.#sent).slice();
    if (this.#chance(30)) bytes[this.#draw(0, bytes.length - 1)] ^= 1 << this.#draw(0, 7);
    this.#receive(bytes);
  }

  /** A long silence. The watchdog trips, and all unacknowledged frames are sent again. */
  #elapseLong(): void {
    this.#timeUs += this.#pick(120_000, 3_000_000);
    this.#order(`elapse ${this.#timeUs}`);
    this.#poll();
  }

  #leave(): void {
    this.#order('disconnect');
    this.#hello(this.#chance(30));
  }
}
