import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/cli/logging.js';
import { VERSION } from '../../src/cli/version.js';
import type { Hub } from '../../src/hub/hub-options.js';
import { startHub } from '../../src/hub/start-hub.js';
import { type FakeLucidac, startFake, USUAL } from '../lucidac/fake-lucidac.js';
import { ROOT, readRepositoryFile, repositoryFiles } from '../repository/files.js';
import { CLI, shownBlocks, withPrintedOutput } from './shown-commands.js';

const run = promisify(execFile);

/** These tests run the build of `npm test`. A vitest run alone may come before a build. */
const built = existsSync(CLI);

/** The commands of this document need a farm: test/farm/how-to.test.ts runs them. */
const ELSEWHERE = 'docs/how-to/run-a-farm.md';

const DOCUMENTS = repositoryFiles(/^(README\.md|docs\/.*\.md)$/).filter(
  (file) => !file.startsWith('docs/reference/api/') && file !== ELSEWHERE,
);

/** Documents whose commands compute for longer than a second. */
const LONG: ReadonlySet<string> = new Set([
  'docs/how-to/test-against-a-trace.md',
  'docs/how-to/check-a-board.md',
  'docs/tutorial.md',
  'docs/how-to/calibrate.md',
  'docs/how-to/share-a-board.md',
  'docs/how-to/watch-with-prometheus.md',
  'docs/how-to/watch-boards.md',
  'docs/how-to/characterize.md',
  'docs/how-to/look-at-a-session.md',
  'docs/how-to/run-a-study.md',
  'docs/how-to/control-a-plant.md',
  'docs/how-to/lucidac.md',
  'docs/how-to/sample-over-a-slow-line.md',
  'docs/how-to/work-in-a-terminal.md',
  'docs/how-to/train-on-own-data.md',
  'docs/how-to/draw-from-a-posterior.md',
  'docs/explanation/limits-of-a-solve.md',
  'docs/reference/quadratic-programs.md',
  'docs/reference/log-determinants.md',
  'docs/reference/lyapunov-equations.md',
]);

function expectSolution(stdout: string): void {
  const [x, y] = [...stdout.matchAll(/x\[\d\] = ([\d.]+)/g)].map((match) => Number(match[1]));
  expect(x).toBeCloseTo(1 / 11, 2);
  expect(y).toBeCloseTo(7 / 11, 2);
}

const typescriptBlocks = (file: string): string[] =>
  [...readRepositoryFile(file).matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]);

describe('the examples of the documents run', () => {
  it('README has at most 90 lines', () => {
    expect(readRepositoryFile('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(90);
  });

  it.each([
    ['README.md', 'docs/examples/solve.ts'],
    ['docs/tutorial.md', 'docs/examples/train.ts'],
    ['docs/how-to/train-an-own-problem.md', 'docs/examples/problem.ts'],
    ['docs/how-to/share-a-board.md', 'docs/examples/watch.ts'],
  ])('the code in %s is the content of %s', (file, example) => {
    expect(typescriptBlocks(file)).toEqual([readRepositoryFile(example)]);
  });

  it.runIf(built)('docs/examples/solve.ts finds the solution (1/11, 7/11)', { tags: 'long' }, async () => {
    const { stdout } = await run('node', [path.join(ROOT, 'dist/docs/examples/solve.js')]);
    expectSolution(stdout);
  });

  it.runIf(built)('the example of README, saved as solve.mjs, does the same without a compiler', async () => {
    expect(readRepositoryFile('README.md')).toContain('`node solve.mjs`');
    // Within the package, as in the folder of the checkout, `thermolink` is the package itself.
    const directory = mkdtempSync(path.join(ROOT, 'dist', 'readme-'));
    try {
      writeFileSync(path.join(directory, 'solve.mjs'), typescriptBlocks('README.md')[0]);
      expectSolution((await run('node', ['solve.mjs'], { cwd: directory })).stdout);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.runIf(built)('docs/examples/train.ts learns', { tags: 'long' }, async () => {
    const { stdout } = await run('node', [path.join(ROOT, 'dist/docs/examples/train.js')]);
    expect(stdout).toMatch(/^10 steps, test accuracy [5-9]\d\.\d %/);
  });

  it.runIf(built)('docs/examples/problem.ts prints what the page shows', { tags: 'long' }, async () => {
    const { stdout } = await run('node', [path.join(ROOT, 'dist/docs/examples/problem.js')]);
    const page = readRepositoryFile('docs/how-to/train-an-own-problem.md');
    expect(/```text\n([\s\S]*?)```/.exec(page)?.[1]).toBe(stdout);
    expect(stdout).toMatch(/^tngd: rates 0\.700 and 3\.000\n/);
  });

  const withCommands = DOCUMENTS.filter((file) => shownBlocks(readRepositoryFile(file)).length > 0);
  let lucidac: FakeLucidac;
  let hub: Hub;
  let logs: string;
  beforeAll(async () => {
    logs = mkdtempSync(path.join(tmpdir(), 'thermolink-docs-logs-'));
    const log = await createLogger({ logLevel: 'debug', logFile: path.join(logs, 'server.log') });
    lucidac = await startFake({ seed: 3, errors: USUAL });
    const devices = [{ name: 'lab1', uri: 'emulator:ideal-8' }];
    let tellReached = (): void => undefined;
    const reached = new Promise<void>((resolve) => (tellReached = resolve));
    hub = await startHub({
      devices,
      version: VERSION,
      ...(log && { log }),
      onEvent: (event) => {
        if (event.type === 'board' && event.board.health === 'good') tellReached();
      },
    });
    await reached;
  });
  afterAll(async () => {
    await Promise.all([lucidac.close(), hub.close()]);
    rmSync(logs, { recursive: true });
  });
  it.runIf(built)(
    'docs/examples/watch.ts prints what docs/how-to/share-a-board.md shows',
    { tags: 'long' },
    async () => {
      const { stdout } = await run('node', [
        path.join(ROOT, 'dist/docs/examples/watch.js'),
        hub.uris.get('lab1')!,
      ]);
      const shown = readRepositoryFile('docs/how-to/share-a-board.md').split('```ts\n')[1];
      expect(/```text\n([\s\S]*?)```/.exec(shown)?.[1]).toBe(stdout);
    },
  );
  const expectPrinted = async (file: string): Promise<void> => {
    const text = await withPrintedOutput(readRepositoryFile(file), {
      '192.168.1.21': `127.0.0.1:${lucidac.port}`,
      // The page of the how-to serves a board of another name.
      'hub://127.0.0.1:8100/lab\n': `${hub.uris.get('lab1')}\n`,
      'lab.example:8100': new URL(hub.url).host,
      'server.log': path.join(logs, 'server.log'),
    });
    await expect(text).toMatchFileSnapshot(path.join(ROOT, file));
  };
  it.runIf(built).each(withCommands.filter((file) => !LONG.has(file)))(
    'the commands of %s print what it shows (npm run generate writes it)',
    expectPrinted,
  );
  it.runIf(built).each(withCommands.filter((file) => LONG.has(file)))(
    'the commands of %s print what it shows',
    { tags: 'long' },
    expectPrinted,
  );

  it('links between documents lead somewhere', () => {
    const broken = repositoryFiles(/\.md$/).flatMap((file) =>
      [...readRepositoryFile(file).matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((match) => path.join(path.dirname(file), match[1]))
        .filter((target) => !existsSync(path.join(ROOT, target)))
        .map((target) => `${file} → ${target}`),
    );
    expect(broken).toEqual([]);
  });
});
