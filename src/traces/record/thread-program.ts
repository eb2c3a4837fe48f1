import { statSync } from 'node:fs';

/** The folder of the compiled files. Tests run from the sources also start threads from there. */
const BUILT = new URL(import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../', import.meta.url);
const MODULE = 'src/traces/record/recording-thread-main.js';
/** MODULE and all that it imports in one file, made by `src/traces/scripts/bundle-recording-thread.mjs`. */
const BUNDLE = 'bundled/recording-thread.cjs';
/**
 * Build information of all projects that `src/traces` may import; BUNDLE contains only modules of these. The
 * compiler writes it together with the modules.
 */
const BUILD_INFORMATION = [
  'firmware-protocol/tsconfig.tsbuildinfo',
  'emulator/tsconfig.tsbuildinfo',
  'src/errors.tsbuildinfo',
  ...['board', 'driver', 'files', 'linalg', 'plot', 'serve', 'traces', 'transport'].map(
    (folder) => `src/${folder}/tsconfig.tsbuildinfo`,
  ),
];

/**
 * The program of the thread that writes a recording: one file, because a thread then starts in a third of the
 * processor time (docs/decisions/0126-the-recording-thread-is-one-file.md). In a checkout in which BUNDLE is
 * missing or older than the compiled modules, the program is MODULE itself. Errors: none.
 */
export function threadProgram(built = BUILT): URL {
  const bundle = new URL(BUNDLE, built);
  const bundledMs = writtenMs(bundle);
  // The package carries no build information, because its files belong to one build.
  const isNewest = BUILD_INFORMATION.every(
    (file) => (writtenMs(new URL(file, built)) ?? -Infinity) <= (bundledMs ?? -Infinity),
  );
  return bundledMs !== undefined && isNewest ? bundle : new URL(MODULE, built);
}

/** The time at which a file was written, in ms since 1970; undefined if there is no such file. */
function writtenMs(file: URL): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
