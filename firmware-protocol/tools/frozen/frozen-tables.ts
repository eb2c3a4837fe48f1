/**
 * The frozen copy of the message tables: what `npm run protocol:freeze` writes to tables.json and `npm run
 * protocol:check` compares the tables with. It holds everything on which another implementation relies, and
 * no texts for people.
 */
import type { ChannelName, Field, Row } from '../../message-table.js';

type Without<F, Keys extends PropertyKey> = F extends unknown ? Omit<F, Keys> : never;

/** A field as it travels. */
export type FrozenField = Without<Field, 'doc' | 'volatile'>;

export interface FrozenMessage {
  readonly opcode: number;
  readonly name: string;
  readonly channel: ChannelName;
  /** `once` and `again` are for commands. An event is not answered. */
  readonly delivery: 'once' | 'again' | 'event';
  /** The fields in each direction in which the message travels. */
  readonly toDevice?: readonly FrozenField[];
  readonly toHost?: readonly FrozenField[];
}

export interface FrozenTables {
  readonly about: string;
  readonly major: number;
  readonly minor: number;
  /** For people: `0.1`, `1.0-rc`, `1.0`. With a hyphen it is a candidate, which a record may still change. */
  readonly label: string;
  /** First 64 bits of SHA-256 over the canonical text of the tables. */
  readonly tableHash: string;
  /** The decision record, relative to the repository, that names this hash. */
  readonly decision: string;
  readonly messages: readonly FrozenMessage[];
}

function frozenField(field: Field): FrozenField {
  const { name } = field;
  switch (field.type) {
    case 'integer':
      return { name, type: 'integer', unit: field.unit, min: field.min, max: field.max };
    case 'choice':
      return { name, type: 'choice', choices: field.choices };
    case 'bytes':
      return { name, type: 'bytes', minBytes: field.minBytes, maxBytes: field.maxBytes };
    case 'text':
      return { name, type: 'text', maxBytes: field.maxBytes };
  }
}

/** The frozen part of these rows. */
export function frozenMessages(rows: readonly Row[]): FrozenMessage[] {
  return rows.map((row) => {
    const { opcode, name, channel } = row;
    const fields = row.fields.map(frozenField);
    if (row.kind === 'event')
      return { opcode, name, channel, delivery: 'event', [row.direction]: fields } satisfies FrozenMessage;
    const { delivery } = row;
    return { opcode, name, channel, delivery, toDevice: fields, toHost: row.answer.map(frozenField) };
  });
}

/** Before 1.0 and while a release is a candidate, a decision record is enough to change the wire. */
export function isDraft({ major, label }: Pick<FrozenTables, 'major' | 'label'>): boolean {
  return major === 0 || label.includes('-');
}

/** The text of the file. Each field has its own line, so a diff shows fields. */
export function renderFrozenTables({ messages, ...head }: FrozenTables): string {
  const headLines = Object.entries(head).map(([key, value]) => `  "${key}": ${JSON.stringify(value)}`);
  return `{\n${headLines.join(',\n')},\n  "messages": [\n${messages.map(renderMessage).join(',\n')}\n  ]\n}\n`;
}

function renderMessage({ toDevice, toHost, ...head }: FrozenMessage): string {
  const lists = Object.entries({ toDevice, toHost }).flatMap(([direction, fields]) => {
    if (!fields) return [];
    const lines = fields.map((field) => `\n        ${JSON.stringify(field)}`);
    return [`,\n      "${direction}": [${lines.join(',')}${lines.length > 0 ? '\n      ' : ''}]`];
  });
  return `    {\n      ${JSON.stringify(head).slice(1, -1)}${lists.join('')}\n    }`;
}
