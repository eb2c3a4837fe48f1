import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { ENVIRONMENT, make, SANITIZED } from './build.js';
import { RandomSession } from './random-session.js';

/** The number of sessions that are recorded for the fuzzer to change, and the steps of each. */
const RECORDED = 200;
const STEPS = 120;

const TIGHT = ['CELLS=8', 'ROWS=8', 'COUPLINGS=64', 'FRAME_BYTES=512', 'WINDOW=4', 'BLOCKS_KEPT=4'];

const TIGHT_VARIABLES = [
  `CFLAGS=${['-O1', ...TIGHT.map((one) => `-DCONFIG_${one}`)].join(' ')}`,
  'SANITIZE=1',
];

/**
 * Builds of the fuzzer. In the tight build every buffer has exactly the size that its board needs. The
 * address sanitizer then finds an access to the first byte after the buffer. The full build has the sizes of
 * thermolink-device.
 */
export const FUZZ_BUILDS = {
  tight: () => make('thermolink-fuzz', 'build-fuzz', TIGHT_VARIABLES),
  full: () => make('thermolink-fuzz', ...SANITIZED),
} as const;

/** The tight build of a copy of the firmware that lies elsewhere. */
export function makeTightIn(folder: string): string {
  const target = 'build/thermolink-fuzz';
  execFileSync('make', ['-s', '-j2', ...TIGHT_VARIABLES, target], { cwd: folder, stdio: 'pipe' });
  return path.join(folder, target);
}

export interface FuzzRequest {
  readonly frames: number;
  readonly sessions: number;
  readonly seed: number;
  /** Number of the first session and of the first batch of frames. A finding names this number. */
  readonly first: number;
}

/**
 * Records sessions as orders while the emulator carries them out. They do not depend on the options of the
 * fuzzer.
 */
export function recordedSessions(): string {
  const sessions = Array.from({ length: RECORDED }, (_, i) => new RandomSession(i + 1, STEPS).orders);
  return `${sessions.flat().join('\n')}\n`;
}

/** Runs a fuzzer to its end, or to its first finding. */
export function fuzz(
  program: string,
  recorded: string,
  request: FuzzRequest,
): Promise<{ readonly code: number | null; readonly text: string }> {
  const options = Object.entries(request).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(program, options, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (text += more));
  // A fuzzer that ends early says why.
  child.stdin.on('error', () => {});
  child.stdin.end(recorded);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });
}
