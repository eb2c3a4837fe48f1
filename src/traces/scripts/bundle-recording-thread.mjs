/**
 * Bundles the compiled program of the recording thread and all that it imports into one file, by Vite. It
 * does nothing while that file is newer than the compiled modules.
 */
import path from 'node:path';

const BUILT = path.join(import.meta.dirname, '../../../dist');
const { threadProgram } = await import('../../../dist/src/traces/record/thread-program.js');
if (!threadProgram().pathname.endsWith('.cjs')) {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: BUILT,
    publicDir: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: path.join(BUILT, 'src/traces/record/recording-thread-main.js'),
      outDir: path.join(BUILT, 'bundled'),
      emptyOutDir: true,
      target: 'node20',
      minify: 'oxc',
      // The bundle contains code of packages, so it carries their licenses.
      license: { fileName: 'licenses.md' },
      rolldownOptions: {
        // No warning about slow plugins: on a busy machine all plugins are slow.
        checks: { pluginTimings: false },
        // The modules of packages that are not used, such as the reader of MCAP files, are left out.
        treeshake: { moduleSideEffects: (module) => !module.includes('node_modules') },
        output: { format: 'cjs', entryFileNames: 'recording-thread.cjs' },
      },
    },
  });
}
