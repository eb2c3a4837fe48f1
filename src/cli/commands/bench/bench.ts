import type { Command } from 'commander';
import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  ROWS_MAX,
} from '../../../../firmware-protocol/limits.js';
import { deviceUri, withDevice } from '../../device.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { choice, positiveInteger } from '../../options.js';
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { type BoardsBench, benchBoards } from './boards.js';
import { benchLink, type LinkBench } from './link.js';
import { benchStep, type StepBench, stepWarning } from './step.js';

const EXAMPLE = `
Example:
  thermolink bench link --device emulator:ideal-crossbar --json`;

const STEP_EXAMPLE = `
Examples:
  thermolink bench step --cells 1024 --json
  thermolink bench step --cells 1024 --boards 2

With --boards each has a thread of its own. The ratio is that of runs over the link; threads that only count tell whether there was a
core for each.`;

/** More threads than cores only wait for each other. */
const BOARDS_MAX = 64;

const CODE_WIDTHS = Array.from({ length: COUPLING_BITS_MAX - COUPLING_BITS_MIN + 1 }, (_, i) =>
  String(COUPLING_BITS_MIN + i),
);

interface BenchStepOptions {
  readonly cells: number;
  readonly rows: number | undefined;
  readonly couplingBits: string;
  readonly boards: number;
  readonly json?: true;
}

interface BenchLinkOptions extends LogOptions {
  readonly device?: string;
  readonly bytes: number;
  readonly json?: true;
}

export function addBenchCommand(program: Command): void {
  const bench = program
    .command('bench')
    .description('measure this machine: the link to a board, a tick of an emulated one');
  addLogOptions(bench.command('link'))
    .description('payload rate both ways, wire overhead and round trips of the link to a board')
    .option('--device <uri>', 'which board (default: emulator:ideal-crossbar)')
    .option(
      '--bytes <n>',
      'couplings to upload, as far as the board holds them',
      positiveInteger('--bytes'),
      16_000_000,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: BenchLinkOptions) => {
      const uri = deviceUri(options.device, 'emulator:ideal-crossbar');
      const result = await withInterrupt((signal) =>
        withDevice(uri, options, signal, (device) =>
          benchLink(device, options.bytes, uri.startsWith('tcp:'), signal),
        ),
      );
      process.stdout.write(
        options.json ? `${JSON.stringify({ device: uri, timing: result })}\n` : reportText(uri, result),
      );
    });
  addStepCommand(bench);
}

function addStepCommand(bench: Command): void {
  bench
    .command('step')
    .description(
      "one tick of the emulated cell array, noise on, beside what this machine's instructions allow",
    )
    .requiredOption('--cells <n>', 'cells N', positiveInteger('--cells', CELLS_MAX))
    .option(
      '--rows <m>',
      'rows of a factored program (default: a dense one)',
      positiveInteger('--rows', ROWS_MAX),
    )
    .option(
      '--coupling-bits <c>',
      `width of the coupling codes, ${COUPLING_BITS_MIN} to ${COUPLING_BITS_MAX}`,
      choice('--coupling-bits', CODE_WIDTHS),
      String(COUPLING_BITS_MAX),
    )
    .option(
      '--boards <n>',
      'run so many boards at once, and one alone, in turns',
      positiveInteger('--boards', BOARDS_MAX),
      1,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', STEP_EXAMPLE)
    .action(async ({ cells, rows, boards, json, ...options }: BenchStepOptions) => {
      const problem = { cells, rows, couplingBits: Number(options.couplingBits) };
      const warning = stepWarning();
      if (warning !== undefined) process.stderr.write(`${warning}\n`);
      const print = (result: object, text: string): void => {
        const about = { ...problem, ...(boards > 1 ? { boards } : {}), timing: result };
        process.stdout.write(json ? `${JSON.stringify(about)}\n` : text);
      };
      if (boards > 1) {
        process.stderr.write(`${boards} boards of ${cells} cells, one alone and all at once, in turns …\n`);
        const result = await withInterrupt((signal) => benchBoards(problem, boards, signal));
        print(result, boardsText(result, boards));
      } else {
        const result = await benchStep(problem);
        print(result, stepText(result));
      }
    });
}

function boardsText({ aloneMs, togetherMs, ratio, coresRatio, ticks }: BoardsBench, boards: number): string {
  return formatTable([
    [`${formatCount(ticks)} ticks, one board alone`, formatSeconds(aloneMs / 1000)],
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

function reportText(uri: string, result: LinkBench): string {
  const rows = [
    ['device', uri],
    ['upload', `${formatBytes(result.uploadBytesPerSecond)}/s`],
    ['download', `${formatBytes(result.downloadBytesPerSecond)}/s`],
    ['wire bytes per code byte', result.wireOverhead.toFixed(4)],
    ['longest frame', formatBytes(result.frameBytes)],
    [
      'round trip p50, p99',
      `${formatSeconds(result.roundTripP50Ms / 1000)}, ${formatSeconds(result.roundTripP99Ms / 1000)}`,
    ],
    [
      'stop, longest of 10: in a run, behind an upload',
      `${formatSeconds(result.stopDuringRunMaxMs / 1000)}, ${formatSeconds(result.stopDuringUploadMaxMs / 1000)}`,
    ],
    ...(result.bareSocketBytesPerSecond === undefined
      ? []
      : [
          ['same frames, bare socket', `${formatBytes(result.bareSocketBytesPerSecond)}/s`],
          ['upload over bare socket', formatPercent(result.uploadOverBareSocket ?? Number.NaN, 0)],
        ]),
  ];
  return formatTable(rows);
}
