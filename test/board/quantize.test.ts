import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  programImage,
  programmedDrive,
  programmedSystem,
  quantizeCouplings,
  quantizeDrive,
  quantizeInitialState,
  quantizeSystem,
  roundHalfEven,
} from '../../src/board/quantize.js';
import { matrix } from '../../src/linalg/matrix.js';
import { solverBoard } from '../support/solver-board.js';
import { normalMatrix, problemRandom } from '../support/solver-problems.js';

const board = solverBoard('ideal-crossbar').identity;

describe('rounding', () => {
  test('goes half to even', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 7].map(roundHalfEven)).toEqual([
      0, 2, 2, 0, -2, -2, 0, 7,
    ]);
  });

  test.each([4, 8, 9, 16])(
    'of couplings to %i bits equals the definition, also where codes saturate',
    (bits) => {
      const limit = 2 ** (bits - 1) - 1;
      fc.assert(
        fc.property(
          fc.float64Array({ min: -3 * limit, max: 3 * limit, noNaN: true, minLength: 1, maxLength: 9 }),
          (values) => {
            const codes = quantizeCouplings(matrix(1, values.length, values), 0.5, bits);
            const wanted = Array.from(values, (value) => roundHalfEven(0.5 * value));
            expect(Array.from(codes)).toEqual(
              wanted.map((code) => Math.max(-limit, Math.min(limit, code)) + 0),
            );
          },
        ),
        { seed: 7 },
      );
    },
  );

  test('takes one byte per coupling up to 8 bits, and two bytes above', () => {
    const values = matrix(1, 2, Float64Array.of(1, -1));
    expect(quantizeCouplings(values, 127, 8)).toBeInstanceOf(Int8Array);
    expect(quantizeCouplings(values, 255, 9)).toBeInstanceOf(Int16Array);
  });
});

describe('a program', () => {
  const scaling = { systemScale: 4, solutionScale: 2, couplingBits: 8, rowAttenuation: 3 };

  test('holds K/√s_A, λ/s_A, b/(s_A s_x) and x₀/s_x in codes', () => {
    const system = {
      kind: 'factored',
      factor: matrix(1, 2, Float64Array.of(1, -0.5)),
      damping: 0.6,
    } as const;
    const codes = quantizeSystem(system, scaling);
    const drive = quantizeDrive(Float64Array.of(8, -1), scaling, board);
    const state = quantizeInitialState(Float64Array.of(2, -0.5), 2);
    const image = programImage(codes, drive, state, { amplitude: 0, shift: 8 });
    expect(image).toMatchObject({ mode: 1, cells: 2, rows: 1, couplingBits: 8, rowAttenuation: 3 });
    expect(Array.from(image.couplings)).toEqual([64, -32]);
    expect(image.damping).toBe(roundHalfEven(0.15 * 32768));
    expect(Array.from(image.drive)).toEqual([8192, -1024]);
    expect(Array.from(image.initialState)).toEqual([16384, -4096]);
  });

  test('clamps numbers beyond the range', () => {
    const drive = quantizeDrive(Float64Array.of(1000, 0), scaling, board);
    expect(Array.from(drive)).toEqual([32767, 0]);
    expect(Array.from(quantizeInitialState(Float64Array.of(-5, 0), 2))).toEqual([-32767, 0]);
  });

  test('is within half a code of the requested value', () => {
    const random = problemRandom(3);
    const factor = normalMatrix(random, 6, 11);
    const largest = Math.max(...factor.data.map(Math.abs));
    const systemScale = (largest / (127 / 128)) ** 2;
    const codes = quantizeSystem({ kind: 'factored', factor, damping: 0.4 }, { ...scaling, systemScale });
    const programmed = programmedSystem(codes, systemScale);
    if (programmed.kind !== 'factored') throw new Error('factored');
    const half = (Math.sqrt(systemScale) / 128) * 0.5 * (1 + 1e-12);
    programmed.factor.data.forEach((value, i) => {
      expect(Math.abs(value - factor.data[i])).toBeLessThanOrEqual(half);
    });
    expect(Math.abs(programmed.damping - 0.4)).toBeLessThanOrEqual(systemScale * 2 ** -16);
  });

  test('knows the drive that its codes stand for', () => {
    const codes = quantizeDrive(Float64Array.of(3.3), scaling, board);
    expect(Math.abs(programmedDrive(codes, scaling, board)[0] - 3.3)).toBeLessThanOrEqual(8 * 2 ** -14);
  });
});
