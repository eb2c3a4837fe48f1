import { KERNEL_BASE64 } from './kernel.generated.js';

/** What assembly/index.ts exports and TypeScript calls; numbers are addresses, counts and int32. */
export interface KernelExports {
  advance(parameters: number): number;
  packRows(from: number, stride: number, panelRows: number, pairs: number, to: number): void;
  packColumns(from: number, stride: number, panelRows: number, pairs: number, to: number): void;
  cutBlocks(
    panel: number,
    panelRows: number,
    pairs: number,
    limit: number,
    blocks: number,
    norms: number,
  ): number;
  columnNorms(panel: number, pairs: number, limit: number, norms: number, scratch: number): number;
  integratorConstants(drive: number, damping: number, out: number, cells: number): void;
  dotRoof(rounds: number, seed: number): number;
  readAll(from: number, bytes: number): number;
}

/** One instance of the kernel with a memory of its own; the memory never grows, so views of it stay valid. */
export interface KernelInstance extends KernelExports {
  readonly buffer: ArrayBuffer;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** The part of the WebAssembly interface used here; the device's folders have no types of a host. */
interface WebAssemblyApi {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: Memory } },
  ) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
}

const PAGE_BYTES = 65536;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

type Compiled = { readonly api: WebAssemblyApi; readonly module: object } | { readonly missing: string };

let compiled: Compiled | undefined;

/** Why boards in this process are computed by the slow oracle, or undefined when the kernel runs. */
export function kernelWarning(): string | undefined {
  compiled ??= compile();
  return 'missing' in compiled
    ? `${compiled.missing}: the emulator computes the same bits without its kernel, 10 to 50 times slower`
    : undefined;
}

/** Says it once, the way the host has for warnings; the emulator itself prints nothing. */
function warn(): void {
  const { process } = globalThis as { process?: { emitWarning?: (warning: string) => void } };
  process?.emitWarning?.(kernelWarning()!);
}

/** A new instance with `bytes` of zeroed memory, or undefined where the kernel can't run. */
export function newKernelInstance(bytes: number): KernelInstance | undefined {
  if (compiled === undefined) {
    compiled = compile();
    if ('missing' in compiled) warn();
  }
  if ('missing' in compiled) return undefined;
  const { api, module } = compiled;
  const pages = Math.floor((bytes + PAGE_BYTES - 1) / PAGE_BYTES);
  const memory = new api.Memory({ initial: pages, maximum: pages });
  const instance = new api.Instance(module, { env: { memory } });
  return { ...(instance.exports as KernelExports), buffer: memory.buffer };
}

function compile(): Compiled {
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
  if (api === undefined) return { missing: 'this host has no WebAssembly' };
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) return { missing: 'this host is big-endian' };
  const bytes = bytesOfBase64(KERNEL_BASE64);
  if (!api.validate(bytes)) return { missing: 'this host has no WebAssembly SIMD' };
  return { api, module: new api.Module(bytes) };
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
