import type { Field, Row } from '../../firmware-protocol/message-table.js';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import { readableFields, SHOWN_BYTES_MAX } from './readable-fields.js';
import { type SampleDetail, STATISTICS_CELLS_MAX } from './sample-detail.js';
import type { TraceMessage, TraceSamples } from './trace-message.js';

/** The topic of a message in an MCAP file: `/messages/start/command`, `/messages/runEnded/event`. */
export function topicOf({ name, kind }: Pick<TraceMessage, 'name' | 'kind'>): string {
  return `/messages/${name}/${kind}`;
}

/** The message as JSON, as in the JSON channels. It follows the schema of its topic. */
export function messageJson(message: TraceMessage, detail: SampleDetail): string {
  return JSON.stringify(messageObject(message, detail));
}

/** Like `messageJson`, but as an object. */
export function messageObject(message: TraceMessage, detail: SampleDetail): object {
  const { index, session, connection, direction, requestId, deviceTimeUs, samples } = message;
  return {
    index,
    session,
    connection,
    direction,
    requestId,
    deviceTimeUs,
    fields: readableFields(message),
    ...(samples && blockJson(samples, detail)),
  };
}

function blockJson(samples: TraceSamples, { cells, all = false }: SampleDetail): object {
  const { header, codes } = samples;
  const { firstCell, cellCount, sampleCount } = header;
  const chosen = cells ?? Array.from({ length: STATISTICS_CELLS_MAX }, (_, cell) => cell);
  // The header of a block may claim more samples than the block holds.
  const samplesHeld = Math.min(sampleCount, Math.floor(codes.length / cellCount));
  const statistics = chosen
    .filter((cell) => samplesHeld > 0 && cell >= firstCell && cell < firstCell + cellCount)
    .map((cell) => {
      let [sum, min, max] = [0, Infinity, -Infinity];
      for (let i = 0; i < samplesHeld; i++) {
        const code = codes[i * cellCount + cell - firstCell] ?? 0;
        sum += code;
        min = Math.min(min, code);
        max = Math.max(max, code);
      }
      return { cell, mean: sum / samplesHeld, min, max };
    });
  return { statistics, ...(all ? { codes: Array.from(codes) } : {}) };
}

/** The schema of each topic (JSON Schema 2020-12), derived from the message tables. */
export function messageSchemas(): ReadonlyMap<string, object> {
  const schemas = new Map<string, object>();
  for (const row of MESSAGES as readonly Row[]) {
    if (row.kind === 'command') {
      schemas.set(topicOf({ name: row.name, kind: 'command' } as TraceMessage), schemaOf(row, row.fields));
      schemas.set(topicOf({ name: row.name, kind: 'answer' } as TraceMessage), schemaOf(row, row.answer));
    } else schemas.set(topicOf({ name: row.name, kind: 'event' } as TraceMessage), schemaOf(row, row.fields));
  }
  const bad: Field[] = [{ name: 'reason', type: 'text', maxBytes: 256, doc: 'why it is not a message' }];
  schemas.set('/messages/bad/bad', schemaOf({ name: 'bad', doc: 'A payload that is not a message.' }, bad));
  return schemas;
}

function schemaOf({ name, doc }: Pick<Row, 'name' | 'doc'>, fields: readonly Field[]): object {
  const isBlock = name === 'sampleBlock';
  const shown = fields.filter((field) => !(isBlock && field.name === 'codes'));
  const whole = { type: 'integer' };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: name,
    description: doc,
    type: 'object',
    properties: {
      index: { ...whole, description: 'index among the messages of the trace, from 0' },
      session: { ...whole, description: 'number of the session, from 1; 0 before the first session' },
      connection: { ...whole, description: 'number of the port, from 1' },
      direction: { enum: ['toDevice', 'toHost'] },
      requestId: { ...whole, description: 'the same number in a command and its answer; 0 in an event' },
      deviceTimeUs: { ...whole, description: 'clock of the device, if the message contains it' },
      fields: {
        type: 'object',
        properties: Object.fromEntries(shown.map((field) => [field.name, fieldSchema(field)])),
      },
      ...(isBlock ? blockProperties(whole) : {}),
    },
    required: ['index', 'session', 'connection', 'direction', 'requestId', 'fields'],
  };
}

function blockProperties(whole: object): object {
  return {
    statistics: {
      type: 'array',
      items: {
        type: 'object',
        properties: { cell: whole, mean: { type: 'number' }, min: whole, max: whole },
      },
    },
    codes: { type: 'array', items: whole, description: 'all codes, if the recording was made with them' },
  };
}

function fieldSchema(field: Field): object {
  const description = field.doc;
  switch (field.type) {
    case 'integer':
      return {
        type: 'integer',
        minimum: field.min,
        maximum: field.max,
        description: `${description} (${field.unit})`,
      };
    case 'choice':
      return { enum: Object.keys(field.choices), description };
    case 'text':
      return { type: 'string', description };
    case 'bytes':
      return {
        type: ['string', 'object'],
        description: `${description}: hex if there are at most ${SHOWN_BYTES_MAX} bytes, otherwise an object with their number`,
        properties: { bytes: { type: 'integer' } },
      };
  }
}
