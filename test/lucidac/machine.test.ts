import { describe, expect, it } from 'vitest';
import { parseDeviceUri } from '../../src/connect.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { norm2, normInf, subtract } from '../../src/linalg/products.js';
import { createLucidacSolver, openLucidac } from '../../src/lucidac/index.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

/** A real machine to test, if there is one. */
const URI = process.env['THERMOLINK_TEST_LUCIDAC'] ?? '';

// Without a machine this suite cannot test anything. CI has no machine.
describe.skipIf(URI === '')('the LUCIDAC of THERMOLINK_TEST_LUCIDAC', () => {
  const address = { seed: 1, step: 0, block: 0 };
  const open = () => {
    const place = parseDeviceUri(URI);
    if (place.kind !== 'lucidac') throw new Error('THERMOLINK_TEST_LUCIDAC=lucidac://HOST[:PORT]');
    return openLucidac(place);
  };

  it('says what it is', async () => {
    await using lucidac = await open();
    expect(lucidac.facts.parts.length).toBeGreaterThan(6);
    expect(await lucidac.ping()).toBeGreaterThan(0);
  });

  it('solves five systems of five unknowns at condition 10 to 1e-2 (seeds 1 to 5)', {
    timeout: 300_000,
  }, async () => {
    await using lucidac = await open();
    for (let seed = 1; seed <= 5; seed++) {
      const random = problemRandom(seed);
      const matrix = symmetricWith(eigenvalues('linear', 10, 5), random);
      const drive = normalVector(random, 5);
      const outcome = cholesky(matrix);
      if (!outcome.ok) throw new Error('bug: indefinite problem');
      const exact = choleskySolve(outcome.factor, drive);
      const { x } = await createLucidacSolver(lucidac).solve({
        ...{ system: { kind: 'dense', matrix }, drive, tolerance: 1e-2, address },
      });
      expect(norm2(subtract(x, exact)), `seed ${seed}`).toBeLessThanOrEqual(1e-2 * norm2(exact));
    }
  });

  it('relaxes one unknown by e^(−t) within 10 %', async () => {
    await using lucidac = await open();
    const system = { kind: 'dense', matrix: { rows: 1, columns: 1, data: Float64Array.of(1) } } as const;
    const { x } = await createLucidacSolver(lucidac).relax({
      ...{ system, drive: new Float64Array(1), initial: Float64Array.of(1), time: 1, address },
    });
    expect(normInf(subtract(x, Float64Array.of(Math.exp(-1))))).toBeLessThan(0.1);
  });
});
