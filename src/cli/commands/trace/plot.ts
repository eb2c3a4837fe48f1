import { basename } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import { sessionFigure } from '../../../traces/look/session-figure.js';
import { defineCommand } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { option } from '../../options/option.js';
import { cellList, range } from '../../options/ranges.js';
import { TRACE_FILE, withTrace } from './opened-trace.js';

const OPTIONS = {
  out: option('--out <file.svg>', 'write the picture here', { required: true, file: 'output' as const }),
  cells: option('--cells <list>', 'cells whose voltages are drawn', {
    value: cellList,
    default: [0, 1, 2, 3] as readonly number[],
  }),
  seconds: option('--time <from..to>', 'only these seconds since the beginning', { value: range(false) }),
};

export const command = defineCommand({
  arguments: [TRACE_FILE],
  options: OPTIONS,
  example: `
Example:
  thermolink trace plot session.mcap --out session.svg --cells 0-3,7

The picture shows board runs, frames of both directions, what was sent again, stops and errors, bytes per second, and the
voltages of some cells over the time of the host.`,
  async run(options, _name, [file]) {
    await checkFiles(OPTIONS, options);
    const { out, cells, seconds } = options;
    const svg = await withTrace(file, (trace) =>
      sessionFigure(trace, { title: basename(file), cells, ...(seconds ? { range: seconds } : {}) }),
    );
    replaceFile(out, svg);
  },
});
