import { beforeEach, describe, expect, it } from 'vitest';
import { missingPackage, PACKAGE, runPython, serveBoard } from './package.js';

const EXAMPLE = `${PACKAGE}/examples/tngd.py`;
/** The least share of right answers after the training. Chance alone gives 1/3. */
const LEARNT_MIN = 0.9;

describe('the example of a training in PyTorch', () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  it('names a missing module', async () => {
    // A module of this name that does not load is found before the real one.
    const code = `import sys; sys.modules['torch'] = None; sys.argv = ['tngd.py']; exec(open('${EXAMPLE}').read())`;
    const { exitCode, stderr } = await runPython(['-c', code]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('needs PyTorch');
  });

  it('learns three arms of a spiral through a served board', { tags: 'long' }, async (context) => {
    const { exitCode: found } = await runPython(['-c', 'import torch']);
    context.skip(found !== 0, 'no PyTorch: apt-get install python3-torch to run the example of a training');
    const uri = await serveBoard('ideal-64');
    const { exitCode, stdout, stderr } = await runPython([EXAMPLE, uri]);
    expect(exitCode, stderr).toBe(0);
    const [before, after] = [...stdout.matchAll(/accuracy ([\d.]+)/g)].map((match) => Number(match[1]));
    expect(after, stdout).toBeGreaterThan(LEARNT_MIN);
    expect(before, stdout).toBeLessThan(LEARNT_MIN);
  });
});
