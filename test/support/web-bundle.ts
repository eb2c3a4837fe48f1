import path from 'node:path';
import type { Rollup } from 'vite';
import { ROOT } from '../repository/files.js';

/** A file of a bundle and its text. */
export interface BundledFile {
  readonly name: string;
  readonly text: string;
  /** The source files in it, relative to the root of the repository; empty for a worker's file. */
  readonly sources: readonly string[];
}

/** Builds docs/try into a folder, as `npm run docs:try` builds it into dist/try. */
export async function buildTryPage(folder: string): Promise<void> {
  const { build } = await import('vite');
  const configFile = path.join(ROOT, 'docs/try/vite.config.mjs');
  await build({ configFile, logLevel: 'error', build: { outDir: folder } });
}

/** Bundles a source file with all its exports, minified, as an application would. Writes no file. */
export async function bundleOf(entry: string): Promise<readonly BundledFile[]> {
  // Loaded only here, because quick runs skip the tests that need it.
  const { build } = await import('vite');
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    base: './',
    build: {
      write: false,
      target: 'es2023',
      modulePreload: false,
      rollupOptions: {
        input: path.join(ROOT, entry),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: 'entry.js', assetFileNames: '[name].js' },
      },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]) as Rollup.RollupOutput[];
  return outputs.flatMap(({ output }) =>
    output.map((file) => ({
      name: file.fileName,
      text: file.type === 'chunk' ? file.code : String(file.source),
      sources: file.type === 'chunk' ? file.moduleIds.map((id) => path.relative(ROOT, id)) : [],
    })),
  );
}
