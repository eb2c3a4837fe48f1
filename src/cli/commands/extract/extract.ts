import type { Command } from 'commander';
import type { BoardProfile } from '../../../../emulator/index.js';
import { connect, parseDeviceUri } from '../../../connect.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { checkWritable } from '../../../files/write-array.js';
import { replaceFile } from '../../../learning/checkpoint.js';
import { checkCharacterizeRequest } from '../../../measure/characterize.js';
import { compareBoards } from '../../../measure/compare.js';
import { extract } from '../../../measure/extract.js';
import { deviceUri, withDevice } from '../../device.js';
import { refuseSharedFiles } from '../../input/distinct-files.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { positiveInteger } from '../../options.js';
import { formatSeconds } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { WorkDisplay } from '../../output/work-display.js';
import {
  addMeasuringOptions,
  type MeasuringOptions,
  measuringRequest,
} from '../characterize/measuring-options.js';
import { capturedOf, extractionText } from './report-text.js';

const EXAMPLE = `
The file is a board type of your own with what was measured of this board; what is captured, and how well:
docs/how-to/characterize.md, "Capturing a board".

Example:
  thermolink extract --device 'emulator:prototype-8?die=3' --out board.json
  thermolink info --device emulator:file=board.json`;

const FALLBACK = 'emulator:prototype-64';

interface ExtractOptions extends LogOptions, MeasuringOptions {
  readonly device?: string;
  readonly out: string;
  readonly crosspoints?: number;
  readonly couplings: boolean;
  readonly json?: true;
}

export function addExtractCommand(program: Command): void {
  addMeasuringOptions(addLogOptions(program.command('extract')))
    .description('capture a board as a profile, for the emulator to be like it')
    .option('--device <uri>', `which board (default: ${FALLBACK})`)
    .requiredOption('--out <board.json>', 'write the profile there')
    .option(
      '--crosspoints <n>',
      'measure so many in every row, and know the others by their spread (default: all)',
      positiveInteger('--crosspoints'),
    )
    .option('--no-couplings', 'measure no crosspoints')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: ExtractOptions) => {
      const report = await withInterrupt((signal) => run(options, signal));
      process.stdout.write(options.json ? `${JSON.stringify(report.json)}\n` : report.text);
    });
}

async function run(options: ExtractOptions, signal: AbortSignal) {
  const { couplings, crosspoints = Number.MAX_SAFE_INTEGER, out } = options;
  const uri = deviceUri(options.device, FALLBACK);
  const display = new WorkDisplay('extract', 1, options.json === true);
  const request = {
    ...measuringRequest(options, display, signal),
    crosspointsPerRow: couplings ? crosspoints : 0,
  };
  checkCharacterizeRequest(request);
  await checkOut(options, uri);
  const startMs = performance.now();
  try {
    const { profile, measured, profileUri, comparison } = await withDevice(
      uri,
      options,
      signal,
      async (device) => {
        const extraction = await extract(device, request, new Date());
        display.finish();
        replaceFile(out, `${JSON.stringify(extraction.profile)}\n`);
        const profileUri = uriOf(out, extraction.profile, device);
        const comparison = await compareWith(device, profileUri, options.seed, signal);
        return { ...extraction, profileUri, comparison };
      },
    );
    const captured = capturedOf(profile, measured.couplings !== undefined);
    const hostSeconds = (performance.now() - startMs) / 1000;
    const { model, serialNumber } = measured.identity;
    return {
      json: {
        file: out,
        open: profileUri,
        board: { model, serialNumber },
        effects: profile.effects,
        captured,
        comparison,
        overloaded: measured.overloaded,
        device: uri,
        timing: { hostSeconds },
      },
      text: [
        `board: ${model}, ${serialNumber}\n\n`,
        extractionText(profile, captured, comparison),
        overloadText(measured.overloaded),
        `\nwritten: ${out}; open it as ${profileUri}\n\n${uri}, ${formatSeconds(hostSeconds)}\n`,
      ].join(''),
    };
  } finally {
    display.finish();
  }
}

/** Refuses, before the board is looked for, an output that is no profile's name, that an option names too, or that can't be written. */
async function checkOut({ out, logFile }: ExtractOptions, uri: string): Promise<void> {
  if (!/\.json$/i.test(out))
    throw new ThermolinkError('BAD_ARGUMENT', `--out ${JSON.stringify(out)} is not named as a profile.`, {
      hint: 'Name a file that ends in .json.',
      data: { option: '--out', path: out },
    });
  const address = parseDeviceUri(uri);
  const file =
    address.kind === 'emulator' && typeof address.profile === 'object' ? address.profile.file : undefined;
  await refuseSharedFiles({ '--out': out, '--log-file': logFile }, { '--device': file });
  await checkWritable(out);
}

/**
 * The device URI of a profile. An ideal emulated board has the same noise by the same die seed. What was not measured of another one
 * is drawn, and not by the very seed that drew it on an emulated board: that would be more than its host could see.
 */
function uriOf(file: string, { effects }: BoardProfile, { identity }: Device): string {
  const own = Number(/^die (\d+)$/.exec(identity.serialNumber)?.[1]);
  const die = effects === null ? own : own === 1 ? 2 : 1;
  const path = file.replace(/[%?#]/g, encodeURIComponent);
  return `emulator:file=${path}${die > 1 || die === 0 ? `?die=${die}` : ''}`;
}

async function compareWith(device: Device, uri: string, seed: number, signal: AbortSignal) {
  const copy = await connect(uri, { signal });
  try {
    return await compareBoards(device, copy, { seed, signal });
  } finally {
    await copy.close();
  }
}

function overloadText(cells: readonly number[]): string {
  if (cells.length === 0) return '';
  return `\nRan into a rail, so that what is known of them means little: cells ${cells.join(', ')}.\n`;
}
