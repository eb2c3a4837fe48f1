import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT, readRepositoryFile, repositoryFiles } from '../repository/files.js';

const run = promisify(execFile);
const CLI = path.join(ROOT, 'dist/src/cli/main.js');

/** These tests run what `npm test` has built; a bare vitest run may come before a build. */
const built = existsSync(CLI);

function expectSolution(stdout: string): void {
  const [x, y] = [...stdout.matchAll(/[xy] = ([\d.]+)/g)].map((match) => Number(match[1]));
  expect(x).toBeCloseTo(1 / 11, 2);
  expect(y).toBeCloseTo(7 / 11, 2);
}

describe('what the documents show runs', () => {
  it('the code in README is the example file', () => {
    const code = [...readRepositoryFile('README.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(
      (match) => match[1],
    );
    expect(code).toEqual([readRepositoryFile('docs/examples/solve.ts')]);
  });

  it.runIf(built)('docs/examples/solve.ts finds the solution (1/11, 7/11)', async () => {
    const { stdout } = await run('node', [path.join(ROOT, 'dist/docs/examples/solve.js')]);
    expectSolution(stdout);
  });

  it.runIf(built)('so does what README shows, saved as solve.mjs and run without a compiler', async () => {
    const readme = readRepositoryFile('README.md');
    expect(readme).toMatch(/^node solve\.mjs$/m);
    expect(readme).toContain('node dist/docs/examples/solve.js');
    // Within the package, as in the folder of the checkout, `thermolink` is the package itself.
    const directory = mkdtempSync(path.join(ROOT, 'dist', 'readme-'));
    try {
      writeFileSync(path.join(directory, 'solve.mjs'), /```ts\n([\s\S]*?)```/.exec(readme)![1]);
      expectSolution((await run('node', ['solve.mjs'], { cwd: directory })).stdout);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.runIf(built)('docs/examples/train.ts learns', async () => {
    const { stdout } = await run('node', [path.join(ROOT, 'dist/docs/examples/train.js')]);
    expect(stdout).toMatch(/^10 steps, test accuracy [5-9]\d\.\d %/);
  });

  it.runIf(built)('the command lines of README run', async () => {
    const lines = [...readRepositoryFile('README.md').matchAll(/^npx thermolink (.*)$/gm)].map(
      (match) => match[1],
    );
    expect(lines.length).toBeGreaterThanOrEqual(3);
    const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
    try {
      writeFileSync(path.join(directory, 'A.csv'), '4,1\n1,3\n');
      writeFileSync(path.join(directory, 'b.csv'), '1\n2\n');
      for (const line of lines) {
        // A whole epoch takes too long for a test.
        const short = line.startsWith('train') ? ['--train-size', '256'] : [];
        const { stdout } = await run('node', [CLI, ...line.split(' '), ...short], { cwd: directory });
        expect(stdout).not.toBe('');
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

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
