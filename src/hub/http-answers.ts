import { createReadStream } from 'node:fs';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { Refusal } from './refusal.js';

/** Largest body of a request, bytes. */
const BODY_BYTES_MAX = 65_536;
/** A download is ended if the client takes no bytes for this time. */
const DOWNLOAD_SILENCE_MS = 30_000;

const JSON_HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Answers with a value as JSON. */
export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { ...JSON_HEADERS, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** Answers with a text. */
export function answerText(response: ServerResponse, text: string, contentType: string): void {
  const headers = { ...JSON_HEADERS, 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(200, headers).end(text);
}

/** Answers with a refusal. The connection is closed, because the rest of an unread body would follow. */
export function answerRefusal(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(headersOf(refusal))) response.setHeader(name, value);
  answerJson(response, refusal.body, refusal.status);
}

/** Answers an upgrade with a refusal, on the bare connection. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify(refusal.body);
  const headers = {
    ...JSON_HEADERS,
    ...headersOf(refusal),
    'Content-Length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const reason = STATUS_CODES[refusal.status] ?? 'Refused';
  socket.on('error', () => undefined);
  // Bytes that the client has sent after its request are dropped. Otherwise a reset could lose the answer.
  socket.resume();
  socket.end(`HTTP/1.1 ${refusal.status} ${reason}\r\n${lines.join('')}\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** Time that a refused client has to read the answer. */
const LINGER_MS = 1000;

function headersOf({ status, retryAfterSeconds }: Refusal): Record<string, string> {
  return {
    Connection: 'close',
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
  };
}

/** Reads the body of a request. Throws a `Refusal` for one that is too long, no JSON, or of another form. */
export async function readJson<Schema extends z.ZodType>(
  request: IncomingMessage,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const tooLong = new Refusal(
    413,
    'BAD_ARGUMENT',
    `A body has at most ${BODY_BYTES_MAX} bytes.`,
    'Send less at once.',
  );
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) throw tooLong;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw tooLong;
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'BAD_ARGUMENT', 'The body is no JSON.', 'Send an object as JSON.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new Refusal(
    400,
    'BAD_ARGUMENT',
    `The body is wrong at ${path.join('.') || 'its top'}: ${message}.`,
    'Send a request that src/hub/api.ts describes.',
  );
}

/** Answers with a recording. The answer ends if the reader disconnects or takes no bytes for `silenceMs`. */
export async function answerFile(
  response: ServerResponse,
  file: string | undefined,
  name: string,
  silenceMs = DOWNLOAD_SILENCE_MS,
): Promise<void> {
  if (file === undefined)
    throw new Refusal(
      404,
      'NOT_FOUND',
      'No recording of this board has ended.',
      'Switch one on, and off again.',
    );
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${name}"`,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.setTimeout(silenceMs, () => response.destroy());
  await pipeline(createReadStream(file), response).catch(() => response.destroy());
}
