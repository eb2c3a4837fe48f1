import { drawGaussians } from './die-draws.js';
import { gainOf } from './gain.js';
import { gains, imperfection, percent, spreadPpm } from './imperfection.js';

const DRAWS = { forwardArray: 1, transposedArray: 2 };

/**
 * The gain 1 + ε of every crosspoint (device-model.md, "Imperfections"): g̃ = code·2^(16−b)·(1 + ε). The line
 * of a draw is the row, its item the column.
 */
export const couplingMismatch = imperfection({
  acts: 'commit',
  rule:
    'g̃ = code·2^(16−b)·(1 + ε). Each crosspoint has its own ε, and another one in the transposed array. ' +
    'g̃ is kept to 2⁻¹².',
  size: (effect) => percent(effect.spreadPpm),
  magnitudes: { spreadPpm: spreadPpm() },
  measured: { gain: gains('crosspoint') },
  draws: DRAWS,
  crosspoints(effect, { dieSeed, cells }, measured) {
    // Rows are drawn when a program first uses them, because most programs use few rows of a large crossbar.
    const drawn = { forward: [] as Int16Array[], transposed: [] as Int16Array[] };
    const draws = { forward: DRAWS.forwardArray, transposed: DRAWS.transposedArray };
    const known = measured && Int32Array.from(measured.gain);
    return (array, row, out) => {
      if (known && array === 'forward') {
        out.set(known.subarray(row * cells, row * cells + out.length));
        return;
      }
      const z = (drawn[array][row] ??= drawGaussians(dieSeed, draws[array], row, cells));
      for (let j = 0; j < out.length; j++) out[j] = gainOf(effect.spreadPpm, z[j]);
    };
  },
});
