import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '../../../number-text.js';
import { TraceFollower } from '../../../traces/look/follow-trace.js';
import {
  checkMessageNames,
  checkRun,
  type MessageFilter,
  MessageStream,
  type PlacedMessage,
  placedMessages,
} from '../../../traces/look/message-filter.js';
import { fieldsText } from '../../../traces/look/message-text.js';
import { messageObject } from '../../../traces/message-json.js';
import { defineCommand } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { flag, option } from '../../options/option.js';
import { nameList, range } from '../../options/ranges.js';
import { choice, positiveInteger } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { printLines } from '../../output/print-lines.js';
import { fitColumns, printable } from '../../output/text-width.js';
import { TRACE_FILE, withTrace } from './opened-trace.js';

/** Time between two looks at a recording that is still written. A recorder writes twice a second. */
const POLL_MS = 200;
const SECONDS_DIGITS = 6;
const INDEX_COLUMNS = 6;
const SECONDS_COLUMNS = 12;
const NAME_COLUMNS = 22;
const BYTES_COLUMNS = 8;

export const command = defineCommand({
  arguments: [TRACE_FILE],
  options: {
    names: option('--name <names>', 'only messages of these names, separated by commas', { value: nameList }),
    direction: option('--direction <d>', 'only toDevice or only toHost', {
      value: choice(['toDevice', 'toHost'] as const),
    }),
    messages: option('--range <from..to>', 'only messages with these numbers', { value: range(true) }),
    seconds: option('--time <from..to>', 'only messages in these seconds since the beginning', {
      value: range(false),
    }),
    run: option('--run <n>', 'only messages of this board run', { value: positiveInteger(2 ** 31) }),
    whole: flag('--whole', 'show fields in full and all codes'),
    follow: flag('--follow', 'also show new messages of a running recording, until it ends'),
    ...JSON_OUTPUT,
  },
  example: `
Examples:
  thermolink trace messages session.mcap --name start,runEnded
  thermolink trace messages session.mcap --time 0.5..1 --json
  thermolink trace messages session.mcap --follow

A line shows number, seconds since the first byte, → to the board or ← from it, name and request id, payload, fields.
Repeated frames, acknowledgements and keep-alive frames are no messages: \`trace export --pcapng\` has them.`,
  async run({ whole, follow, json, ...filter }, _name, [file]) {
    checkMessageNames(filter.names ?? []);
    const line = (placed: PlacedMessage): string =>
      json ? messageLine(placed, whole === true) : messageText(placed, whole === true);
    if (follow) {
      await withInterrupt((signal) => followMessages(file, filter, line, signal));
      return;
    }
    await withTrace(file, (trace) => printLines(mapped(placedMessages(trace.chunks(), filter), line)));
  },
});

/**
 * Prints the messages in the file and all later messages, until the recording ends or the user presses
 * Ctrl-C.
 */
async function followMessages(
  file: string,
  filter: MessageFilter,
  line: (placed: PlacedMessage) => string,
  signal: AbortSignal,
): Promise<void> {
  const follower = new TraceFollower(file);
  const messages = new MessageStream(filter);
  if (!existsSync(file)) process.stderr.write(`waiting for ${printable(file)}, which does not exist yet\n`);
  while (!signal.aborted) {
    const { chunks, isClosed } = follower.poll();
    await printLines(chunks.flatMap((chunk) => messages.push(chunk)).map(line));
    if (isClosed) {
      checkRun(filter.run, messages.ledger.runs.length);
      return;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

function* mapped<T, U>(items: Iterable<T>, change: (item: T) => U): Generator<U> {
  for (const item of items) yield change(item);
}

/**
 * One message on one line for people. Control characters in the file are shown as text, so the file cannot
 * control the terminal.
 */
export function messageText(placed: PlacedMessage, whole = false): string {
  const { message, seconds } = placed;
  const { index, direction, name, requestId, payloadBytes } = message;
  const title = `${name}${requestId > 0 ? ` #${requestId}` : ''}`;
  const columns = [
    String(index).padStart(INDEX_COLUMNS),
    seconds.toFixed(SECONDS_DIGITS).padStart(SECONDS_COLUMNS),
    direction === 'toDevice' ? '→' : '←',
    title.padEnd(NAME_COLUMNS),
    formatBytes(payloadBytes).padStart(BYTES_COLUMNS),
    ` ${printable(fieldsText(message, { whole }))}`,
  ];
  const text = columns.join(' ').trimEnd();
  const width = process.stdout.columns;
  return whole || !width ? text : fitColumns(text, width);
}

function messageLine({ message, seconds, run }: PlacedMessage, whole: boolean): string {
  return JSON.stringify(messageRecord(message, seconds, run?.run, whole));
}

/** One message as JSON. */
export function messageRecord(
  message: PlacedMessage['message'],
  seconds: number,
  run: number | undefined,
  whole: boolean,
): object {
  const { kind, name, channel, hostTimeNs, payloadBytes } = message;
  return {
    name,
    kind,
    channel,
    seconds,
    // A JSON number has too few digits for nanoseconds since 1970.
    hostTimeNs: String(hostTimeNs),
    run,
    payloadBytes,
    ...messageObject(message, { all: whole }),
  };
}
