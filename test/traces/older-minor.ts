/**
 * Makes a recording of an earlier minor version. Its host and its board do not know the fields that were
 * added later. Such fields end a message (protocol.md, "Versions"). So far there is one: `purpose` of HELLO.
 */
import { CHANNEL, encodeFrame, FrameDecoder } from '../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../firmware-protocol/limits.js';
import type { FrozenMessage, FrozenTables } from '../../firmware-protocol/tools/frozen/frozen-tables.js';
import { beginMcapFile, McapFile } from '../../src/traces/mcap-file.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { TraceWriter } from '../../src/traces/trace-writer.js';

/** The fields that an earlier minor version did not have. */
const ADDED = { message: 'hello', field: 'purpose' } as const;

/** The frozen tables without the fields added since. */
export function olderTables({ messages }: Pick<FrozenTables, 'messages'>): readonly FrozenMessage[] {
  return messages.map((message) =>
    message.name === ADDED.message
      ? { ...message, toDevice: message.toDevice!.filter(({ name }) => name !== ADDED.field) }
      : message,
  );
}

/** HELLO of an earlier host: the array has one item less. The missing last item was one byte. */
function olderHello(payload: Uint8Array): Uint8Array {
  const older = payload.slice(0, -1);
  older[0]--;
  return older;
}

/** Writes a recording again as a host of the earlier minor version would have made it. */
export async function writeOlder(recording: string, out: string): Promise<void> {
  const trace = await openTrace(recording);
  const file = new McapFile(beginMcapFile(out));
  const writer = new TraceWriter(file, undefined);
  for (const chunk of trace.chunks()) {
    if (!writer.hasConnection(chunk.connection))
      writer.addConnection(chunk.connection, chunk.port, chunk.side);
    const frames: Uint8Array[] = [];
    // A chunk of the memory port consists of whole frames.
    for (const item of new FrameDecoder(FRAME_BYTES_MAX).push(chunk.bytes)) {
      if (item.kind === 'fault') throw new Error(`${recording} has a fault`);
      const { frame } = item;
      const isHello = frame.channel === CHANNEL.open && chunk.direction === 'toDevice';
      frames.push(encodeFrame(isHello ? { ...frame, payload: olderHello(frame.payload) } : frame));
    }
    writer.add({ ...chunk, bytes: Buffer.concat(frames) });
  }
  trace.close();
  file.finish();
}
