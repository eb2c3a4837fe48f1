import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BoardProfile } from '../../../../emulator/index.js';
import { connect } from '../../../connect.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { writeText } from '../../../files/write-array.js';
import { checkCharacterizeRequest } from '../../../measure/characterize.js';
import { compareBoards } from '../../../measure/compare.js';
import { extract } from '../../../measure/extract.js';
import { formatSeconds } from '../../../number-text.js';
import { encodedPath } from '../../../transport/transport.js';
import { boardCommand } from '../../board-command.js';
import { sessionTime } from '../../input/session-time.js';
import { MEASURING } from '../../options/groups.js';
import { negation, option, printedAs } from '../../options/option.js';
import { positiveInteger, type ValueParser } from '../../options/values.js';
import { withStreamNames } from '../../output/report-stream.js';
import { capturedOf, extractionText } from './report-text.js';

const profileFile: ValueParser<string> = (text, flag) => {
  if (/\.json$/i.test(text)) return text;
  throw new ThermolinkError('BAD_ARGUMENT', `${flag} ${JSON.stringify(text)} is not named as a profile.`, {
    hint: 'Name a file that ends in .json.',
    data: { option: flag, path: text },
  });
};

export const command = boardCommand({
  options: {
    out: option('--out <board.json>', 'write the profile there; --json alone prints it', {
      value: profileFile,
      file: 'output',
      dash: printedAs('.json'),
    }),
    crosspoints: option(
      '--crosspoints <n>',
      'crosspoints to measure in every row; of the others only the spread is known (default: all)',
      { value: positiveInteger() },
    ),
    couplings: negation('--no-couplings', 'measure no crosspoints'),
    ...MEASURING,
  },
  fallback: 'emulator:prototype-64',
  example: `
The file describes a board type with the measured values of this board. docs/how-to/characterize.md, "Capture it as a
board of the emulator", says what is captured and how well.

Example:
  thermolink extract --device 'emulator:prototype-8?die=3' --out board.json
  thermolink info --device emulator:file=board.json`,
  async run({ out, crosspoints = Number.MAX_SAFE_INTEGER, couplings, seed, samples, json }, onBoard) {
    if (out === undefined && !json)
      throw new ThermolinkError('BAD_ARGUMENT', 'No file for the profile is named.', {
        hint: 'Name a file by --out, or let --json print it.',
      });
    const request = { seed, samples, crosspointsPerRow: couplings ? crosspoints : 0 };
    checkCharacterizeRequest(request);
    const { result, device, hostSeconds } = await onBoard(async (board, { uri, signal, show }) => {
      const date = await sessionTime(uri);
      const extraction = await extract(board, { ...request, date, signal, onProgress: show });
      const text = `${JSON.stringify(extraction.profile)}\n`;
      if (out === undefined)
        return inTemporaryFile(text, async (file) => {
          const open = uriOf(file, extraction.profile, board);
          return { ...extraction, open: undefined, comparison: await compareWith(board, open, seed, signal) };
        });
      await writeText(out, text);
      const open = uriOf(out, extraction.profile, board);
      return { ...extraction, open, comparison: await compareWith(board, open, seed, signal) };
    });
    const { profile, measured, open, comparison } = result;
    const { model, serialNumber } = measured.identity;
    const captured = capturedOf(profile, measured.couplings !== undefined);
    return {
      json: {
        ...(out === undefined ? { profile } : { file: out, open }),
        board: { model, serialNumber },
        effects: profile.effects,
        captured,
        comparison,
        overloaded: measured.overloaded,
        device,
        timing: { hostSeconds },
      },
      text: [
        `board: ${model}, ${serialNumber}\n\n`,
        extractionText(profile, captured, comparison),
        overloadText(measured.overloaded),
        `\nwritten: ${out}${out === withStreamNames(out ?? '') ? `; open it as ${open}` : ''}\n\n${device}, ${formatSeconds(hostSeconds)}\n`,
      ].join(''),
    };
  },
});

/**
 * The device URI of a profile. The URI of an ideal emulated board has the die seed of this board, so that its
 * noise repeats. The URI of any other board has another die seed. Values that were not measured are drawn
 * from the die seed, and a host that only measures cannot know the draws of the real board.
 */
function uriOf(file: string, { effects }: BoardProfile, { identity }: Device): string {
  const own = Number(/^die (\d+)$/.exec(identity.serialNumber)?.[1]);
  const die = effects === null ? own : own === 1 ? 2 : 1;
  const path = encodedPath(file);
  return `emulator:file=${path}${die > 1 || die === 0 ? `?die=${die}` : ''}`;
}

/** Keeps `text` in a file of the temporary directory while `work` goes on. */
async function inTemporaryFile<Result>(
  text: string,
  work: (file: string) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  try {
    const file = join(directory, 'profile.json');
    await writeText(file, text);
    return await work(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
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
  return `\nThese cells ran into a rail, so their measured values mean little: ${cells.join(', ')}.\n`;
}
