import { createHash } from 'node:crypto';
import { cpus, release, totalmem } from 'node:os';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../../../firmware-protocol/version.js';
import { ThermolinkError } from '../../../errors.js';
import type { Trace } from '../../../traces/open-trace.js';
import { readableFields } from '../../../traces/readable-fields.js';
import { listSerialPorts } from '../../../transport/serial-listing.js';
import { VERSION } from '../../version.js';

/** Numbers of messages and of chunks that are written out, counted from the end of the session. */
const MESSAGES_SHOWN = 50;
const CHUNKS_SHOWN = 20;
const CHUNK_BYTES_SHOWN = 96;

/** A file of the report. */
export interface ReportPart {
  readonly name: string;
  readonly content: string | Uint8Array;
  /** One line for the list of contents. */
  readonly about: string;
}

export function jsonPart(name: string, value: unknown, about: string): ReportPart {
  return { name, content: `${JSON.stringify(value, plain, 2)}\n`, about };
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return errorFacts(value);
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>) : value;
}

/** An error and its causes, without stacks, because stacks name folders. */
export function errorFacts(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const cause = error.cause === undefined ? {} : { cause: errorFacts(error.cause) };
  if (!(error instanceof ThermolinkError)) return { message: error.message, ...cause };
  const { code, message, hint, data } = error;
  return { code, message, hint, data, ...cause };
}

/** Versions of the programs, and the kind of machine. It holds nothing of the environment. */
export function versionsPart(): ReportPart {
  const [cpu] = cpus();
  const versions = {
    thermolink: VERSION,
    protocol: `${PROTOCOL_MAJOR}.${PROTOCOL_MINOR}`,
    tableHash: Buffer.from(TABLE_HASH).toString('hex'),
    node: process.version,
    platform: `${process.platform} ${process.arch} ${release()}`,
    processor: cpu === undefined ? 'unknown' : `${cpus().length} × ${cpu.model}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    madeAt: new Date().toISOString(),
  };
  return jsonPart('versions.json', versions, 'versions of thermolink, protocol and Node, and the machine');
}

/** The serial ports of this machine; none is opened. */
export async function portsPart(): Promise<ReportPart> {
  const listing = await listSerialPorts().catch((error: unknown) => ({ error: errorFacts(error) }));
  return jsonPart('ports.json', listing, 'the serial ports of this machine');
}

/** The end of the recorded session, readable without a program. */
export function lastFramesPart(trace: Trace): ReportPart {
  const messages: unknown[] = [];
  for (const message of trace.messages()) {
    const { index, hostTimeNs, direction, kind, name, requestId } = message;
    messages.push({ index, hostTimeNs, direction, kind, name, requestId, fields: readableFields(message) });
    if (messages.length > MESSAGES_SHOWN) messages.shift();
  }
  const chunks: unknown[] = [];
  for (const { direction, hostTimeNs, bytes } of trace.chunks()) {
    const head = Buffer.from(bytes.subarray(0, CHUNK_BYTES_SHOWN)).toString('hex');
    chunks.push({ direction, hostTimeNs, bytes: bytes.length, head });
    if (chunks.length > CHUNKS_SHOWN) chunks.shift();
  }
  return jsonPart(
    'last-frames.json',
    { link: trace.link, messages, chunks },
    `the last ${MESSAGES_SHOWN} messages and the last bytes of the session`,
  );
}

/** The list of the parts, with sizes and digests. A user can read it before he sends the report to others. */
export function contentsPart(parts: readonly ReportPart[]): ReportPart {
  const lines = parts.map(({ name, content, about }) => {
    const bytes = Buffer.from(content);
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    return `${name.padEnd(18)} ${String(bytes.length).padStart(9)} bytes  sha256 ${digest}…  ${about}`;
  });
  const text = [
    'A report of thermolink about one board, made to be attached to a bug report.',
    'It holds no environment variables, no tokens, and no paths of your files.',
    '',
    ...lines,
    '',
  ].join('\n');
  return { name: 'contents.txt', content: text, about: 'this list' };
}
