import { fileURLToPath } from 'node:url';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { badArgument } from '../argument-checks.js';
import { readingVolts } from '../board/volts.js';
import type { Samples } from '../driver/collect-samples.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import { openTrace } from '../traces/open-trace.js';
import { recordedCalls } from '../traces/to-test/recorded-calls.js';

/**
 * The programs that the host loaded into the board in the first session of a trace, in order: one for each
 * `loadProgram`, `uploadCouplings` and `rewriteProgram`. Programs with the same couplings share the array.
 * Errors: BAD_FILE.
 */
export async function recordedPrograms(file: string | URL): Promise<ProgramImage[]> {
  const trace = await openTrace(typeof file === 'string' ? file : fileURLToPath(file));
  try {
    return recordedCalls(trace.messages()).flatMap((call) => ('image' in call ? [call.image] : []));
  } finally {
    trace.close();
  }
}

/**
 * The mean of each cell over the samples of a run, in volts [cells]. Errors: BAD_ARGUMENT for a run without
 * samples.
 */
export function meanVolts(
  { codes, report }: Pick<Samples, 'codes' | 'report'>,
  { identity }: { readonly identity: DeviceIdentity },
): Float64Array<ArrayBuffer> {
  const cells = codes.length / report.samplesTaken;
  if (!Number.isInteger(cells) || cells === 0)
    throw badArgument('codes.length', codes.length, 'a multiple of report.samplesTaken, and above 0');
  const mean = new Float64Array(cells);
  for (let at = 0; at < codes.length; at++) mean[at % cells] += codes[at];
  return readingVolts(
    mean.map((sum) => sum / report.samplesTaken),
    identity,
  );
}
