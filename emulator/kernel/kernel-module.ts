import {
  compileEmbedded,
  type EmbeddedModule,
  instantiate,
} from '../../firmware-protocol/embedded-module.js';
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

let compiled: EmbeddedModule | undefined;

/** Why boards in this process are computed by the slow oracle, or undefined when the kernel runs. */
export function kernelWarning(): string | undefined {
  compiled ??= compileEmbedded(KERNEL_BASE64);
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
    compiled = compileEmbedded(KERNEL_BASE64);
    if ('missing' in compiled) warn();
  }
  if ('missing' in compiled) return undefined;
  const { exports, buffer } = instantiate(compiled, bytes);
  return { ...(exports as KernelExports), buffer };
}
