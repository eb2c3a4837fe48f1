import { describe, expect, test } from 'vitest';
import { commitProgram } from '../../../emulator/analog/effective-program.js';
import { ARRAY_UNIT, blockTableBytes, kernelMap, padTo } from '../../../emulator/kernel/kernel-map.js';
import { kernelWarning } from '../../../emulator/kernel/kernel-module.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import { idealBoard, integersFrom } from '../../support/analog-boards.js';
import { boardsOf } from '../../support/kernel-boards.js';

test('these tests run the kernel', () => {
  expect(kernelWarning()).toBeUndefined();
});

describe('the kernel equals the oracle in every bit', () => {
  test('only drive and registers change: the loaded couplings are used', () => {
    const die = idealBoard({ cells: 40, rows: 40 });
    const pick = integersFrom(5);
    const draw = (count: number, largest: number) =>
      Int16Array.from({ length: count }, () => pick(-largest, largest));
    const image: ProgramImage = {
      mode: PROGRAM_MODE.factored,
      cells: 40,
      rows: 12,
      couplingBits: 16,
      rowAttenuation: 1,
      couplings: draw(480, 3000),
      drive: draw(40, 5000),
      initialState: draw(40, 5000),
      damping: 500,
      noiseAmplitude: 15000,
      noiseShift: 14,
    };
    const first = commitProgram(die, image);
    const { all, expectEqual } = boardsOf(die);
    all((array) => array.advance(first, 5, 0, 1, false));
    const second = commitProgram(die, { ...image, drive: draw(40, 9000), damping: 9, noiseShift: 9 }, first);
    all((array) => array.advance(second, 5, 5, 1, false));
    expectEqual();
    all((array) => array.advance(first, 5, 10, 1, false));
    expectEqual();
  });

  const large = (parts: Partial<ProgramImage> & Pick<ProgramImage, 'cells' | 'rows'>, seed: number) => {
    const { cells, rows } = parts;
    const pick = integersFrom(seed);
    const pattern = Int16Array.from({ length: 65521 }, () => pick(-600, 600));
    const couplings = new Int16Array(rows * cells);
    for (let at = 0; at < couplings.length; at += pattern.length)
      couplings.set(pattern.subarray(0, couplings.length - at), at);
    return {
      mode: PROGRAM_MODE.factored,
      couplingBits: 16,
      rowAttenuation: 0,
      couplings,
      drive: Int16Array.from({ length: cells }, () => pick(-2000, 2000)),
      initialState: Int16Array.from({ length: cells }, () => pick(-9000, 9000)),
      damping: 3000,
      noiseAmplitude: 20000,
      noiseShift: 17,
      ...parts,
    };
  };

  const symmetric = (cells: number) => {
    const image = large({ cells, rows: cells, mode: PROGRAM_MODE.dense }, 6);
    for (let i = 0; i < cells; i++)
      for (let j = 0; j < i; j++) image.couplings[i * cells + j] = image.couplings[j * cells + i];
    return image;
  };

  /** Every code is at the end of its range, so that sums are as far from zero as possible. */
  const largest = (cells: number) => ({
    ...large({ cells, rows: cells, mode: PROGRAM_MODE.dense }, 5),
    couplings: new Int16Array(cells * cells).fill(-32768),
    initialState: new Int16Array(cells).fill(32767),
    drive: new Int16Array(cells).fill(-32768),
    damping: 4294967295,
    noiseShift: 8,
  });

  function expectEqualAfter(image: ProgramImage, ticks: number): void {
    const die = idealBoard({ cells: 8192, rows: image.rows, tickLog2: 5, banks: 1 }, 77);
    const program = commitProgram(die, image);
    const { all, expectEqual } = boardsOf(die);
    all((array) => array.loadInitialState(image.initialState));
    all((array) => array.advance(program, ticks, 2 ** 32 - 2, 78, false));
    expectEqual();
  }

  test.each<[string, () => ProgramImage, number]>([
    ['8191 cells, 300 rows, attenuated', () => large({ cells: 8191, rows: 300, rowAttenuation: 3 }, 2), 2],
  ])('%s', (_, image, ticks) => expectEqualAfter(image(), ticks));

  test.each<[string, () => ProgramImage, number]>([
    ['2048 cells, dense', () => large({ cells: 2048, rows: 2048, mode: PROGRAM_MODE.dense }, 3), 3],
    ['2000 cells, dense and symmetric', () => symmetric(2000), 3],
    ['8192 cells, 640 rows', () => large({ cells: 8192, rows: 640 }, 1), 3],
    ['8191 cells, 1023 rows, attenuated', () => large({ cells: 8191, rows: 1023, rowAttenuation: 3 }, 2), 2],
    ['8192 cells, dense', () => large({ cells: 8192, rows: 8192, mode: PROGRAM_MODE.dense }, 4), 1],
    ['2048 cells, dense, every code at the end of its range', () => largest(2048), 1],
    ['8192 cells, dense, every code at the end of its range', () => largest(8192), 1],
  ])('%s', { tags: 'long' }, (_, image, ticks) => expectEqualAfter(image(), ticks));
});

test('the block tables of every smaller program fit into the memory of their slot', () => {
  const tooLarge: string[] = [];
  for (const [cells, rows] of [
    [65, 49],
    [64, 64],
    [33, 97],
    [8, 3],
  ]) {
    const [slot, next] = kernelMap({ ...idealBoard({ cells, rows }).profile, dense: false }).slots;
    const room = Math.min(...Object.values({ ...slot, next: next.drive }).filter((at) => at > slot.blocks));
    for (let n = 1; n <= cells; n++)
      for (let m = 1; m <= rows; m++) {
        const [columns, padded] = [padTo(ARRAY_UNIT, n), padTo(ARRAY_UNIT, m)];
        const bytes = blockTableBytes(padded, columns) + blockTableBytes(columns, padded);
        if (slot.blocks + bytes > room) tooLarge.push(`${m} × ${n} of ${rows} × ${cells}`);
      }
  }
  expect(tooLarge).toEqual([]);
});
