/**
 * Builds the live page into dist/console by Vite. It does nothing if the page there was built from the same
 * sources, so that a build of the whole project stays fast.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '../../..');
const SOURCE = path.join(ROOT, 'src/console');
const TARGET = path.join(ROOT, 'dist/console');
/** The digest of the sources lies beside the page, because the package contains the page alone. */
const STAMP = path.join(ROOT, 'dist/console.sha256');
/** Files elsewhere that are in the page. */
const OTHERS = ['src/number-text.ts', 'package-lock.json'];

function digestOfSources() {
  const hash = createHash('sha256');
  const files = readdirSync(SOURCE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  for (const file of [...files, ...OTHERS.map((name) => path.join(ROOT, name))])
    hash.update(`${path.relative(ROOT, file)}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

const digest = digestOfSources();
const isUpToDate =
  existsSync(path.join(TARGET, 'index.html')) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest;
if (!isUpToDate) {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: SOURCE,
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: TARGET,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // The build does not warn of slow plugins, because plugins are slow on a busy machine.
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  });
  writeFileSync(STAMP, digest);
}
