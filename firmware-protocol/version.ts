import type { Field, Row } from './message-table.js';
import { MESSAGES } from './messages/index.js';
import { TABLE_HASH_HEX } from './table-hash.generated.js';

/** 1.1 is frozen; docs/reference/protocol.md, "Versions", says what a later version may change. */
export const PROTOCOL_MAJOR = 1;
/** The minor version grows by additions that an older end can ignore. */
export const PROTOCOL_MINOR = 1;

/**
 * First 64 bits of SHA-256 over `canonicalTables()`. Two ends with the same minor version must have the same
 * hash.
 */
export const TABLE_HASH: Uint8Array = Uint8Array.from({ length: 8 }, (_, i) =>
  Number.parseInt(TABLE_HASH_HEX.slice(2 * i, 2 * i + 2), 16),
);

/** The text that the hash covers. It has everything that changes the meaning of bytes, and nothing else. */
export function canonicalTables(): string {
  const lines: string[] = [];
  for (const row of MESSAGES as readonly Row[]) {
    if (row.kind === 'command') {
      lines.push(
        `${row.opcode} toDevice ${row.channel} ${row.delivery} ${row.name}`,
        ...row.fields.map(canonicalField),
      );
      lines.push(`${row.opcode} toHost ${row.channel} ${row.name}`, ...row.answer.map(canonicalField));
    } else {
      lines.push(
        `${row.opcode} ${row.direction} ${row.channel} ${row.name}`,
        ...row.fields.map(canonicalField),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function canonicalField(field: Field): string {
  switch (field.type) {
    case 'integer':
      return `  ${field.name} integer ${field.unit} ${field.min}…${field.max}`;
    case 'choice':
      return `  ${field.name} choice ${Object.entries(field.choices)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`;
    case 'bytes':
      return `  ${field.name} bytes ${field.minBytes}…${field.maxBytes}`;
    case 'text':
      return `  ${field.name} text …${field.maxBytes}`;
  }
}
