import { beforeEach, describe, expect, it } from 'vitest';
import { LINK_VECTORS } from '../support/link-vectors.js';
import { missingPackage, runPython } from './package.js';

/** The vectors without a bound on a device's memory. */
const FOR_HOSTS = LINK_VECTORS.filter(({ answersWaiting }) => answersWaiting === undefined);

describe('the Python package and the test vectors', () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  async function expectCompared(sessions: number, ...options: readonly string[]): Promise<void> {
    const script = new URL('check_vectors.py', import.meta.url).pathname;
    const { exitCode, stdout, stderr } = await runPython([script, ...options]);
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sessions });
  }

  it('frames, payloads, link and digests equal the vectors', () =>
    expectCompared(FOR_HOSTS.filter(({ framesEachWay }) => framesEachWay === 0).length, '--quick'));

  it('the link equals the vectors after tens of thousands of frames', { tags: 'long' }, () =>
    expectCompared(FOR_HOSTS.length),
  );
});
