import { describe, expect, it } from 'vitest';
import { bundleOf } from '../support/web-bundle.js';

/** Bundling takes some seconds. The quick test of loaded files is in test/repository/imports.test.ts. */
describe('the minified code that a page loads', { tags: 'long' }, () => {
  const bytesOf = (files: readonly { readonly text: string }[]): number =>
    files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

  it('is at most 150 kB for the protocol, without zod', async () => {
    const files = await bundleOf('firmware-protocol/index.ts');
    expect(bytesOf(files)).toBeLessThanOrEqual(150_000);
    const sources = files.flatMap((file) => file.sources);
    expect(sources.some((source) => source.includes('@msgpack/msgpack'))).toBe(true);
    expect(sources.filter((source) => source.includes('node_modules/zod'))).toEqual([]);
  });

  it('is at most 400 kB for everything, with the emulator in its worker', async () => {
    const files = await bundleOf('src/web/index.ts');
    expect(files.map(({ name }) => name).sort()).toEqual([
      expect.stringMatching(/^assets\/board-worker-main-.*\.js$/),
      'entry.js',
    ]);
    expect(bytesOf(files)).toBeLessThanOrEqual(400_000);
    for (const { name, text } of files) {
      const node = /["'`]node:(?!(?:zlib|buffer|events)["'`])|\brequire\(/.exec(text);
      expect(node, name).toBeNull();
    }
  });
});
