import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPort } from '../../../../connect.js';
import { ThermolinkError } from '../../../../errors.js';
import { replaceFile } from '../../../../files/replace-file.js';
import { requireDirectory } from '../../../../learning/training-files-lock.js';
import { openTrace } from '../../../../traces/open-trace.js';
import { verifyTrace } from '../../../../traces/verify/verify.js';
import type { VerifyResult } from '../../../../traces/verify/verify-result.js';
import { defineCommand, printReport } from '../../../command.js';
import { deviceUri } from '../../../device.js';
import { checkFiles } from '../../../input/check-files.js';
import { JSON_OUTPUT } from '../../../options/groups.js';
import { flag, option } from '../../../options/option.js';
import { fractionBelowOne, u32 } from '../../../options/values.js';
import { withInterrupt } from '../../../output/interrupt.js';
import { WorkDisplay } from '../../../output/work-display.js';
import { verdictPicture } from './picture.js';
import { verdictText } from './verdict-text.js';

const RATE_DEFAULT = 1e-3;
const PICTURE = 'verify.svg';
const RECORD = 'verify.json';

const OPTIONS = {
  device: option('--device <uri>', 'which board is compared (default: THERMOLINK_DEVICE)'),
  rate: option('--rate <r>', 'false-alarm rate for the whole file', {
    value: fractionBelowOne,
    default: RATE_DEFAULT,
  }),
  exact: flag('--exact', 'require that every sample is equal'),
  statistical: flag('--statistical', 'compare samples by their statistics'),
  freshNoise: option('--fresh-noise <s>', 'use other run seeds, derived from s: 0 to 2³² − 1', {
    value: u32,
  }),
  out: option('--out <dir>', 'write a picture and all comparisons into this directory', { file: 'own' }),
  ...JSON_OUTPUT,
};

export const command = defineCommand({
  arguments: [{ name: '<file>', help: 'a recorded session (MCAP)', file: 'input' }],
  options: OPTIONS,
  example: `
Everything digital must be equal. On the same die of an emulated board samples must be equal too. On any other
board mean, covariance, autocorrelation and innovations of each run are compared.

Example:
  thermolink trace verify session.mcap --device emulator:prototype-64?die=2 --out comparison

The exit code is 1 if the board deviates; with --json the report is then in the data of the error.`,
  async run(options, name, [file]) {
    await checkFiles(OPTIONS, options, { '<file>': file });
    if (options.exact && (options.statistical || options.freshNoise !== undefined))
      throw new ThermolinkError('BAD_ARGUMENT', '--exact excludes --statistical and --fresh-noise.', {
        hint: 'Leave --exact out, or give it without the others.',
      });
    const uri = deviceUri(options.device, '');
    if (uri === '')
      throw new ThermolinkError('BAD_ARGUMENT', 'No device is named.', {
        hint: 'Pass --device, for example --device tcp://127.0.0.1:7000.',
      });
    if (options.out !== undefined) requireDirectory(options.out);
    const json = options.json === true;
    const result = await withInterrupt((signal) => verify(file, uri, options, name, signal));
    const files = options.out === undefined ? [] : writeFiles(options.out, result);
    // With --json the error contains the report, so that only one document is printed.
    if (!json || result.passed)
      printReport({ json: summary(result), text: verdictText(result, files) }, json);
    if (!result.passed)
      throw new ThermolinkError('TRACE_DEVIATES', `${uri} deviates from the board recorded in ${file}.`, {
        hint: 'The report says which messages, cells or pairs deviate, and by how much.',
        data: { file, device: uri, report: summary(result) },
      });
  },
});

interface Chosen {
  readonly rate: number;
  readonly exact: true | undefined;
  readonly statistical: true | undefined;
  readonly freshNoise: number | undefined;
  readonly json: true | undefined;
}

async function verify(
  file: string,
  uri: string,
  { rate, exact, statistical, freshNoise, json }: Chosen,
  name: string,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const trace = await openTrace(file);
  let total = 0;
  for (const { index } of trace.messages()) total = index + 1;
  const display = new WorkDisplay(name, total, json === true);
  try {
    const port = await openPort(uri, { signal });
    return await verifyTrace(trace.messages(), port, {
      rate,
      ...(exact && { mode: 'exact' as const }),
      ...(statistical && { mode: 'statistical' as const }),
      ...(freshNoise !== undefined && { freshNoise }),
      signal,
      onProgress: (message) => display.update(message + 1, 'messages'),
    });
  } finally {
    display.finish();
    trace.close();
  }
}

function writeFiles(directory: string, result: VerifyResult): string[] {
  mkdirSync(directory, { recursive: true });
  const files = [join(directory, RECORD)];
  replaceFile(files[0], `${JSON.stringify(summary(result))}\n`);
  const picture = verdictPicture(result);
  if (picture === undefined) return files;
  replaceFile(join(directory, PICTURE), picture);
  return [...files, join(directory, PICTURE)];
}

/** The result without the comparisons that chance explains. */
function summary({ comparisons, ...rest }: VerifyResult) {
  return {
    ...rest,
    comparisons: comparisons.map(({ runs, isOneProgram, samples, cells, blocks, lag }) => ({
      runs,
      isOneProgram,
      samples,
      cells,
      blocks,
      lag,
    })),
  };
}
