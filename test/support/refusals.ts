import { expect, it } from 'vitest';
import { ThermolinkError } from '../../src/index.js';

/** A call as in JavaScript: no compiler checks its arguments. */
// biome-ignore lint/suspicious/noExplicitAny: these tests pass what no compiler would let through.
export type Anything = any;

async function errorOf(call: () => unknown): Promise<Anything> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

type Refusal = readonly [what: string, call: () => unknown, names: RegExp, code?: string];

/** Tests that a call is refused by an error that names the argument. */
export function expectRefusals(cases: readonly Refusal[]): void {
  const rows = cases.map(([what, call, names, code = 'BAD_ARGUMENT']) => ({ what, call, names, code }));
  it.each(rows)('$what', async ({ call, names, code }) => {
    const error = await errorOf(call);
    expect(error).toBeInstanceOf(ThermolinkError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(names);
    expect(error.message).toMatch(/^\S.*\.$/);
  });
}
