import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  ROWS_MAX,
} from '../../../../firmware-protocol/limits.js';
import { counted, formatPercent, formatSeconds } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { positiveInteger, wholeNumber } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { type BoardsBench, benchBoards } from './boards.js';
import { benchStep, type StepBench, stepWarning } from './step.js';

/** Threads beyond the number of cores only wait for each other. */
const BOARDS_MAX = 64;

export const command = defineCommand({
  options: {
    cells: option('--cells <n>', 'cells N', { value: positiveInteger(CELLS_MAX), required: true }),
    rows: option('--rows <m>', 'rows of a factored program (default: a dense one)', {
      value: positiveInteger(ROWS_MAX),
    }),
    couplingBits: option(
      '--coupling-bits <c>',
      `width of the coupling codes, ${COUPLING_BITS_MIN} to ${COUPLING_BITS_MAX}`,
      { value: wholeNumber(COUPLING_BITS_MIN, COUPLING_BITS_MAX), default: COUPLING_BITS_MAX },
    ),
    boards: option('--boards <n>', 'run this number of boards at once, in turns with one board alone', {
      value: positiveInteger(BOARDS_MAX),
      default: 1,
    }),
    ...JSON_OUTPUT,
  },
  example: `
Examples:
  thermolink bench step --cells 1024 --json
  thermolink bench step --cells 1024 --boards 2

With --boards each board has a thread of its own. The ratio divides the time of runs on all boards at once
by the time on one board alone; both times include the link. The ratio of threads that only count shows
whether each thread had a processor core.`,
  async run({ cells, rows, couplingBits, boards, json }) {
    const problem = { cells, rows, couplingBits };
    const warning = stepWarning();
    if (warning !== undefined) process.stderr.write(`${warning}\n`);
    const print = (result: object, text: string): void => {
      const about = { ...problem, ...(boards > 1 ? { boards } : {}), timing: result };
      printReport({ json: about, text }, json === true);
    };
    if (boards > 1) {
      process.stderr.write(
        `${counted(boards, 'board')} of ${counted(cells, 'cell')}, one alone and all at once, in turns …\n`,
      );
      const result = await withInterrupt((signal) => benchBoards(problem, boards, signal));
      print(result, boardsText(result, boards));
    } else {
      const result = await benchStep(problem);
      print(result, stepText(result));
    }
  },
});

function boardsText({ aloneMs, togetherMs, ratio, coresRatio, ticks }: BoardsBench, boards: number): string {
  return formatTable([
    [`${counted(ticks, 'tick')}, one board alone`, formatSeconds(aloneMs / 1000)],
    [`the same on ${boards} boards at once`, formatSeconds(togetherMs / 1000)],
    ['ratio', `${ratio.toFixed(2)}×`],
    [`${boards} threads that only count, over one`, `${coresRatio.toFixed(2)}×`],
  ]);
}

function stepText(result: StepBench): string {
  return formatTable([
    ['tick, noise on', formatSeconds(result.microsecondsPerTick / 1e6)],
    ['coupling products', `${result.gigaMacPerSecond.toFixed(1)} GMAC/s`],
    ['dot instruction alone', `${result.roofGigaMacPerSecond.toFixed(1)} GMAC/s`],
    ['reading the couplings alone', `${result.readGigabytesPerSecond.toFixed(1)} GB/s`],
    ['share of what these allow', formatPercent(result.shareOfRoof, 0)],
    ['conversion and packing', formatSeconds(result.commitMs / 1000)],
  ]);
}
