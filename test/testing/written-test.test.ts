import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { isBuilt } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { diagonalProgram } from '../support/test-board.js';

const run = promisify(execFile);

/** Tests as users would write them, one in each file, with their expected results. */
const FILES = {
  // Without this file vitest takes the configuration of the folders above. The file leaves packages to Node,
  // because here the package is not in node_modules.
  'vitest.config.js': `export default {
  test: { server: { deps: { external: [/\\/dist\\/(src|emulator|firmware-protocol)\\//] } } },
};
`,
  'own-code.js': `export async function measure(device) {
  await device.ping();
  return { cells: device.identity.cells };
}
`,
  'skipped.test.js': `import { recordedOr } from 'thermolink/testing';
import { test } from 'vitest';
test('neither board nor recording', async () => {
  await recordedOr('tcp://127.0.0.1:1', new URL('./none.mcap', import.meta.url));
});
`,
  'failed.test.js': `import { recordedOr } from 'thermolink/testing';
import { expect, test } from 'vitest';
test('a test that fails', async () => {
  await recordedOr('emulator:ideal-8', new URL('./spoiled.mcap', import.meta.url));
  expect(1).toBe(2);
});
`,
  ...Object.fromEntries(
    ['first', 'second', 'third'].map((name) => [
      `${name}.matchers.test.js`,
      `import 'thermolink/testing';
import { expect, test } from 'vitest';
test('matchers of the ${name} file', () => {
  const samples = Float64Array.from({ length: 400 }, (_, i) => Math.sin(i * i));
  expect(samples).toHaveSampleMean([0], { rate: 1e-9 });
  expect(samples).not.toHaveSampleMean([9], { rate: 1e-9 });
});
`,
    ]),
  ),
  'left-over.test.js': `import { replayed } from 'thermolink/testing';
import { test } from 'vitest';
test('a program that asks for less', async () => {
  await replayed(new URL('./session.mcap', import.meta.url));
});
`,
};

interface TestResult {
  readonly name: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
}

const FORMS = [
  { title: 'whose files share a worker', options: ['--isolate=false'] },
  { title: 'whose files have a worker each', options: [] },
];

for (const { title, options } of FORMS)
  describe.runIf(isBuilt)(`tests as users write them, ${title}`, { tags: 'long' }, () => {
    /** Inside the package the name `thermolink` means the package itself. */
    let directory: string;
    const results = new Map<string, TestResult['assertionResults'][number]>();

    beforeAll(async () => {
      mkdirSync(path.join(ROOT, 'dist'), { recursive: true });
      directory = mkdtempSync(path.join(ROOT, 'dist', 'user-tests-'));
      const file = (name: string): string => path.join(directory, name);
      for (const [name, text] of Object.entries(FILES)) writeFileSync(file(name), text);
      const [, documented] = /```js\n([\s\S]*?)```/.exec(
        readRepositoryFile('docs/how-to/test-against-a-trace.md'),
      )!;
      writeFileSync(file('documented.test.js'), documented);
      const session = await connect('emulator:ideal-8?die=4', { record: file('session.mcap') });
      await session.loadProgram(0, { ...diagonalProgram(8, 3000), noiseAmplitude: 16000, noiseShift: 16 });
      await session.acquire({ bank: 0, runSeed: 5, burnInTicks: 20, sampleCount: 30, ticksPerSample: 16 });
      await session.close();
      const ping = await connect('emulator:ideal-8?die=4', { record: file('ping.mcap') });
      await ping.ping();
      await ping.close();
      await runCommand('trace', 'to-test', file('session.mcap'));
      const code = ['--code', './own-code.js', '--function', 'measure'];
      await runCommand('trace', 'to-test', file('ping.mcap'), ...code);
      const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
      const { CI: _, ...environment } = process.env;
      const { stdout } = await run(
        process.execPath,
        [vitest, 'run', '--root', directory, '--reporter=json', '--maxWorkers=1', ...options],
        { cwd: directory, env: environment },
      ).catch((error: unknown) => error as { stdout: string });
      const { testResults } = JSON.parse(stdout) as { testResults: TestResult[] };
      for (const { name, assertionResults } of testResults)
        results.set(path.basename(name), assertionResults[0]);
    });

    it.each(['first', 'second', 'third'])('have matchers: the %s file', (name) => {
      expect(results.get(`${name}.matchers.test.js`)).toMatchObject({
        status: 'passed',
        failureMessages: [],
      });
    });

    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    it('a written test passes', () => {
      expect(results.get('session.test.ts')).toMatchObject({ status: 'passed', failureMessages: [] });
    });

    it('a written test that calls the user’s code passes', () => {
      expect(results.get('ping.test.ts')).toMatchObject({ status: 'passed' });
    });

    it('outside CI a missing recording skips the test if the board is missing too', () => {
      expect(results.get('skipped.test.js')?.status).toMatch(/skipped|pending/);
    });

    it('the documented test records and passes', () => {
      expect(results.get('documented.test.js')).toMatchObject({ status: 'passed', failureMessages: [] });
      expect(existsSync(path.join(directory, 'draws.mcap'))).toBe(true);
    });

    it('a failed test leaves no recording', () => {
      expect(results.get('failed.test.js')?.status).toBe('failed');
      expect(existsSync(path.join(directory, 'spoiled.mcap'))).toBe(false);
    });

    it('a test fails if it does not use all recorded messages', () => {
      expect(results.get('left-over.test.js')?.status).toBe('failed');
      expect(results.get('left-over.test.js')?.failureMessages.join()).toMatch(/recorded requests? w/);
    });

    it('a written file is not overwritten', async () => {
      const { exitCode, stderr } = await runCommand('trace', 'to-test', path.join(directory, 'session.mcap'));
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('exists')]);
    });
  });
