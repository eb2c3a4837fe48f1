/**
 * `npm run firmware:fuzz -- --frames N --sessions N [--seed N] [--first N] [--build tight|full]`: feeds the C
 * device N frames and N sessions (recorded, damaged or made up: tools/fuzz.c), with the sanitizers on. Each
 * build of the fuzzer does this, or only the one that `--build` names. Exit code 1 with a finding.
 */
import { parseArgs } from 'node:util';
import { missingTools } from './build.js';
import { FUZZ_BUILDS, fuzz, recordedSessions } from './fuzz.js';

const count = { type: 'string' } as const;
const { values } = parseArgs({
  options: { frames: count, sessions: count, seed: count, first: count, build: count },
});

function number(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${text} is no count`);
  return value;
}

const request = {
  frames: number(values.frames, 200_000),
  sessions: number(values.sessions, 10_000),
  seed: number(values.seed, 1),
  first: number(values.first, 0),
};

const missing = missingTools();
if (missing !== undefined) throw new Error(missing);
const recorded = recordedSessions();
for (const [name, build] of Object.entries(FUZZ_BUILDS)) {
  if (values.build !== undefined && values.build !== name) continue;
  const program = build();
  const startMs = performance.now();
  const { code, text } = await fuzz(program, recorded, request);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const verdict = code === 0 ? 'no finding' : `A FINDING (exit code ${code})`;
  process.stdout.write(
    `${text}${name}: ${request.frames} frames, ${request.sessions} sessions in ${seconds} s: ${verdict}\n`,
  );
  if (code !== 0) process.exitCode = 1;
}
