import { FEATURES_OF_MINOR_0 } from '../../firmware-protocol/messages/system.js';
import { firstDifference } from '../../src/traces/compared-fields.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { readableFields } from '../../src/traces/readable-fields.js';
import type { TraceMessage } from '../../src/traces/trace-message.js';

/** The messages of a file. */
export async function messagesOf(file: string): Promise<TraceMessage[]> {
  const trace = await openTrace(file);
  try {
    return [...trace.messages()];
  } finally {
    trace.close();
  }
}

/**
 * Messages that depend on time. Credits and requests for blocks depend on the arrival of blocks, and
 * blocksSent answers a late credit.
 */
const TIMED: ReadonlySet<string> = new Set(['credit', 'resend', 'blocksSent', 'ping']);

/**
 * The messages without repeated ones. A host repeats HELLO and stop until the board answers, and the board
 * answers each of them: how often depends on time.
 */
function* withoutRepeats(messages: readonly TraceMessage[]): Generator<TraceMessage> {
  const lastOf = new Map<string, TraceMessage>();
  for (const message of messages) {
    const lane = laneOf(message);
    const last = lastOf.get(lane);
    lastOf.set(lane, message);
    const mayRepeat = message.channel !== 'command' && !message.samples;
    if (!mayRepeat || !last || last.name !== message.name || firstDifference(last, message)) yield message;
  }
}

const laneOf = ({ direction, channel }: TraceMessage): string => `${direction} ${channel}`;

/**
 * The messages to compare, by direction and channel. The order within a channel is certain. The order between
 * channels depends on time.
 */
function comparedByLane(messages: readonly TraceMessage[]): Map<string, TraceMessage[]> {
  const lanes = new Map<string, TraceMessage[]>();
  for (const message of withoutRepeats(messages.filter(({ name }) => !TIMED.has(name)))) {
    const lane = lanes.get(laneOf(message)) ?? [];
    lanes.set(laneOf(message), lane);
    lane.push(message);
  }
  return lanes;
}

/**
 * The answer to HELLO in the form of minor version 0. A later minor version has other tables, and may report
 * more features (protocol.md, "Versions").
 */
function toldToMinor0(messages: readonly TraceMessage[]): readonly TraceMessage[] {
  return messages.map((message) => {
    if (message.name !== 'hello' || message.kind !== 'answer') return message;
    const features = Number(message.fields['features']) & FEATURES_OF_MINOR_0;
    return {
      ...message,
      fields: { ...message.fields, minor: 0, tableHash: new Uint8Array(8), features, momentCellsMax: 0 },
    };
  });
}

function isOfMinor0(messages: readonly TraceMessage[]): boolean {
  return messages.some(
    ({ name, kind, fields }) => name === 'hello' && kind === 'answer' && fields['minor'] === 0,
  );
}

/**
 * The first difference of two sessions in words, or undefined. Every field, every sample and every message is
 * compared. If one session is of minor version 0, the parts that it does not know are left out.
 */
export function differenceOf(
  recorded: readonly TraceMessage[],
  today: readonly TraceMessage[],
): string | undefined {
  const sessions = [recorded, today];
  const compared = sessions.some(isOfMinor0) ? sessions.map(toldToMinor0) : sessions;
  const [before, now] = compared.map(comparedByLane);
  for (const [lane, messages] of before) {
    const others = now.get(lane) ?? [];
    for (const [i, message] of messages.entries()) {
      const other = others[i];
      const place = `message ${message.index}, ${message.name} ${message.kind}`;
      if (!other) return `${place}: did not come`;
      if (other.name !== message.name || other.kind !== message.kind)
        return `${place}: came ${other.name} ${other.kind} ${JSON.stringify(readableFields(other))}`;
      const difference = firstDifference(message, other);
      if (difference)
        return `${place}.${difference.field}: was ${String(difference.expected)}, is ${String(difference.got)}`;
      const codes = message.samples?.codes ?? [];
      const at = codes.findIndex((code, k) => code !== other.samples?.codes[k]);
      if (at >= 0) return `${place}, code ${at}: was ${codes[at]}, is ${other.samples?.codes[at]}`;
    }
    if (others.length > messages.length) return `${lane}: ${others.length - messages.length} messages more`;
  }
  return undefined;
}

/**
 * The content of a session in a form that does not depend on the length of frames. Uploads are given by their
 * digest, and samples by their place.
 */
export function contentOf(messages: readonly TraceMessage[]): string[] {
  const samples = new Map<string, number>();
  const lines: string[] = [];
  for (const message of withoutRepeats(messages)) {
    const { name, kind } = message;
    if (message.samples) {
      const { header, codes } = message.samples;
      const { runId, firstSample, firstCell, cellCount } = header;
      codes.forEach((code, k) => {
        const sample = firstSample + Math.floor(k / cellCount);
        samples.set(`run ${runId} sample ${sample} cell ${firstCell + (k % cellCount)}`, code);
      });
    } else if (!TIMED.has(name) && !name.startsWith('write') && name !== 'hello') {
      const {
        nonce: _,
        bootEpoch: __,
        blocksSent: ___,
        lastRequestId: ____,
        ...compared
      } = readableFields(message);
      // The tick at which a stop takes effect depends on time.
      if (compared['outcome'] === 'stopped') delete compared['ticksDone'];
      if (kind !== 'event' || name === 'runEnded') lines.push(`${name} ${kind} ${JSON.stringify(compared)}`);
    }
  }
  const codes = [...samples].map(([place, code]) => `${place}: ${code}`).sort();
  return [...lines, ...codes];
}
