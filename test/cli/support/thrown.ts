import { ThermolinkError } from '../../../src/errors.js';

/** The `ThermolinkError` that `action` throws or rejects with; everything else fails the test. */
export async function thrown(action: () => unknown): Promise<ThermolinkError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof ThermolinkError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
