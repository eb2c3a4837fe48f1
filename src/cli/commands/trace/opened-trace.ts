import { openTrace, type Trace } from '../../../traces/open-trace.js';
import { withStreamNames } from '../../output/report-stream.js';
import { printable } from '../../output/text-width.js';

/** The word that names the recording. */
export const TRACE_FILE = { name: '<file>', help: 'a recorded session (MCAP)', file: 'input' } as const;

/** Opens a recording, works, and closes it in any case. Defects of the file are reported at the end. */
export async function withTrace<T>(path: string, work: (trace: Trace) => Promise<T> | T): Promise<T> {
  const trace = await openTrace(path);
  try {
    return await work(trace);
  } finally {
    trace.close();
    for (const { problem } of trace.findings)
      process.stderr.write(`${withStreamNames(printable(path))}: ${printable(problem)}\n`);
  }
}
