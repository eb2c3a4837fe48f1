import { describe, expect, it } from 'vitest';
import { solve } from '../../src/algorithms/solve/solve.js';
import { connect } from '../../src/connect.js';
import type { ThermolinkError } from '../../src/errors.js';
import { matrix } from '../../src/linalg/matrix.js';
import { VirtualClock } from '../support/virtual-clock.js';

const SYSTEM = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) } as const;

/** Solves one system on an emulated board in this process; `faults` is the end of its URI. */
async function solved(faults: string, retry: boolean) {
  const clock = new VirtualClock();
  const work = async () => {
    const device = await connect(`emulator:ideal-8${faults}`, { clock, retry });
    try {
      const address = { seed: 1, step: 0, block: 0 };
      const drive = Float64Array.of(1, 2);
      const { x, cost } = await solve(device, { system: SYSTEM, drive, tolerance: 1e-3, address });
      return { x: [...x], repeats: cost.repeats };
    } catch (error) {
      return { code: (error as ThermolinkError).code };
    } finally {
      await device.close();
    }
  };
  return clock.run(work());
}

describe('an emulated board in this process with a brown-out during a solve', () => {
  it('is found again, and the solve has the same bits as an undisturbed one', async () => {
    const undisturbed = await solved('', true);
    const disturbed = await solved('?faults=brownOut@100', true);
    expect(undisturbed).toMatchObject({ repeats: 0 });
    expect(disturbed).toEqual({ ...undisturbed, repeats: 1 });
  });

  it('ends the solve if nothing may be repeated', async () => {
    expect(await solved('?faults=brownOut@100', false)).toEqual({ code: 'SESSION_LOST' });
  });
});
