import { ThermolinkError } from '../errors.js';
import { examineTrace, type TraceHealth } from './doctor.js';
import { beginMcapFile, McapFile } from './mcap-file.js';
import { openTrace } from './open-trace.js';
import type { SampleDetail } from './sample-detail.js';
import { TraceWriter } from './trace-writer.js';

/**
 * Writes the readable parts of a damaged recording to a valid file: its bytes, the messages decoded from them
 * again, and its readable metadata and attachments. Returns the content and the missing parts of the damaged
 * file. Errors: BAD_FILE if the file is not a recorded session, or if `out` exists or can't be written.
 */
export async function recoverTrace(
  path: string,
  out: string,
  detail: SampleDetail = {},
): Promise<TraceHealth> {
  const health = await examineTrace(path);
  const trace = await openTrace(path);
  try {
    const file = new McapFile(beginMcapFile(out));
    try {
      for (const [name, facts] of trace.metadata) file.addMetadata(name, Object.fromEntries(facts));
      const firstNs = trace.chunks()[Symbol.iterator]().next().value?.hostTimeNs ?? 0n;
      for (const { name, mediaType, read } of trace.attachments)
        file.attach({ name, mediaType, data: read(), logTime: firstNs, createTime: firstNs });
      const writer = new TraceWriter(file, detail);
      for (const chunk of trace.chunks()) {
        if (!writer.hasConnection(chunk.connection))
          writer.addConnection(chunk.connection, chunk.port, chunk.side);
        writer.add(chunk);
      }
      file.finish();
    } catch (error) {
      file.abandon();
      if (error instanceof ThermolinkError) throw error;
      throw new ThermolinkError('BAD_FILE', `${out} can't be written.`, {
        cause: error,
        hint: 'Make room on the disk.',
        data: { file: out },
      });
    }
    return health;
  } finally {
    trace.close();
  }
}
