import type { Command } from 'commander';
import { benchLink, type LinkBench } from '../bench/link.js';
import { deviceUri, withDevice } from '../device.js';
import { addLogOptions, type LogOptions } from '../logging.js';
import { positiveInteger } from '../options.js';
import { formatBytes, formatPercent, formatSeconds } from '../output/format.js';
import { withInterrupt } from '../output/interrupt.js';
import { formatTable } from '../output/table.js';

const EXAMPLE = `
Example:
  thermolink bench link --device emulator:ideal-crossbar --json`;

interface BenchLinkOptions extends LogOptions {
  readonly device?: string;
  readonly bytes: number;
  readonly json?: true;
}

export function addBenchCommand(program: Command): void {
  const bench = program.command('bench').description('measure this machine: the link to a board');
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
    ...(result.bareSocketBytesPerSecond === undefined
      ? []
      : [
          ['same frames, bare socket', `${formatBytes(result.bareSocketBytesPerSecond)}/s`],
          ['upload over bare socket', formatPercent(result.uploadOverBareSocket ?? Number.NaN, 0)],
        ]),
  ];
  return formatTable(rows);
}
