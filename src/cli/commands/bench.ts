import type { Command } from 'commander';
import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  ROWS_MAX,
} from '../../../firmware-protocol/limits.js';
import { benchLink, type LinkBench } from '../bench/link.js';
import { benchStep, type StepBench, stepWarning } from '../bench/step.js';
import { deviceUri, withDevice } from '../device.js';
import { addLogOptions, type LogOptions } from '../logging.js';
import { choice, positiveInteger } from '../options.js';
import { formatBytes, formatPercent, formatSeconds } from '../output/format.js';
import { withInterrupt } from '../output/interrupt.js';
import { formatTable } from '../output/table.js';

const EXAMPLE = `
Example:
  thermolink bench link --device emulator:ideal-crossbar --json`;

const STEP_EXAMPLE = `
Example:
  thermolink bench step --cells 1024 --json`;

const CODE_WIDTHS = Array.from({ length: COUPLING_BITS_MAX - COUPLING_BITS_MIN + 1 }, (_, i) =>
  String(COUPLING_BITS_MIN + i),
);

interface BenchStepOptions {
  readonly cells: number;
  readonly rows: number | undefined;
  readonly couplingBits: string;
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
    .option('--json', 'print JSON')
    .addHelpText('after', STEP_EXAMPLE)
    .action(async ({ cells, rows, json, ...options }: BenchStepOptions) => {
      const couplingBits = Number(options.couplingBits);
      const warning = stepWarning();
      if (warning !== undefined) process.stderr.write(`${warning}\n`);
      const result = await benchStep({ cells, rows, couplingBits });
      process.stdout.write(
        json
          ? `${JSON.stringify({ cells, ...(rows === undefined ? {} : { rows }), couplingBits, timing: result })}\n`
          : stepText(result),
      );
    });
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
