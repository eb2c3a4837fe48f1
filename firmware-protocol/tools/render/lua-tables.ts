/** The message tables and limits as Lua, for the dissector of Wireshark and tshark. */
import { CHANNEL, FLAG_NAK, FRAME_VERSION, wireBytesMax } from '../../framing.js';
import {
  ARRAY_DEPTH_MAX,
  ARRAY_ITEMS_MAX,
  FRAME_BYTES_MAX,
  FRAME_CRC_BYTES,
  FRAME_HEADER_BYTES,
  TEXT_BYTES_MAX,
} from '../../limits.js';
import type { Field, Row } from '../../message-table.js';
import { BLOCK_FLAG } from '../../messages/acquisition.js';
import { MESSAGES } from '../../messages/index.js';
import { FEATURE } from '../../messages/system.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../version.js';

const ROWS = MESSAGES as readonly Row[];

/** Fields that are sums of named bits, and their names. */
const BITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'hello.features': FEATURE,
  'sampleBlock.flags': BLOCK_FLAG,
};

/** The text between the marks of generated text in `firmware-protocol/wireshark/thermolink.lua`. */
export function luaTables(hash: string): string {
  const toDevice = ROWS.filter((row) => row.kind === 'command' || row.direction === 'toDevice');
  const toHost = ROWS.filter((row) => row.kind === 'command' || row.direction === 'toHost');
  return [
    `local PROTOCOL = {major = ${PROTOCOL_MAJOR}, minor = ${PROTOCOL_MINOR}, hash = ${quoted(hash)}}`,
    'local LIMIT = {',
    `  frame_version = ${FRAME_VERSION}, flag_nak = ${FLAG_NAK},`,
    `  header_bytes = ${FRAME_HEADER_BYTES}, crc_bytes = ${FRAME_CRC_BYTES},`,
    `  frame_bytes = ${FRAME_BYTES_MAX}, wire_bytes = ${wireBytesMax(FRAME_BYTES_MAX)},`,
    `  array_items = ${ARRAY_ITEMS_MAX}, array_depth = ${ARRAY_DEPTH_MAX}, text_bytes = ${TEXT_BYTES_MAX},`,
    '}',
    `local CHANNEL = ${names(CHANNEL)}`,
    'local TO_DEVICE = {',
    ...toDevice.flatMap((row) => rowLines(row, row.name, row.fields)),
    '}',
    'local TO_HOST = {',
    ...toHost.flatMap((row) =>
      row.kind === 'command'
        ? rowLines(row, `${row.name}.answer`, row.answer)
        : rowLines(row, row.name, row.fields),
    ),
    '}',
  ].join('\n');
}

/** One direction of a message. `path` begins the names by which a display filter finds its fields. */
function rowLines(row: Row, path: string, fields: readonly Field[]): string[] {
  const head = `name = ${quoted(row.name)}, kind = ${quoted(row.kind)}, path = ${quoted(path)}`;
  return [
    `  [${row.opcode}] = {${head}, channel = ${CHANNEL[row.channel]}, fields = {`,
    ...fields.map((field) => `    ${fieldText(row, field)},`),
    '  }},',
  ];
}

function fieldText(row: Row, field: Field): string {
  const parts = [`name = ${quoted(field.name)}`, `type = ${quoted(field.type)}`];
  switch (field.type) {
    case 'integer':
      parts.push(`min = ${field.min}`, `max = ${field.max}`, `unit = ${quoted(field.unit)}`);
      if (field.absent !== undefined) parts.push(`absent = ${field.absent}`);
      break;
    case 'choice':
      parts.push(`choices = ${names(field.choices)}`);
      if (field.absent !== undefined) parts.push(`absent = ${field.absent}`);
      break;
    case 'bytes':
      parts.push(`min = ${field.minBytes}`, `max = ${field.maxBytes}`);
      break;
    case 'text':
      parts.push(`max = ${field.maxBytes}`);
      break;
  }
  const bits = BITS[`${row.name}.${field.name}`];
  if (bits !== undefined) parts.push(`bits = ${names(bits)}`);
  return `{${parts.join(', ')}, doc = ${quoted(field.doc)}}`;
}

/** A table from number to name. */
function names(values: Readonly<Record<string, number>>): string {
  return `{${Object.entries(values)
    .map(([name, value]) => `[${value}] = ${quoted(name)}`)
    .join(', ')}}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
