/** The tables of docs/reference/protocol.md, rendered from the message tables. */
import { DEVICE_INPUTS, type DeviceInput, TRANSITIONS } from '../../device-status.js';
import type { Field, Row } from '../../message-table.js';
import { MESSAGE_GROUPS } from '../../messages/index.js';

/** Every message with its fields. */
export function messagesMarkdown(): string {
  return Object.entries(MESSAGE_GROUPS)
    .map(([group, rows]) =>
      [`### Group: ${group}`, ...(rows as readonly Row[]).map(rowMarkdown)].join('\n\n'),
    )
    .join('\n\n');
}

/** State after each input in each state. */
export function transitionsMarkdown(): string {
  const states = Object.keys(TRANSITIONS) as (keyof typeof TRANSITIONS)[];
  const cell = (state: keyof typeof TRANSITIONS, input: DeviceInput): string => {
    const next = TRANSITIONS[state][input];
    return next === state ? '·' : next;
  };
  return table(
    ['input', ...states],
    DEVICE_INPUTS.map((input) => [input, ...states.map((state) => cell(state, input))]),
  );
}

function rowMarkdown(row: Row): string {
  if (row.kind === 'event')
    return [
      `#### ${row.opcode} ${row.name}: ${row.direction === 'toHost' ? 'device → host' : 'host → device'}, ${row.channel} channel`,
      row.doc,
      fieldsMarkdown(row.fields),
    ].join('\n\n');
  const delivery = row.delivery === 'once' ? 'executed at most once' : 'executed whenever it comes';
  return [
    `#### ${row.opcode} ${row.name}: command, ${row.channel} channel, ${delivery}, ${row.timeoutMs} ms`,
    row.doc,
    'Request:',
    fieldsMarkdown(row.fields),
    'Answer:',
    fieldsMarkdown(row.answer),
  ].join('\n\n');
}

function fieldsMarkdown(fields: readonly Field[]): string {
  if (fields.length === 0) return 'no fields';
  return table(
    ['#', 'field', 'type', 'range', 'unit', 'meaning'],
    fields.map((field, i) => [
      String(i + 2),
      `\`${field.name}\`${field.volatile ? ' (volatile)' : ''}`,
      typeText(field),
      rangeText(field),
      field.type === 'integer' ? field.unit : '–',
      field.doc,
    ]),
  );
}

function typeText(field: Field): string {
  return { integer: 'integer', choice: 'integer', bytes: 'bin', text: 'str' }[field.type];
}

function rangeText(field: Field): string {
  switch (field.type) {
    case 'integer':
      return `${field.min} … ${field.max}`;
    case 'choice':
      return Object.entries(field.choices)
        .map(([name, value]) => `${value} ${name}`)
        .join(', ');
    case 'bytes':
      return field.minBytes === field.maxBytes
        ? `${field.minBytes} bytes`
        : `${field.minBytes} … ${field.maxBytes} bytes`;
    case 'text':
      return `≤ ${field.maxBytes} bytes UTF-8`;
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
