import { openTrace } from './open-trace.js';
import type { LinkFindings } from './trace-message.js';

/** What a recorded session holds and lacks: how many messages and sessions, how many frames. */
export interface TraceHealth {
  readonly bytes: number;
  readonly messages: number;
  readonly sessions: number;
  readonly link: LinkFindings;
  /**
   * What is missing, a sentence each; empty for a whole recording. Damage on the line that the link itself
   * has mended is not missing.
   */
  readonly lost: readonly string[];
}

/**
 * Reads a whole recorded session and says what is missing: the end, a part of the file, frames that the link
 * has counted. Errors: BAD_FILE for what is no recorded session.
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
    ...(gap > 0 ? [`the command channel has ${gap} gaps that nothing fills: messages are missing`] : []),
  ];
}
