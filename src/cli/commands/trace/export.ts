import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ThermolinkError } from '../../../errors.js';
import { replaceWith } from '../../../files/replace-file.js';
import { cannotWrite } from '../../../files/write-array.js';
import { npyHeader } from '../../../files/write-npy.js';
import { counted } from '../../../number-text.js';
import { placedMessages } from '../../../traces/look/message-filter.js';
import { pcapngPieces } from '../../../traces/look/pcapng.js';
import { SampleTable } from '../../../traces/look/sample-table.js';
import { wireFrames } from '../../../traces/look/wire-frames.js';
import type { Trace } from '../../../traces/open-trace.js';
import { defineCommand, printReport } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { flag, type OptionValues, option } from '../../options/option.js';
import { cellList } from '../../options/ranges.js';
import { positiveInteger } from '../../options/values.js';
import { messageRecord } from './messages.js';
import { TRACE_FILE, withTrace } from './opened-trace.js';

const FORMATS = ['pcapng', 'csv', 'npy', 'jsonl'] as const;

const OPTIONS = {
  pcapng: flag('--pcapng', 'every frame, for Wireshark and tshark'),
  csv: flag(
    '--csv',
    'samples in volts as a table: run, sample, tick, one column a cell (a lost reading is an empty field)',
  ),
  npy: flag('--npy', 'samples in volts as one NumPy array, samples × cells (a lost reading is NaN)'),
  jsonl: flag('--jsonl', 'messages as lines of JSON'),
  out: option('--out <file>', 'write here', {
    required: true,
    file: 'output' as const,
    dash: {
      kind: 'output',
      extensions: (values) => FORMATS.filter((each) => values[each]).map((each) => `.${each}`),
    },
  }),
  run: option('--run <n>', 'only samples of this board run', { value: positiveInteger(2 ** 31) }),
  cells: option('--cells <list>', 'only samples of these cells', { value: cellList }),
  codes: flag('--codes', 'samples as ADC codes in place of volts'),
  whole: flag('--whole', 'with --jsonl: also write every ADC code of a block of samples'),
  ...JSON_OUTPUT,
};

type ExportOptions = OptionValues<typeof OPTIONS>;
type Format = (typeof FORMATS)[number];

/** Options that only --csv and --npy take. */
const SAMPLE_OPTIONS = ['run', 'cells', 'codes'] as const;

export const command = defineCommand({
  arguments: [TRACE_FILE],
  options: OPTIONS,
  example: `
Examples:
  thermolink trace export session.mcap --pcapng --out session.pcapng
  thermolink trace export session.mcap --csv --run 3 --cells 0-7 --out run-3.csv
  thermolink trace export session.mcap --jsonl --out messages.jsonl

\`trace export --pcapng\` prints the path of the dissector of this package. Give this path to tshark:
  tshark -X lua_script:thermolink.lua -r session.pcapng -Y 'thermolink.message == "start"'`,
  async run(options, _name, [file]) {
    const format = formatOf(options);
    await checkFiles(OPTIONS, options, { '<file>': file });
    const report = await withTrace(file, (trace) => written(trace, format, options));
    printReport(report, options.json === true);
  },
});

function formatOf(options: ExportOptions): Format {
  const given = FORMATS.filter((format) => options[format] === true);
  if (given.length !== 1)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      given.length === 0
        ? 'No format was given.'
        : `${given.map((name) => `--${name}`).join(' and ')} exclude each other.`,
      { hint: `Give one of ${FORMATS.map((name) => `--${name}`).join(', ')}.` },
    );
  const [format] = given;
  const isSamples = format === 'csv' || format === 'npy';
  const inert = [
    ...(isSamples ? [] : SAMPLE_OPTIONS.filter((name) => options[name] !== undefined)),
    ...(format === 'jsonl' || options.whole === undefined ? [] : ['whole']),
  ];
  if (inert.length > 0)
    throw new ThermolinkError('BAD_ARGUMENT', `--${inert[0]} has no effect on --${format}.`, {
      hint: 'Leave it out, or choose another format.',
    });
  return format;
}

function written(trace: Trace, format: Format, options: ExportOptions) {
  const { out } = options;
  const counter = { count: 0 };
  switch (format) {
    case 'pcapng': {
      const notes = { application: 'thermolink', comment: trace.path };
      write(out, pcapngPieces(countedItems(wireFrames(trace.chunks()), counter), notes));
      const dissector = dissectorPath();
      return {
        json: { out, frames: counter.count, dissector },
        text: `${counted(counter.count, 'frame')} in ${out}\nthe dissector: ${dissector}\n`,
      };
    }
    case 'jsonl':
      write(out, messageLines(trace, options.whole === true, counter));
      return {
        json: { out, messages: counter.count },
        text: `${counted(counter.count, 'message')} in ${out}\n`,
      };
    case 'csv':
    case 'npy': {
      const { run, cells, codes } = options;
      const table = new SampleTable(trace, {
        ...(run === undefined ? {} : { run }),
        ...(cells === undefined ? {} : { cells }),
        asCodes: codes === true,
      });
      const { shape } = table;
      write(out, format === 'csv' ? csvPieces(table) : npyPieces(table));
      const lost = shape.missing === 0 ? '' : `, ${counted(shape.missing, 'reading')} lost`;
      return {
        json: { out, ...shape },
        text: `${counted(shape.rows, 'sample')} of ${counted(shape.columns, 'cell')} from ${counted(shape.runs, 'run')}${lost}, in ${out}\n`,
      };
    }
  }
}

function write(out: string, pieces: Iterable<Uint8Array | string>): void {
  try {
    replaceWith(out, pieces);
  } catch (error) {
    throw cannotWrite(out, error, 'Give another file to --out.');
  }
}

function* countedItems<T>(items: Iterable<T>, counter: { count: number }): Generator<T> {
  for (const item of items) {
    counter.count++;
    yield item;
  }
}

function* messageLines(trace: Trace, whole: boolean, counter: { count: number }): Generator<string> {
  for (const { message, seconds, run } of countedItems(placedMessages(trace.chunks()), counter))
    yield `${JSON.stringify(messageRecord(message, seconds, run?.run, whole))}\n`;
}

function* csvPieces(table: SampleTable): Generator<string> {
  yield `run,sample,tick,${table.cells.map((cell) => `cell ${cell}`).join(',')}\n`;
  for (const { run, sample, tick, values } of table.rows())
    yield `${run},${sample},${tick},${Array.from(values, (value) => (Number.isNaN(value) ? '' : value)).join(',')}\n`;
}

function* npyPieces(table: SampleTable): Generator<Uint8Array> {
  const { rows, columns } = table.shape;
  yield npyHeader(`(${rows}, ${columns})`);
  for (const { values } of table.rows())
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * The path of the dissector of this package. The compiled file is in dist/src, one folder deeper than its
 * source in src, so two places are tried.
 */
function dissectorPath(): string {
  const places = ['../../../../../', '../../../../'].map((up) =>
    fileURLToPath(new URL(`${up}firmware-protocol/wireshark/thermolink.lua`, import.meta.url)),
  );
  return places.find((place) => existsSync(place)) ?? places[0];
}
