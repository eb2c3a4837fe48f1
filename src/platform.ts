/**
 * All differences between Node and a browser. Modules of Node are asked for while the program runs and are
 * never imported, so a page can load the same files. Results and bytes are the same on both.
 */

/**
 * The parts of Node that the host uses, if there is a Node. They are written out because a page has no types
 * of Node.
 */
interface NodeModules {
  readonly 'node:buffer': {
    readonly Buffer: {
      readonly prototype: { indexOf(this: Uint8Array, value: number, start: number): number };
    };
  };
  readonly 'node:events': { setMaxListeners(count: number, target: AbortSignal): void };
  readonly 'node:zlib': { crc32(bytes: Uint8Array, state?: number): number };
}

/** A module of Node; undefined in a browser. Errors: none. */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  const { process } = globalThis as {
    readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
  };
  return process?.getBuiltinModule?.(name) as NodeModules[Name] | undefined;
}

/**
 * Calls `callback` in a later turn of the event loop, so bytes, timers and signals are served first. Calls
 * keep their order. Errors: none.
 */
export const nextTurn: (callback: () => void) => void =
  typeof globalThis.setImmediate === 'function'
    ? (callback) => void setImmediate(callback)
    : turnsByMessages();

/** A browser delays a timer of 0 ms by 4 ms, but it does not delay a message. */
function turnsByMessages(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.addEventListener('message', () => waiting.shift()?.());
  port1.start();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(0);
  };
}

/** Lets the process end although this timer still waits. It does nothing in a page. Errors: none. */
export function letExit(timer: unknown): void {
  (timer as { readonly unref?: () => void }).unref?.();
}

/** Random bytes that nobody can predict. Errors: none. */
export function randomBytes(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}

/** Writes each byte as two lower-case hexadecimal digits. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Turns each byte into the character of ISO 8859-1 with this number. */
export function latin1Text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
