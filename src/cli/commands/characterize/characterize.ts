import { characterize, checkCharacterizeRequest } from '../../../measure/characterize.js';
import type { FinishedParts } from '../../../measure/lab-board.js';
import { recordOf } from '../../../measure/record.js';
import { counted, formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { sessionTime } from '../../input/session-time.js';
import { MEASURING } from '../../options/groups.js';
import { negation, option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { measureUnfinished } from '../../output/unfinished-file.js';
import { characterizationFigures } from './figures.js';
import { OUTPUT_RECORD, prepareOutput } from './output-files.js';
import { characterizationText } from './report-text.js';

export const command = boardCommand({
  options: {
    crosspoints: option('--crosspoints <n>', 'crosspoints to measure in every row', {
      value: positiveInteger(),
      default: 16,
    }),
    couplings: negation('--no-couplings', 'measure no crosspoints'),
    out: option('--out <dir>', 'write record and figures into this directory', { file: 'own' }),
    ...MEASURING,
  },
  fallback: 'emulator:prototype-64',
  example: `
Files in DIR: ${OUTPUT_RECORD} (every estimate with its standard error), cells.svg, couplings.svg, adc-histogram.svg.
docs/how-to/characterize.md says what is measured and how. To continue an interrupted measurement, give the same
command with --out again within a day.

Example:
  thermolink characterize --device 'emulator:prototype-64?die=3' --out die-3`,
  async run({ seed, samples, couplings, crosspoints, out }, onBoard) {
    const request = { seed, samples, crosspointsPerRow: couplings ? crosspoints : 0 };
    checkCharacterizeRequest(request);
    const output = out === undefined ? undefined : prepareOutput(out);
    let remove: (() => void) | undefined;
    try {
      const { result, device, hostSeconds, repeats } = await onBoard(async (board, { signal, show }) => {
        const measure = (finished?: FinishedParts) =>
          characterize(board, { ...request, signal, finished, onProgress: show });
        if (output === undefined) return measure();
        const key = { command: 'characterize', board: board.identity, request };
        const measured = await measureUnfinished(output.unfinished, key, measure);
        remove = measured.remove;
        return measured.result;
      });
      const record = recordOf(result, await sessionTime(device));
      const files = (await output?.write(record, characterizationFigures(result))) ?? [];
      remove?.();
      const again = repeats === 0 ? '' : `, ${counted(repeats, 'repeat')} of what was lost`;
      const written = files.length === 0 ? '' : `\nwritten: ${files.join(', ')}\n`;
      return {
        json: { record, device, files, repeats, timing: { hostSeconds } },
        text: `${characterizationText(result)}${written}\n${device}, ${formatSeconds(hostSeconds)}${again}\n`,
      };
    } finally {
      output?.release();
    }
  },
});
