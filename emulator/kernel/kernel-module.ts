import {
  compileEmbedded,
  type EmbeddedModule,
  instantiate,
} from '../../firmware-protocol/embedded-module.js';
import { KERNEL_BASE64 } from './kernel.generated.js';

/** The functions of assembly/index.ts that TypeScript calls. Numbers are addresses, counts and int32. */
export interface KernelExports {
  advance(parameters: number): number;
  readAdc(v: number, cells: number, adcBits: number, out: number): number;
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
  packByteRows(from: number, stride: number, panelRows: number, pairs: number, to: number): void;
  packByteColumns(from: number, stride: number, panelRows: number, pairs: number, to: number): void;
  byteRanges(from: number, stride: number, pairs: number, lengthMax: number, ranges: number): void;
  packRowRanges(from: number, columns: number, rows: number, to: number, table: number): number;
  packColumnPairs(from: number, columns: number, rows: number, to: number, table: number): void;
  largestByteNorm(from: number, stride: number, rows: number): number;
  columnNorms(panel: number, pairs: number, limit: number, norms: number, scratch: number): number;
  integratorConstants(drive: number, damping: number, out: number, cells: number): void;
  dotRoof(rounds: number, seed: number): number;
  readAll(from: number, bytes: number): number;
}

/** One instance of the kernel with a memory of its own. The memory never grows, so views of it stay valid. */
export interface KernelInstance extends KernelExports {
  readonly buffer: ArrayBuffer;
}

let compiled: EmbeddedModule | undefined;
/** The reason why the last board that asked for an instance did not get one. */
let lacking: string | undefined;
let warned = false;

/** Why this process computes boards with the slow TypeScript code, or undefined when the kernel runs. */
export function kernelWarning(): string | undefined {
  compiled ??= compileEmbedded(KERNEL_BASE64);
  const why = 'missing' in compiled ? compiled.missing : lacking;
  return why && `${why}: the emulator computes the same bits without its kernel, 10 to 50 times slower`;
}

/**
 * Warns once, through `process.emitWarning` if the JavaScript runtime has it. The emulator itself prints
 * nothing.
 */
function warn(): void {
  if (warned) return;
  warned = true;
  const { process } = globalThis as { process?: { emitWarning?: (warning: string) => void } };
  process?.emitWarning?.(kernelWarning()!);
}

/** A new instance with `bytes` of zeroed memory. Undefined if the kernel can't run or has no room. */
export function newKernelInstance(bytes: number): KernelInstance | undefined {
  compiled ??= compileEmbedded(KERNEL_BASE64);
  if ('missing' in compiled) {
    warn();
    return undefined;
  }
  try {
    const { exports, buffer } = instantiate(compiled, bytes);
    lacking = undefined;
    return { ...(exports as KernelExports), buffer };
  } catch (error) {
    // The kernel's memory may take gigabytes of address space, which a system may refuse. The TypeScript code
    // takes memory only for the arrays that it needs.
    if (!(error instanceof RangeError)) throw error;
    lacking = 'this system has no room for WebAssembly memory';
    warn();
    return undefined;
  }
}
