import { openTrace } from './open-trace.js';
import type { LinkFindings } from './trace-message.js';

/** Content of a recorded session: number of messages, of sessions and of frames; and the missing parts. */
export interface TraceHealth {
  readonly bytes: number;
  readonly messages: number;
  readonly sessions: number;
  readonly link: LinkFindings;
  /**
   * One sentence for each missing part; empty for a complete recording. Damage on the line that the link
   * itself has repaired does not count.
   */
  readonly lost: readonly string[];
}

/**
 * Reads a whole recorded session and reports what is missing: the end, a part of the file, or frames that the
 * link has counted. Errors: BAD_FILE if the file is not a recorded session.
 */
export async function examineTrace(path: string): Promise<TraceHealth> {
  const trace = await openTrace(path);
  try {
    let [messages, sessions] = [0, 0];
    for (const { session } of trace.messages()) {
      messages++;
      sessions = Math.max(sessions, session);
    }
    const link = trace.link!;
    return { bytes: trace.bytes, messages, sessions, link, lost: lostOf(trace.findings, link) };
  } finally {
    trace.close();
  }
}

function lostOf(findings: readonly { readonly problem: string }[], link: LinkFindings): string[] {
  const gap = link.openGaps;
  return [
    ...findings.map(({ problem }) => problem),
    ...(gap > 0
      ? [`the command channel has ${gap} gaps that no repetition fills: messages are missing`]
      : []),
  ];
}
