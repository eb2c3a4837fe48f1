import { describe, expect, it } from 'vitest';
import { ThermolinkError } from '../../src/errors.js';
import { patiently } from '../../src/farm/patience.js';

const silent = () => new Promise<never>(() => undefined);

describe('a request to a farm’s server', () => {
  it('ends at once when it is aborted while the server is silent', async () => {
    const controller = new AbortController();
    const asked = patiently(silent, { signal: controller.signal });
    controller.abort(new ThermolinkError('ABORTED', 'enough'));
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED', message: 'enough' });
  });

  it('keeps its answer when its signal is aborted after the answer', async () => {
    const controller = new AbortController();
    expect(await patiently(async () => 3, { signal: controller.signal })).toBe(3);
    controller.abort();
  });

  it('is repeated while the server is away', async () => {
    let attempts = 0;
    const answer = patiently(async () => {
      if (attempts++ === 0) throw new Error('away');
      return attempts;
    });
    expect(await answer).toBe(2);
  });
});
