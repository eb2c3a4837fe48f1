import { OracleTicks } from '../../emulator/analog/oracle-ticks.js';
import { kernelWarning } from '../../emulator/kernel/kernel-module.js';
import { newKernelTicks } from '../../emulator/kernel/kernel-ticks.js';
import { make, runOnLines } from '../reference-firmware/build.js';
import { emulatedProblem, type TicksOf } from '../reference-firmware/emulated-problem.js';
import type { Problem } from '../reference-firmware/problems.js';
import { hasProgram } from '../support/programs.js';

/**
 * One way to compute the device model. All implementations are required: an implementation that can't run on
 * this machine is reported as missing.
 */
export interface Implementation {
  readonly name: string;
  /** Whether it takes seconds to compile and therefore belongs to the long tests. */
  readonly isLong: boolean;
  /** The tools that it needs and this machine lacks, or undefined. */
  readonly missing: () => string | undefined;
  /** Whether it has the memory for this problem. Default: it has the memory for every problem. */
  readonly holds?: (problem: Problem) => boolean;
  /** The output of each problem, in order. */
  readonly run: (problems: readonly Problem[]) => string[][];
}

function emulated(
  name: string,
  ticksOf: TicksOf,
  missing: () => string | undefined,
  isLong = false,
): Implementation {
  return {
    name,
    isLong,
    missing,
    run: (problems) => problems.map(({ orders }) => emulatedProblem(orders, ticksOf)),
  };
}

/**
 * This bound is so low that even the smallest program is packed for products that read each coupling once.
 */
const EVERY_PROGRAM_BYTES = 0;

function kernel(name: string, twoWayBytesMin?: number): Implementation {
  const ticksOf: TicksOf = (die) => {
    const ticks = newKernelTicks(die, twoWayBytesMin);
    if (ticks === undefined) throw new Error('the kernel does not run here');
    return ticks;
  };
  // The kernel that reads each coupling once belongs to the long tests. Tests of the kernel test it quickly.
  return emulated(name, ticksOf, kernelWarning, twoWayBytesMin !== undefined);
}

function compiled(compiler: string, flags: string): Implementation {
  const folder = `build-${[compiler, ...flags.split(' ')].join('').replaceAll('=', '-')}`;
  return {
    name: `C device model, ${compiler} ${flags}`,
    isLong: true,
    missing: () => {
      const absent = [compiler, 'make'].find((program) => !hasProgram(program));
      return absent === undefined ? undefined : `no ${absent}`;
    },
    run: (problems) => {
      const program = make('thermolink-digest', folder, [`CC=${compiler}`, `CFLAGS=${flags}`]);
      // All problems run in one process. A process for each problem would take longer than the problems.
      return split(runOnLines(program, linesOf(problems)), problems.length);
    },
  };
}

/** The problems as one input, with a mark after each problem. */
export const linesOf = (problems: readonly Problem[]): string[] =>
  problems.flatMap(({ orders }, i) => ['die 0', ...orders, `mark ${i}`]);

/** The lines before each mark. */
export function split(lines: readonly string[], count: number): string[][] {
  const parts: string[][] = Array.from({ length: count }, () => []);
  let at = 0;
  for (const line of lines)
    if (line === `mark ${at}`) at++;
    else parts[at].push(line);
  return parts;
}

/** The definition: digests.json is written by it. */
export const ORACLE = emulated(
  'TypeScript oracle',
  (die) => new OracleTicks(die),
  () => undefined,
);

export const IMPLEMENTATIONS: readonly Implementation[] = [
  ORACLE,
  kernel('WebAssembly kernel'),
  kernel('WebAssembly kernel, each coupling read once', EVERY_PROGRAM_BYTES),
  compiled('gcc', '-O0'),
  compiled('gcc', '-O2'),
  compiled('gcc', '-O3 -march=native'),
  compiled('clang', '-O2'),
];
