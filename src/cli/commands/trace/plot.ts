import { basename } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import { sessionFigure } from '../../../traces/look/session-figure.js';
import { defineCommand, printReport } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { option, printedAs } from '../../options/option.js';
import { cellList, range } from '../../options/ranges.js';
import { TRACE_FILE, withTrace } from './opened-trace.js';

const OPTIONS = {
  out: option('--out <file.svg>', 'write the picture here', {
    required: true,
    file: 'output' as const,
    dash: printedAs('.svg'),
  }),
  cells: option('--cells <list>', 'cells whose voltages are drawn', {
    value: cellList,
    default: [0, 1, 2, 3] as readonly number[],
  }),
  seconds: option('--time <from..to>', 'only these seconds since the beginning', { value: range(false) }),
  ...JSON_OUTPUT,
};

export const command = defineCommand({
  arguments: [TRACE_FILE],
  options: OPTIONS,
  example: `
Example:
  thermolink trace plot session.mcap --out session.svg --cells 0-3,7

The picture shows board runs, frames of both directions, repeated frames, stops and errors, bytes per second, and the
voltages of some cells over the time of the host.`,
  async run(options, _name, [file]) {
    await checkFiles(OPTIONS, options);
    const { out, cells, seconds, json } = options;
    const svg = await withTrace(file, (trace) =>
      sessionFigure(trace, { title: basename(file), cells, ...(seconds ? { range: seconds } : {}) }),
    );
    replaceFile(out, svg);
    printReport({ json: { out }, text: '' }, json === true);
  },
});
