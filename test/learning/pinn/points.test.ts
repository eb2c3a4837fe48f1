import { expect, it } from 'vitest';
import { uniformFacePoints } from '../../../src/learning/pinn/points.js';

// With 4000 points and ten faces, some count is off by more than the limit for one seed in 5·10⁵.
it.each([1, 2, 5])(
  'boundary points of a cube of %d dimensions are equally frequent on all of its faces',
  (dimensions) => {
    const count = 4000;
    const { coordinates } = uniformFacePoints(count, dimensions, 11);
    const onFace = new Float64Array(2 * dimensions);
    let fixed = 0;
    for (let k = 0; k < coordinates.length; k++) {
      if (coordinates[k] !== 0 && coordinates[k] !== 1) continue;
      onFace[2 * (k % dimensions) + coordinates[k]]++;
      fixed++;
    }
    expect(fixed).toBe(count);
    const expected = count / (2 * dimensions);
    for (const seen of onFace) expect(Math.abs(seen - expected)).toBeLessThan(5 * Math.sqrt(expected));
  },
);
