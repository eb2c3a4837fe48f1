import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelWarning } from '../../../emulator/kernel/kernel-module.js';
import { idealBoard, integersFrom } from '../../support/analog-boards.js';
import { boardsOf } from '../../support/kernel-boards.js';
import { boardOf, imageOf, imperfect, problem, programOf, shapeOf } from '../../support/kernel-problems.js';

test('these tests run the kernel', () => {
  expect(kernelWarning()).toBeUndefined();
});

/** At least `least` problems must reach a limit, and at least as many must not. */
function equalsTheOracle(problems: number, least: number, histories: number): void {
  test('random problems of both modes, with and without a limit reached', () => {
    let overloads = 0;
    let quiet = 0;
    const styles = new Set<string>();
    fc.assert(
      fc.property(problem, (p) => {
        const die = boardOf(p);
        const image = imageOf(p);
        const program = programOf(p, die, image);
        const { all, expectEqual } = boardsOf(die);
        all((array) => array.loadInitialState(image.initialState));
        const done = all((array) => array.advance(program, p.ticks, p.firstTick, p.runSeed, p.halts));
        expect(new Set(done).size).toBe(1);
        expectEqual();
        const readings = all((array) => {
          const codes = new Int16Array(image.cells);
          return [array.readAdc(codes), ...codes].join();
        });
        expect(new Set(readings).size).toBe(1);
        const [overloaded] = all((array) => array.overloaded);
        if (overloaded) overloads++;
        else if (p.ticks > 0) {
          quiet++;
          styles.add(`${p.mode} ${p.style}`);
        }
      }),
      { seed: 20240601, numRuns: problems },
    );
    // `least` is about two in nine of 1,500 problems, and about one in four of 45 problems.
    expect(Math.min(overloads, quiet)).toBeGreaterThanOrEqual(least);
    expect(styles.size).toBeGreaterThan(5);
  });

  test('several programs in turn on one board, in pieces, without a new initial state', () => {
    fc.assert(
      fc.property(fc.array(problem, { minLength: 3, maxLength: 6 }), fc.nat(0xffff), (parts, seed) => {
        const cells = Math.max(...parts.map((p) => shapeOf(p).cells));
        const rows = Math.max(...parts.map((p) => shapeOf(p).rows));
        const sound = idealBoard({ cells, rows, tickLog2: parts[0].tickLog2 }, seed);
        const die = parts[1].die ? imperfect(sound, parts[1].die) : sound;
        const programs = parts.map((p) => programOf(p, die, imageOf(p)));
        const { all, expectEqual } = boardsOf(die);
        all((array) => array.loadInitialState(imageOf(parts[0]).initialState));
        const pick = integersFrom(seed);
        let tick = Math.max(0, parts[0].firstTick - 100);
        for (let turn = 0; turn < 10; turn++) {
          const program = programs[pick(0, programs.length - 1)];
          const ticks = pick(0, 3);
          const runSeed = pick(0, 1);
          all((array) => array.advance(program, ticks, tick, runSeed, false));
          expectEqual(tick);
          tick += pick(0, 3) === 0 ? ticks + 1 : ticks;
        }
      }),
      { seed: 20240602, numRuns: histories },
    );
  });
}

describe('the kernel equals the oracle in every bit, on ideal and imperfect dies', () => {
  equalsTheOracle(45, 12, 1);
});

describe('the kernel equals the oracle in every bit on many more dies', { tags: 'long' }, () => {
  equalsTheOracle(1500, 340, 60);
});
