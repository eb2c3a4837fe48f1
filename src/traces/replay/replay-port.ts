import type { Port } from '../../../firmware-protocol/port.js';
import type { ThermolinkError } from '../../errors.js';

/** Number of requests whose stacks are kept. */
const CALLS_KEPT = 64;
/**
 * Number of stack frames that are captured, independent of the setting of the program. The frames of this
 * library come first.
 */
const FRAMES_KEPT = 50;
/** Stack frames of packages and of Node. They do not belong to the program. */
const NOT_THE_PROGRAM = /node:|node_modules|<anonymous>|native/;

/**
 * The port of the host in a replayed session. It closes with the reason from the replay, and it knows the
 * line of the program that made a request.
 */
export class ReplayPort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly #port: Port;
  readonly #leftOver: () => ThermolinkError | undefined;
  readonly #calls = new Map<number, { readonly stack?: string }>();
  #reason: ThermolinkError | undefined;

  constructor(port: Port, leftOver: () => ThermolinkError | undefined) {
    this.#port = port;
    this.#leftOver = leftOver;
    this.name = port.name;
    this.frameBytesMax = port.frameBytesMax;
  }

  get closed(): boolean {
    return this.#port.closed;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#port.onData(receiver);
  }

  onClose(receiver: (reason?: Error) => void): void {
    this.#port.onClose((reason) => receiver(this.#reason ?? reason));
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#port.write(bytes);
  }

  /** Closes the port with an error, which the program receives. */
  fail(reason: ThermolinkError): void {
    this.#reason ??= reason;
    void this.#port.close();
  }

  /** Closes the port because the recorded port was lost at this point. */
  lose(): void {
    void this.#port.close();
  }

  /** Captures the stack of a request. V8 formats the text of a stack only when it is read. */
  noteCall(): (requestId: number) => void {
    const holder: { stack?: string } = {};
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = FRAMES_KEPT;
    Error.captureStackTrace(holder, this.noteCall);
    Error.stackTraceLimit = limit;
    return (requestId) => {
      this.#calls.set(requestId, holder);
      if (this.#calls.size > CALLS_KEPT) this.#calls.delete(this.#calls.keys().next().value!);
    };
  }

  /** The first line of the program in the stack of a request, such as `measure (lab.js:12:20)`. */
  callOf(requestId: number): string | undefined {
    return programFrame(this.#calls.get(requestId)?.stack);
  }

  /** Closes the port. Errors: rejects with REPLAY_MISMATCH if recorded requests were not made. */
  async close(): Promise<void> {
    const wasOpen = !this.#port.closed;
    await this.#port.close();
    const left = wasOpen ? this.#leftOver() : undefined;
    if (left) throw left;
  }
}

/** The root of this package as it appears in stacks. */
const OWN_ROOT = new URL('../../../', import.meta.url).href;
const OWN_FOLDERS = ['src/', 'firmware-protocol/', 'emulator/'].map((folder) => `${OWN_ROOT}${folder}`);

function programFrame(stack: string | undefined): string | undefined {
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const isOwn = (frame: string): boolean =>
    OWN_FOLDERS.some((folder) => frame.includes(folder) || frame.includes(folder.replace('file://', '')));
  const frame = frames.find((line) => !isOwn(line) && !NOT_THE_PROGRAM.test(line));
  return frame?.replace(/^\s+at (async )?/, '');
}
