import type { Command } from 'commander';
import { characterize, checkCharacterizeRequest } from '../../../measure/characterize.js';
import { recordOf } from '../../../measure/record.js';
import { deviceUri, withDevice } from '../../device.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { positiveInteger } from '../../options.js';
import { formatSeconds } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { WorkDisplay } from '../../output/work-display.js';
import { characterizationFigures } from './figures.js';
import { addMeasuringOptions, type MeasuringOptions, measuringRequest } from './measuring-options.js';
import { OUTPUT_RECORD, prepareOutput } from './output-files.js';
import { characterizationText } from './report-text.js';

const EXAMPLE = `
Files in DIR: ${OUTPUT_RECORD} (every estimate with its standard error), cells.svg, couplings.svg, adc-histogram.svg.
What is measured, and how: docs/how-to/characterize.md.

Example:
  thermolink characterize --device 'emulator:prototype-64?die=3' --out die-3`;

const FALLBACK = 'emulator:prototype-64';

interface CharacterizeOptions extends LogOptions, MeasuringOptions {
  readonly device?: string;
  readonly crosspoints: number;
  readonly couplings: boolean;
  readonly out?: string;
  readonly json?: true;
}

export function addCharacterizeCommand(program: Command): void {
  addMeasuringOptions(addLogOptions(program.command('characterize')))
    .description('measure what a board is like: every cell, its converters, couplings')
    .option('--device <uri>', `which board (default: ${FALLBACK})`)
    .option('--crosspoints <n>', 'crosspoints to measure in every row', positiveInteger('--crosspoints'), 16)
    .option('--no-couplings', 'measure no crosspoints')
    .option('--out <dir>', 'write record and figures into this directory')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: CharacterizeOptions) => {
      const report = await withInterrupt((signal) => run(options, signal));
      process.stdout.write(options.json ? `${JSON.stringify(report.json)}\n` : report.text);
    });
}

async function run(options: CharacterizeOptions, signal: AbortSignal) {
  const { couplings, crosspoints, out } = options;
  const display = new WorkDisplay('characterize', 1, options.json === true);
  const request = {
    ...measuringRequest(options, display, signal),
    crosspointsPerRow: couplings ? crosspoints : 0,
  };
  checkCharacterizeRequest(request);
  const output = out === undefined ? undefined : prepareOutput(out);
  const uri = deviceUri(options.device, FALLBACK);
  const startMs = performance.now();
  try {
    const measured = await withDevice(uri, options, signal, (device) => characterize(device, request));
    display.finish();
    const record = recordOf(measured, new Date());
    const files = output?.write(record, characterizationFigures(measured)) ?? [];
    const hostSeconds = (performance.now() - startMs) / 1000;
    const written = files.length === 0 ? '' : `\nwritten: ${files.join(', ')}\n`;
    return {
      json: { record, device: uri, files, timing: { hostSeconds } },
      text: `${characterizationText(measured)}${written}\n${uri}, ${formatSeconds(hostSeconds)}\n`,
    };
  } finally {
    display.finish();
    output?.release();
  }
}
