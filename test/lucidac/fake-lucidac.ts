import { createServer, type Server, type Socket } from 'node:net';
import { FrameSplitter, framed } from '../../src/lucidac/frames.js';
import { type Body, decode, encode, type InitialBody } from '../../src/lucidac/messages.js';
import { ADC_STEP, type CodeRows, FakeMachine, type MachineErrors } from './fake-machine.js';

export const MAC = '04-E9-E5-16-09-92';
/** A machine without errors, except for those of its ADC and coefficients. */
export const IDEAL: MachineErrors = { gain: 0, offset: 0, noise: 0 };
/** Errors as assumed of a calibrated machine. */
export const USUAL: MachineErrors = { gain: 0.01, offset: 0.003, noise: 0.001 };

type Command = Exclude<keyof Body<'Message'>, 'id'>;

/** The faults of the fake. */
export interface Faults {
  /** Number of commands that are answered by "busy". */
  busy?: number;
  /** This command is refused with this text. */
  refuse?: readonly [Command, string];
  /** This command is never answered. */
  silent?: Command;
  /** What goes wrong in a run. */
  run?: 'hang' | 'error' | 'lose' | 'few' | 'many' | 'no end' | 'garbled' | 'overload';
  /** The fake answers all bytes by these bytes, and by nothing else. */
  answer?: Uint8Array;
  /** The fake answers the end of a line by these bytes, and nothing else. */
  answerAfterLine?: Uint8Array;
}

export interface FakeLucidac {
  readonly port: number;
  readonly machine: FakeMachine;
  /** Commands since the start, by their names. */
  readonly commands: string[];
  readonly faults: Faults;
  readonly clients: number;
  close(): Promise<void>;
}

export interface FakeOptions {
  readonly seed?: number;
  readonly errors?: MachineErrors;
  readonly faults?: Faults;
  readonly carriers?: number;
}

/** Serves our imitation of a LUCIDAC with protocol 2.x at a port of the loopback. */
export async function startFake(options: FakeOptions = {}): Promise<FakeLucidac> {
  const machine = new FakeMachine(options.seed ?? 1, options.errors ?? IDEAL);
  const commands: string[] = [];
  const faults = options.faults ?? {};
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    const session = new Session(socket, machine, faults, commands, options.carriers ?? 1);
    socket.on('data', (bytes) => session.receive(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    ...{ machine, commands, faults },
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get clients() {
      return sockets.size;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const RUN_STATES = { takeOff: 4, initial: 5, operating: 6, end: 7, done: 2, error: 1 } as const;

class Session {
  readonly #socket: Socket;
  readonly #machine: FakeMachine;
  readonly #faults: Faults;
  readonly #commands: string[];
  readonly #carriers: number;
  readonly #splitter = new FrameSplitter();

  constructor(socket: Socket, machine: FakeMachine, faults: Faults, commands: string[], carriers: number) {
    this.#socket = socket;
    this.#machine = machine;
    this.#faults = faults;
    this.#commands = commands;
    this.#carriers = carriers;
  }

  receive(bytes: Uint8Array): void {
    if (this.#faults.answer !== undefined) {
      this.#socket.write(this.#faults.answer);
      return;
    }
    if (this.#faults.answerAfterLine !== undefined) {
      if (Buffer.from(bytes).includes('}\n')) this.#socket.write(this.#faults.answerAfterLine);
      return;
    }
    for (const message of this.#splitter.push(bytes) ?? []) {
      const envelope = decode('Envelope', message);
      if (envelope?.generic?.pingCommand !== undefined && this.#faults.silent !== 'success')
        this.#send({ generic: { pingResponse: {} } });
      if (envelope?.message !== undefined) this.#take(envelope.message);
    }
  }

  #send(envelope: InitialBody<'Envelope'>): void {
    if (!this.#socket.destroyed) this.#socket.write(framed(encode('Envelope', envelope)));
  }

  #take(message: Body<'Message'>): void {
    const command = Object.keys(message).find((key) => key.endsWith('Command')) as Command | undefined;
    if (command === undefined) return;
    const answer = (body: Omit<InitialBody<'Message'>, 'id'>): void =>
      this.#send({ message: { id: message.id, ...body } });
    if ((this.#faults.busy ?? 0) > 0) {
      this.#faults.busy!--;
      answer({ busy: {} });
      return;
    }
    this.#commands.push(command);
    if (this.#faults.silent === command) return;
    const [refused, text] = this.#faults.refuse ?? [];
    if (refused === command) {
      answer({ error: { code: 7, description: text } });
      return;
    }
    this.#carryOut(message, answer);
  }

  #carryOut(message: Body<'Message'>, answer: (body: Omit<InitialBody<'Message'>, 'id'>) => void): void {
    const machine = this.#machine;
    if (message.extractCommand !== undefined) answer({ extractResponse: { module: this.#tree() } });
    if (message.resetCommand !== undefined) {
      const { keepCalibration, overloadReset, circuitReset } = message.resetCommand;
      if (circuitReset) machine.reset();
      if (overloadReset) machine.overloaded = [];
      if (!keepCalibration) machine.forgetCalibration();
      answer({ resetResponse: {} });
    }
    if (message.configCommand !== undefined) {
      if (message.configCommand.resetBefore) machine.reset();
      const items = message.configCommand.module?.items ?? [];
      if (items.every((item) => machine.configure(item, MAC))) answer({ configResponse: {} });
      else answer({ error: { description: 'no such part' } });
    }
    if (message.calibrationCommand !== undefined) {
      machine.calibrate();
      answer({ calibrationResponse: {} });
    }
    if (message.overloadCommand !== undefined)
      answer({
        overloadResponse: {
          status: {
            overloaded: machine.overloaded.length > 0,
            elements: machine.overloaded.map((index) => ({
              ...{ entity: { path: `/${MAC}/0/M0` }, index, overloaded: true },
            })),
          },
        },
      });
    if (message.stopRunCommand !== undefined) answer({ success: {} });
    if (message.startRunCommand !== undefined) {
      answer({ startRunResponse: {} });
      this.#run(message.startRunCommand);
    }
  }

  #tree(): InitialBody<'Module'> {
    const version = { major: 1, minor: 2 };
    const blocks = ['M0', 'M1', 'U', 'C', 'I', 'SH'].map((name, i) => ({
      ...{ id: `/${name}`, class: [3, 3, 4, 5, 6, 7][i], type: name === 'M1' ? 2 : 1, version },
    }));
    const carrier = (id: string): InitialBody<'Entity'> => ({
      ...{ id: `/${id}`, class: 1, type: 1, version },
      children: [
        { id: '/0', class: 2, type: 1, version, children: blocks },
        { id: '/FP', class: 8, type: 1 },
      ],
    });
    const macs = [MAC, '04-E9-E5-16-09-93'].slice(0, this.#carriers);
    return {
      items: [{ specification: { entity: { id: `/${MAC}`, class: 30, children: macs.map(carrier) } } }],
    };
  }

  #run({ run, runConfig, daqConfig }: Body<'StartRunCommand'>): void {
    const machine = this.#machine;
    const stride = daqConfig?.channels ?? 0;
    const fault = this.#faults.run;
    const state = (next: number, reason = ''): void =>
      this.#send({ message: { runState: { run, next, reason } } });
    state(RUN_STATES.takeOff);
    state(RUN_STATES.initial);
    state(RUN_STATES.operating);
    if (fault === 'hang') return;
    if (fault === 'error') {
      state(RUN_STATES.error, 'the\n supply\u0007 failed');
      return;
    }
    if (fault === 'lose') {
      this.#socket.destroy();
      return;
    }
    const codes = machine.run(Number(runConfig?.operatingTime?.value), daqConfig?.sampleRate ?? 0, stride);
    if (fault === 'overload') machine.overloaded = [3];
    this.#sendRows(run, codes, stride);
    state(RUN_STATES.done);
  }

  #sendRows(run: Body<'Run'> | undefined, { op, end }: CodeRows, stride: number): void {
    const fault = this.#faults.run;
    const rows = op.length / stride;
    const sent = fault === 'few' ? Math.floor(rows / 2) : rows;
    const channels = this.#machine.channels.map((index) => ({ index, gain: ADC_STEP, offset: 0 }));
    const data = (codes: Int16Array): InitialBody<'SampleData'> => ({
      data: new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength),
      type: { integer: { signedness: 0, bits: fault === 'garbled' ? 24 : 16 } },
      ...{ channels, sampleCount: codes.length / stride, channelStride: stride },
    });
    for (let again = 0; again < (fault === 'many' ? 2 : 1); again++)
      for (let row = 0; row < sent; row += 100) {
        const part = op.subarray(row * stride, Math.min(sent, row + 100) * stride);
        this.#send({ message: { runData: { run, data: data(part) } } });
      }
    this.#send({ message: { runState: { run, next: RUN_STATES.end } } });
    if (fault !== 'no end') this.#send({ message: { runEnd: { run, data: data(end) } } });
  }
}
