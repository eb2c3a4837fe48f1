import { counted, formatCount } from '../../../number-text.js';
import { type Difference, type DiffReport, diffMessages } from '../../../traces/look/diff.js';
import { fieldsText } from '../../../traces/look/message-text.js';
import { messageObject } from '../../../traces/message-json.js';
import type { FieldValue, TraceMessage } from '../../../traces/trace-message.js';
import { defineCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { EXIT_FAILED, QuietExit } from '../../output/report-error.js';
import { fitColumns, printable } from '../../output/text-width.js';
import { withTrace } from './opened-trace.js';

/** Width of a line if the output is not a terminal. */
const LINE_COLUMNS = 160;
const INDENT_COLUMNS = 4;

export const command = defineCommand({
  arguments: [
    { name: '<a>', help: 'a recorded session (MCAP)', file: 'input' },
    { name: '<b>', help: 'another one', file: 'input' },
  ],
  options: JSON_OUTPUT,
  example: `
Example:
  thermolink trace diff before.mcap after.mcap

Compares messages in causal order: commands, answers, reports of the board, and the samples of each run. It does not
compare times, request ids, credits, repeated HELLO and stop, nor the fields that depend on the clock or name one session
or boot (deviceTimeUs, counters, nonce, bootEpoch). The exit code is 1 if the recordings differ.`,
  async run({ json }, _name, [fileA, fileB]) {
    const report = await withTrace(fileA, (a) => withTrace(fileB, (b) => diffMessages(a, b)));
    printReport({ json: reportJson(report), text: reportText(report) }, json === true);
    if (report.first) throw new QuietExit(EXIT_FAILED);
  },
});

function reportJson({ compared, same, first }: DiffReport): object {
  const shown = (message: TraceMessage | undefined): object | undefined =>
    message && { name: message.name, kind: message.kind, ...messageObject(message, {}) };
  return {
    compared,
    same,
    first: first && {
      a: shown(first.a),
      b: shown(first.b),
      fields: first.fields.map(({ field, a, b }) => ({ field, a: valueText(a), b: valueText(b) })),
      codes: first.codes,
    },
  };
}

function reportText({ compared, same, first }: DiffReport): string {
  if (!first) return `the same: ${counted(compared.a, 'message')} compared\n`;
  return [
    `the first difference, after ${counted(same, 'equal message')} (A has ${formatCount(compared.a)}, B ${formatCount(compared.b)})`,
    ...first.before.map((message) => `    ${sideText(message)}`),
    `  A ${sideText(first.a)}`,
    `  B ${sideText(first.b)}`,
    ...detailLines(first),
    '',
  ].join('\n');
}

function sideText(message: TraceMessage | undefined): string {
  if (!message) return 'has no more messages here';
  const arrow = message.direction === 'toDevice' ? '→' : '←';
  const fields = printable(fieldsText(message));
  const line = `${String(message.index).padStart(6)} ${arrow} ${message.name} ${fields}`.trimEnd();
  return fitColumns(line, (process.stdout.columns || LINE_COLUMNS) - INDENT_COLUMNS);
}

function detailLines({ fields, codes, a, b }: Difference): string[] {
  const lines = fields.map(
    ({ field, a, b }) => `  ${field}: A ${printable(valueText(a))}, B ${printable(valueText(b))}`,
  );
  if (codes)
    lines.push(
      `  sample ${formatCount(codes.sample)}, cell ${codes.cell}: A ${codes.a}, B ${codes.b}; in this block ${formatCount(codes.count)} of ${counted(codes.of, 'code')} differ, by ${formatCount(codes.largest)} at most`,
    );
  if (a && b && (a.name !== b.name || a.kind !== b.kind))
    lines.push(`  message: A ${a.name} (${a.kind}), B ${b.name} (${b.kind})`);
  return lines;
}

function valueText(value: FieldValue | undefined): string {
  if (value === undefined) return 'missing';
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value.subarray(0, 16)).toString('hex');
    return value.length > 16 ? `${hex}… (${counted(value.length, 'byte')})` : hex;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
