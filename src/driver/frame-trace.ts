import { decodeToDevice, decodeToHost } from '../../firmware-protocol/codec.js';
import { CHANNEL, FLAG_NAK, type FrameHeader } from '../../firmware-protocol/framing.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import type { Row } from '../../firmware-protocol/message-table.js';
import { MESSAGES } from '../../firmware-protocol/messages/index.js';
import { hexText } from '../platform.js';
import type { Logger } from './logger.js';

/** A log line shows only the length and the first bytes of longer byte strings. */
const LOGGED_BYTES_MAX = 64;
const CHANNEL_NAMES = Object.keys(CHANNEL);

/**
 * Logs every good frame of a link at level trace, retransmissions and bare acknowledgements too: its header,
 * and its message with all fields. If the values of a field have names, the name is shown. Does nothing for a
 * logger without that level.
 */
export function traceFrames(link: Link, log: Logger): void {
  if (!log.isLevelEnabled('trace')) return;
  link.onFrame = (direction, header, payload) =>
    log.trace(
      { frame: headerFacts(header, payload), ...messageFacts(direction, payload) },
      `frame ${direction}`,
    );
}

function headerFacts({ channel, session, flags, seq, ack }: FrameHeader, { length }: Uint8Array): object {
  return {
    channel: CHANNEL_NAMES[channel],
    session,
    ...((flags & FLAG_NAK) !== 0 && { nak: true }),
    seq,
    ack,
    payloadBytes: length,
  };
}

/** The message in the payload; nothing for a frame without a payload. */
function messageFacts(direction: 'sent' | 'received', payload: Uint8Array): object {
  if (payload.length === 0) return {};
  const message = direction === 'sent' ? decodeToDevice(payload) : decodeToHost(payload);
  if (message.kind === 'bad') return { rejected: message.reason, payload: shownBytes(payload) };
  const { kind, name, requestId } = message;
  const row = (MESSAGES as readonly Row[]).find((one) => one.name === name);
  const rowFields = row?.kind === 'command' && kind === 'answer' ? row.answer : (row?.fields ?? []);
  const fields = Object.entries(message.fields as Readonly<Record<string, unknown>>).map(([key, value]) => {
    const field = rowFields.find((one) => one.name === key);
    const choices = field?.type === 'choice' ? Object.entries(field.choices) : [];
    const shown = value instanceof Uint8Array ? shownBytes(value) : value;
    return [key, choices.find(([, code]) => code === value)?.[0] ?? shown];
  });
  return { message: name, kind, requestId, fields: Object.fromEntries(fields) };
}

function shownBytes(bytes: Uint8Array): string {
  const hex = hexText(bytes.subarray(0, LOGGED_BYTES_MAX));
  return bytes.length <= LOGGED_BYTES_MAX ? hex : `${hex}… ${bytes.length} bytes`;
}
