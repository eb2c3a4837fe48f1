#!/usr/bin/env node
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { stopBoardsOnExit } from '../driver/stop-on-exit.js';
import { addBenchCommand } from './commands/bench/bench.js';
import { addCalibrateCommand } from './commands/calibrate/calibrate.js';
import { addCharacterizeCommand } from './commands/characterize/characterize.js';
import { addDemoCommand } from './commands/demo/demo.js';
import { addDevicesCommand } from './commands/devices/devices.js';
import { addEmulateCommand } from './commands/emulate/emulate.js';
import { addExtractCommand } from './commands/extract/extract.js';
import { addInfoCommand } from './commands/info/info.js';
import { addInvertCommand } from './commands/invert/invert.js';
import { addPingCommand } from './commands/ping/ping.js';
import { addSampleCommand } from './commands/sample/sample.js';
import { addSolveCommand } from './commands/solve/solve.js';
import { addTrainCommand } from './commands/train/train.js';
import { endOnBrokenPipe } from './output/broken-pipe.js';
import { reportError } from './output/report-error.js';
import { throwUsageErrors } from './usage.js';

const EXIT_CODES = `
Exit codes: 0 done, 1 the operation failed, 2 wrong usage, 130 interrupted by Ctrl-C (143 SIGTERM, 129 SIGHUP).
The device is --device, else the environment variable THERMOLINK_DEVICE, else an emulated board.`;

function createProgram(): Command {
  const program = new Command('thermolink')
    .description('Drive analog thermodynamic processing units, real or emulated, and train networks on them.')
    .version('0.1.0')
    .addHelpText('after', EXIT_CODES);
  addTrainCommand(program);
  addSolveCommand(program);
  addInvertCommand(program);
  addSampleCommand(program);
  addInfoCommand(program);
  addCharacterizeCommand(program);
  addCalibrateCommand(program);
  addExtractCommand(program);
  addEmulateCommand(program);
  addDevicesCommand(program);
  addPingCommand(program);
  addBenchCommand(program);
  addDemoCommand(program);
  throwUsageErrors(program);
  return program;
}

/** Runs one command line (without `node` and the script) and returns the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, { json: args.includes('--json') });
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  endOnBrokenPipe();
  const json = process.argv.includes('--json');
  // Signals are the commands' matter: each says what it leaves behind.
  stopBoardsOnExit({ signals: false, report: (error) => reportError(error, { json }) });
  process.exitCode = await main(process.argv.slice(2));
}
