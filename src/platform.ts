/**
 * What differs between Node and a browser, in one place. The modules of Node are asked for while the program
 * runs and never imported, so that a page loads the same files. Neither way changes a result or a byte.
 */

/** What the host uses of Node where it is there. It is written out, since a page has no types of Node. */
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
 * Calls `callback` in a later turn of the event loop, so that bytes, timers and signals are served before.
 * Calls keep their order. Errors: none.
 */
export const nextTurn: (callback: () => void) => void =
  typeof globalThis.setImmediate === 'function'
    ? (callback) => void setImmediate(callback)
    : turnsByMessages();

/** A browser delays a timer of no time by 4 ms, and a message not at all. */
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

/** Lets the process end while this timer waits; a page has no such end. Errors: none. */
export function letExit(timer: unknown): void {
  (timer as { readonly unref?: () => void }).unref?.();
}

/** Bytes that nobody can foresee. Errors: none. */
export function randomBytes(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}

/** Two lower-case hexadecimal digits a byte. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** One character a byte: those of ISO 8859-1. */
export function latin1Text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
