/** WebAssembly modules embedded as text. A host with WebAssembly needs no file to load them. */

interface Memory {
  readonly buffer: ArrayBuffer;
}

/**
 * The part of the WebAssembly interface that is used here. The folders firmware-protocol/ and emulator/
 * import no types of a host such as Node or a browser.
 */
interface WebAssemblyApi {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: Memory } },
  ) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
}

/** A module that is ready to be instantiated, or the reason why this host can't run it. */
export type EmbeddedModule =
  | { readonly api: WebAssemblyApi; readonly module: object }
  | { readonly missing: string };

const PAGE_BYTES = 65536;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Compiles a module that uses SIMD and imports its memory. */
export function compileEmbedded(base64: string): EmbeddedModule {
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
  if (api === undefined) return { missing: 'this host has no WebAssembly' };
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) return { missing: 'this host is big-endian' };
  const bytes = bytesOfBase64(base64);
  if (!api.validate(bytes)) return { missing: 'this host has no WebAssembly SIMD' };
  return { api, module: new api.Module(bytes) };
}

/**
 * A new instance with `bytes` of zeroed memory of its own. The memory never grows, so views of it stay valid.
 * Throws a RangeError if the system has no room for it.
 */
export function instantiate(
  { api, module }: Exclude<EmbeddedModule, { missing: string }>,
  bytes: number,
): { readonly exports: unknown; readonly buffer: ArrayBuffer } {
  const pages = Math.floor((bytes + PAGE_BYTES - 1) / PAGE_BYTES);
  const memory = new api.Memory({ initial: pages, maximum: pages });
  const { exports } = new api.Instance(module, { env: { memory } });
  return { exports, buffer: memory.buffer };
}

function bytesOfBase64(text: string): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const digitOf = new Map([...ALPHABET].map((character, value) => [character, value]));
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    bits = (bits << 6) | (digitOf.get(text[i]) ?? 0);
    if (i % 4 !== 3) continue;
    for (const byte of [bits >> 16, bits >> 8, bits]) if (at < bytes.length) bytes[at++] = byte;
    bits = 0;
  }
  return bytes;
}
