import type { Port } from '../../../firmware-protocol/port.js';
import type { ThermolinkError } from '../../errors.js';

/** How many requests back a call is remembered. */
const CALLS_KEPT = 64;
/** How many frames of a stack are looked at, whatever the program has set: this library's come first. */
const FRAMES_KEPT = 50;
/** Frames of a stack that are not the program's: this library, packages, Node itself. */
const NOT_THE_PROGRAM = /node:|node_modules|<anonymous>|native/;

/**
 * The host's end of a replayed session. It ends with the reason that the replay gives, and it knows which
 * line of the program made a request.
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

  /** Ends the port with an error that the program gets. */
  fail(reason: ThermolinkError): void {
    this.#reason ??= reason;
    void this.#port.close();
  }

  /** Ends the port as the recorded one ended. */
  lose(): void {
    void this.#port.close();
  }

  /** Remembers from where a request is made. V8 writes the text of a stack only when somebody reads it. */
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

  /** Errors: rejects with REPLAY_MISMATCH when recorded requests were not made. */
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
