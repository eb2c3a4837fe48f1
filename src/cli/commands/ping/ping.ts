import type { Command } from 'commander';
import { deviceUri, withDevice } from '../../device.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { positiveInteger } from '../../options.js';
import { formatSeconds } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { percentile } from '../../statistics.js';

const EXAMPLE = `
Example:
  thermolink ping --device emulator:ideal-8 -c 100`;

interface PingOptions extends LogOptions {
  readonly device?: string;
  readonly count: number;
  readonly json?: true;
}

export function addPingCommand(program: Command): void {
  addLogOptions(program.command('ping'))
    .description('measure round trips to a board')
    .option('--device <uri>', 'which board (default: emulator:ideal-crossbar)')
    .option('-c, --count <n>', 'round trips', positiveInteger('--count', 1_000_000), 10)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: PingOptions) => {
      const uri = deviceUri(options.device, 'emulator:ideal-crossbar');
      const report = await withInterrupt((signal) =>
        withDevice(uri, options, signal, async (device) => {
          const tripsMs: number[] = [];
          for (let i = 0; i < options.count; i++) tripsMs.push(await device.ping({ signal }));
          return {
            device: uri,
            count: tripsMs.length,
            minMs: percentile(tripsMs, 0),
            p50Ms: percentile(tripsMs, 0.5),
            p90Ms: percentile(tripsMs, 0.9),
            p99Ms: percentile(tripsMs, 0.99),
            maxMs: percentile(tripsMs, 1),
          };
        }),
      );
      process.stdout.write(options.json ? `${JSON.stringify({ timing: report })}\n` : reportText(report));
    });
}

function reportText(report: Readonly<Record<string, string | number>>): string {
  const rows = ['min', 'p50', 'p90', 'p99', 'max'].map((name) => [
    name,
    formatSeconds(Number(report[`${name}Ms`]) / 1000),
  ]);
  return `${report['count']} round trips to ${report['device']}\n${formatTable(rows, { align: ['left', 'right'] })}`;
}
