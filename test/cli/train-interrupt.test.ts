import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BUILT_CLI, isBuilt } from '../support/child-process.js';
import { fewDigits } from '../support/few-digits.js';
import { temporaryDirectory } from './support/temporary-files.js';

const root = temporaryDirectory();
const digits = fewDigits();

/** Runs `thermolink train mnist` and sends it `signal` once its first step has begun. */
async function interrupt(
  signal: NodeJS.Signals,
  ...options: string[]
): Promise<{ code: number | null; stderr: string }> {
  // With 100 epochs, the signal comes before the end of the training.
  const data = ['--data', digits, '--epochs', '100'];
  const child = spawn(process.execPath, [BUILT_CLI, 'train', 'mnist', ...data, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  let isSent = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (isSent || !/step \d+ of/.test(stderr)) return;
    isSent = true;
    child.kill(signal);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stderr };
}

describe.runIf(isBuilt && process.platform !== 'win32')('a training that is interrupted', () => {
  it(
    'by SIGINT tells how to continue, and releases the directory for the next training',
    { tags: 'long' },
    () => expectResumable('SIGINT', 130),
  );
  it.each([
    ['SIGHUP', 129],
    ['SIGTERM', 143],
  ] as const)('by %s tells how to continue, and releases the directory', { tags: 'long' }, expectResumable);

  async function expectResumable(signal: NodeJS.Signals, exitCode: number): Promise<void> {
    const out = join(root, signal);
    const { code, stderr } = await interrupt(signal, '--out', out, '--optimizer', 'adam', '--overwrite');
    expect(code).toBe(exitCode);
    expect(stderr).toMatch(
      /thermolink: ABORTED: interrupted by .* \S+ holds the training up to step \d+\. .*--resume in place of --overwrite\.\n$/,
    );
    expect(stderr).not.toContain('board');
    expect(readdirSync(out).sort()).toEqual(['checkpoint.bin', 'metrics.jsonl']);
    const steps = Number(/up to step (\d+)/.exec(stderr)![1]);
    expect(readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('\n')).toHaveLength(steps + 1);
  }

  it('on a board tells that the board is stopped; without --out it also recommends --out', {
    tags: 'long',
  }, async () => {
    const { code, stderr } = await interrupt('SIGINT');
    expect(code).toBe(130);
    expect(stderr).toContain('stopping the board …');
    expect(stderr).toMatch(/Nothing was stored: a training with --out DIR can be resumed\.\n$/);
  });
});
