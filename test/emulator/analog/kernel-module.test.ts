import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { idealBoard } from '../../support/analog-boards.js';

describe('the embedded module', () => {
  const script = 'emulator/kernel/scripts/build-kernel.mjs';

  test('names the digest of the present sources (otherwise run npm run build)', () => {
    execFileSync(process.execPath, [script, '--check-sources']);
  });

  test('is the compiled form of these sources', { tags: 'long' }, () => {
    execFileSync(process.execPath, [script, '--check']);
  });
});

describe('a host that can not run the kernel', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  test.each([
    ['no WebAssembly', undefined, /no WebAssembly:/],
    ['no SIMD', { validate: () => false }, /no WebAssembly SIMD/],
  ])('%s: a warning appears, and the oracle computes', async (_, api, message) => {
    vi.stubGlobal('WebAssembly', api);
    vi.resetModules();
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const ticks = await import('../../../emulator/kernel/kernel-ticks.js');
    expect(ticks.newKernelTicks(idealBoard({ cells: 2, rows: 2 }))).toBeUndefined();
    expect(ticks.fastestTicks(idealBoard({ cells: 2, rows: 2 })).state.v).toHaveLength(2);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(message)]]);
    const fresh = await import('../../../emulator/kernel/kernel-module.js');
    expect(fresh.kernelWarning()).toMatch(message);
  });

  test('no room for its memory: a warning appears once, and the oracle computes until there is room', async () => {
    vi.resetModules();
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const real = (globalThis as unknown as { WebAssembly: Record<string, unknown> }).WebAssembly;
    function NoMemory(): never {
      throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    }
    const { Module, Instance, validate } = real;
    const api = { Module, Instance, validate, Memory: NoMemory as unknown };
    vi.stubGlobal('WebAssembly', api);
    const { fastestTicks, newKernelTicks } = await import('../../../emulator/kernel/kernel-ticks.js');
    const { kernelWarning } = await import('../../../emulator/kernel/kernel-module.js');
    const board = idealBoard({ cells: 2, rows: 2 });
    for (let i = 0; i < 2; i++) expect(fastestTicks(board).state.v).toHaveLength(2);
    expect(newKernelTicks(board)).toBeUndefined();
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/no room for WebAssembly memory:/)]]);
    expect(kernelWarning()).toMatch(/no room/);
    api.Memory = real['Memory'];
    expect(newKernelTicks(board)).toBeDefined();
    expect(kernelWarning()).toBeUndefined();
  });
});
