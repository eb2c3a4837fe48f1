import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeAdc } from '../../../emulator/analog/adc.js';
import { bakeArray } from '../../../emulator/analog/baked-couplings.js';
import { convertCouplings } from '../../../emulator/analog/coupling-dac.js';
import { diePartsOf } from '../../../emulator/analog/die-parts.js';
import { commitProgram } from '../../../emulator/analog/effective-program.js';
import { gainOf, roundDivide, squareRootGain } from '../../../emulator/imperfections/gain.js';
import { PROGRAM_MODE } from '../../../firmware-protocol/program-image.js';
import { integersFrom, programImage } from '../../support/analog-boards.js';
import { imperfectBoard, spread } from '../../support/imperfect-boards.js';

/** x / unit, rounded to the nearest integer, halves to even. */
function halfToEven(x: bigint, unit: bigint): bigint {
  const low = x >= 0n ? x / unit : -((-x + unit - 1n) / unit);
  const doubledRest = 2n * (x - low * unit);
  if (doubledRest === unit) return low + (low & 1n);
  return doubledRest > unit ? low + 1n : low;
}

function standardDeviation(values: ArrayLike<number>): number {
  const list = Array.from(values);
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  return Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length);
}

describe('gains', () => {
  test('round as the exact quotient', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 48), max: 2 ** 48 }),
        fc.integer({ min: 1, max: 2_000_000 }),
        (x, d) => {
          const doubled = 2n * BigInt(x) + BigInt(d);
          const divisor = 2n * BigInt(d);
          const rest = ((doubled % divisor) + divisor) % divisor;
          expect(BigInt(roundDivide(x, d))).toBe((doubled - rest) / divisor);
        },
      ),
      { seed: 71, numRuns: 2000 },
    );
  });

  test('the root of a gain is the largest integer whose square is at most gain · 2²⁰', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 21 }), (gain) => {
        const root = BigInt(squareRootGain(gain));
        const x = BigInt(gain) << 20n;
        expect(root * root <= x && (root + 1n) * (root + 1n) > x).toBe(true);
      }),
      { seed: 72, numRuns: 2000 },
    );
  });
});

test('draws have the requested mean and spread, and are uncorrelated between dies', () => {
  // Of 8192 draws, the standard deviation has the relative standard error 1/√16384. The mean and the
  // correlation have the standard error 1/√8192. Each limit is six standard errors. With another seed a
  // correct generator fails one of the nine checks with probability 2e-8.
  const effects = {
    timeConstantMismatch: spread(10_000),
    inputOffset: spread(1000),
    leakage: { meanPpm: 500_000, spreadPpm: 50_000, source: 'test' },
  };
  const size = { cells: 8192, rows: 1, dense: false };
  const parts = diePartsOf(imperfectBoard(effects, size, 1)).cells!;
  const others = diePartsOf(imperfectBoard(effects, size, 2)).cells!;
  const cases = [
    [parts.rate, others.rate, 2 ** 20, 0.01 * 2 ** 20],
    [parts.inputOffset, others.inputOffset, 0, 0.001 * 2 ** 24],
    [parts.leakage, others.leakage, 0.5 * 2 ** 15, 0.05 * 2 ** 15],
  ] as const;
  for (const [drawn, other, mean, sigma] of cases) {
    const z = Array.from(drawn, (x) => (x - mean) / sigma);
    const zOther = Array.from(other, (x) => (x - mean) / sigma);
    expect(Math.abs(standardDeviation(z) - 1)).toBeLessThan(6 / Math.sqrt(2 * 8192));
    expect(Math.abs(z.reduce((sum, x) => sum + x, 0) / 8192)).toBeLessThan(6 / Math.sqrt(8192));
    const correlation = z.reduce((sum, x, i) => sum + x * zOther[i], 0) / 8192;
    expect(Math.abs(correlation)).toBeLessThan(6 / Math.sqrt(8192));
  }
});

test('a cell and a crosspoint have the same numbers on a board of any size', () => {
  const effects = { couplingMismatch: spread(5000), inputOffset: spread(1000) };
  const small = imperfectBoard(effects, { cells: 8, rows: 8 }, 9);
  const large = imperfectBoard(effects, { cells: 100, rows: 100 }, 9);
  const [ofSmall, ofLarge] = [small, large].map(diePartsOf);
  expect(ofLarge.cells!.inputOffset.subarray(0, 8)).toEqual(ofSmall.cells!.inputOffset);
  const gains = ({ crosspoints }: typeof ofSmall, array: 'forward' | 'transposed') => {
    const out = new Int32Array(8);
    crosspoints!(array, 7, out);
    return out;
  };
  expect(gains(ofLarge, 'forward')).toEqual(gains(ofSmall, 'forward'));
  expect(gains(ofSmall, 'transposed')).not.toEqual(gains(ofSmall, 'forward'));
});

describe('each effect changes its own numbers and nothing else', () => {
  const pick = integersFrom(41);
  const cells = 12;
  const image = programImage({
    mode: PROGRAM_MODE.factored,
    cells,
    rows: 5,
    couplings: Int16Array.from({ length: 5 * cells }, () => pick(-20_000, 20_000)),
    drive: Int16Array.from({ length: cells }, () => pick(-9000, 9000)),
    damping: 12_345,
    noiseAmplitude: 20_000,
    noiseShift: 12,
  });
  const committed = (effects: Parameters<typeof imperfectBoard>[0]) => {
    const { forward, transposed, drive, damping, noiseAmplitude } = commitProgram(
      imperfectBoard(effects, { cells, rows: cells }),
      image,
    );
    return { forward, transposed, drive, damping, noiseAmplitude };
  };
  const ideal = committed({});
  const converter = {
    gainSpreadPpm: 5000,
    offsetSpreadLsb256: 256,
    bowSpreadLsb256: 256,
    codeSpreadLsb256: 128,
    source: 'test',
  };
  test.each([
    ['couplingMismatch', spread(5000), ['forward', 'transposed']],
    ['timeConstantMismatch', spread(10_000), ['transposed', 'drive', 'damping', 'noiseAmplitude']],
    ['noiseMismatch', spread(10_000), ['noiseAmplitude']],
    ['inputOffset', spread(1000), ['drive']],
    ['leakage', { meanPpm: 5000, spreadPpm: 500, source: 'test' }, ['damping']],
    ['driveConverter', converter, ['drive']],
    ['adc', converter, []],
    ['crosstalk', { sharePpm: 5000, spreadPpm: 1000, source: 'test' }, ['transposed']],
    ['drift', spread(1000), []],
    ['flicker', spread(1000), []],
    ['commonModeNoise', { sharePpm: 5000, source: 'test' }, []],
    ['deadCells', { sharePpm: 500_000, source: 'test' }, []],
  ])('%s', (name, effect, changed) => {
    const found = committed({ [name]: effect });
    const differs = Object.keys(ideal).filter(
      (key) => String(found[key as keyof typeof found]) !== String(ideal[key as keyof typeof ideal]),
    );
    expect(differs).toEqual(changed);
  });

  test('a profile whose effects are all null is an ideal board, bit for bit, with one array for both directions', () => {
    const die = imperfectBoard({}, { cells, rows: cells });
    const { forward, transposed } = convertCouplings(die, image);
    expect(transposed).toBe(forward);
    expect(ideal.forward).toEqual(image.couplings);
  });
});

test('effective couplings equal the formula in exact arithmetic, and clamps are counted', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom('rows' as const, 'columns' as const, null),
      fc.nat(0xffff),
      fc.nat(200_000),
      (rows, cells, cellLines, seed, mismatchPpm) => {
        const pick = integersFrom(seed);
        const codes = Int16Array.from({ length: rows * cells }, () => pick(-2048, 2047));
        const z = Array.from({ length: rows }, () =>
          Int16Array.from({ length: cells }, () => pick(-25_519, 25_519)),
        );
        const lines = cellLines === 'rows' ? rows : cells;
        const draw = (low: number, high: number) => Int32Array.from({ length: lines }, () => pick(low, high));
        const parts = {
          rate: draw(0, 2 ** 21),
          fromNext: draw(-(2 ** 18), 2 ** 18),
          fromBefore: draw(-(2 ** 18), 2 ** 18),
        };
        const out = new Int16Array(rows * cells);
        const gains = (row: number, to: Int32Array) =>
          to.set(Int32Array.from(z[row], (draw) => gainOf(mismatchPpm, draw)));
        const cut = bakeArray({ codes, rows, cells, shift: 4, gains, parts, cellLines }, out);
        const round = (x: bigint, bits: bigint) => (x + (1n << (bits - 1n))) >> bits;
        const fine = (r: number, j: number) =>
          r < 0 || r >= rows || j < 0 || j >= cells
            ? 0n
            : round(BigInt(codes[r * cells + j] * 16) * BigInt(gainOf(mismatchPpm, z[r][j])), 8n);
        let expectedCut = 0;
        for (let r = 0; r < rows; r++)
          for (let j = 0; j < cells; j++) {
            let g = fine(r, j) << 20n;
            if (cellLines !== null) {
              const [i, dr, dj] = cellLines === 'rows' ? [r, 1, 0] : [j, 0, 1];
              const picked =
                BigInt(parts.fromNext[i]) * fine(r + dr, j + dj) +
                BigInt(parts.fromBefore[i]) * fine(r - dr, j - dj);
              g = (fine(r, j) + round(picked, 20n)) * BigInt(parts.rate[i]);
            }
            const exact = Number(halfToEven(g, 1n << 32n));
            const kept = Math.max(-32_767, Math.min(32_767, exact));
            if (kept !== exact) expectedCut++;
            expect(out[r * cells + j]).toBe(kept);
          }
        expect(cut).toBe(expectedCut);
      },
    ),
    { seed: 73, numRuns: 600 },
  );
});

describe('an imperfect ADC', () => {
  const effect = (parts: object) => ({
    adc: {
      gainSpreadPpm: 0,
      offsetSpreadLsb256: 0,
      bowSpreadLsb256: 0,
      codeSpreadLsb256: 0,
      source: 'test',
      ...parts,
    },
  });
  const channels = 2000;
  const read = (parts: object, volts: number) => {
    const die = imperfectBoard(effect(parts), { cells: channels, rows: 1, dense: false });
    const codes = new Int16Array(channels);
    makeAdc(die)(new Int32Array(channels).fill(volts * 2 ** 24), codes);
    return codes;
  };

  test('without deviations is an ideal one', () => {
    expect(new Set(read({}, 0.3))).toEqual(new Set([Math.round(0.3 * 2 ** 14)]));
  });

  // The limits are six standard errors of the standard deviation of 2000 draws.
  test.each([
    ['a gain', { gainSpreadPpm: 5000 }, 0.005 * 2 ** 14],
    ['an offset', { offsetSpreadLsb256: 2560 }, 10],
    ['a bow, at mid-range', { bowSpreadLsb256: 2560 }, 10 * (1 - (1 / 2) ** 2)],
    ['errors of single codes', { codeSpreadLsb256: 2560 }, 10],
  ])('%s spreads readings of 1 V_fs', (_, parts, sigma) => {
    const found = standardDeviation(read(parts, 1));
    expect(Math.abs(found / sigma - 1)).toBeLessThan(6 / Math.sqrt(2 * channels));
  });

  test('an ADC whose effect is null is ideal too', () => {
    const die = imperfectBoard({}, { cells: 2, rows: 2 });
    const out = new Int16Array(2);
    makeAdc(die)(Int32Array.of(1024, -1024), out);
    expect(Array.from(out)).toEqual([1, -1]);
  });
});
