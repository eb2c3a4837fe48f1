import { beforeEach, describe, expect, it } from 'vitest';
import { LINK_VECTORS } from '../support/link-vectors.js';
import { missingPackage, runPython } from './package.js';

describe('the Python package and the test vectors', () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  it('frames, payloads, link and digests are those of the vectors', async () => {
    const script = new URL('check_vectors.py', import.meta.url).pathname;
    const { exitCode, stdout, stderr } = await runPython([script]);
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sessions: LINK_VECTORS.length });
  });
});
