import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FOLDER, missingTools } from './build.js';
import { FUZZ_BUILDS, type FuzzRequest, fuzz, makeTightIn, recordedSessions } from './fuzz.js';

const missing = missingTools();
const SHORT: FuzzRequest = { frames: 40_000, sessions: 1500, seed: 1, first: 0 };
const SHORTEST: FuzzRequest = { ...SHORT, frames: 8000, sessions: 300 };

/** Bounds of the firmware that the test removes one by one: [file, the bound, the text without it]. */
const MUTANTS: readonly (readonly [string, string, string])[] = [
  ['src/program.c', 'bytes / width > count - first_entry', 'bytes / width > count'],
  ['src/frame.c', 'if (next > length) return 0;', ''],
  ['src/run.c', 'run->keep_blocks > 0 && block->number >= run->released', 'run->keep_blocks > 0'],
];

const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(missing !== undefined)(`fuzzing the C device${missing ? ` (${missing})` : ''}`, () => {
  let recorded = '';
  beforeAll(() => {
    recorded = recordedSessions();
  });

  async function expectNoFinding(build: () => string, request: FuzzRequest): Promise<void> {
    const { code, text } = await fuzz(build(), recorded, request);
    expect(text).toMatch(/^runs started: \d{3,}; said, by opcode: .* 49:\d{3,}/);
    expect(code, text).toBe(0);
  }

  test('no finding in the shortest run, full buffers', { tags: 'long' }, () =>
    expectNoFinding(FUZZ_BUILDS.full, SHORTEST),
  );

  test.each(['full', 'tight'] as const)(
    'no finding in a short run, %s buffers',
    { tags: 'long' },
    (buffers) => expectNoFinding(FUZZ_BUILDS[buffers], SHORT),
  );

  test('finds a missing bound, and names the session that shows it', { tags: 'long' }, async () => {
    for (const part of ['src', 'generated', 'posix', 'tools', 'Makefile'])
      cpSync(path.join(FOLDER, part), path.join(directory, part), { recursive: true });
    for (const [file, bound, without] of MUTANTS) {
      const place = path.join(directory, file);
      const source = readFileSync(place, 'utf8');
      expect(source).toContain(bound);
      writeFileSync(place, source.replace(bound, without));
      const program = makeTightIn(directory);
      const { code, text } = await fuzz(program, recorded, SHORT);
      expect(code, text).not.toBe(0);
      const [, first, what] = /--seed 1 --first (\d+) --(frames|sessions) 1\n/.exec(text) ?? [];
      expect(what, text).toBeDefined();
      const alone = { frames: 0, sessions: 0, [what]: 1, seed: 1, first: Number(first) };
      expect((await fuzz(program, recorded, alone)).code).toBe(code);
      writeFileSync(place, source);
    }
  });
});
