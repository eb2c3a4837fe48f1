import {
  AVERAGES_PART,
  type AveragesPart,
  BLOCK_FLAG,
} from '../../firmware-protocol/messages/acquisition.js';
import { ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { AverageOptions, Averages, CallOptions, RunReport } from './device-api.js';

/** Largest number of bytes of an answer of `readAverages` in addition to its sums. */
const ANSWER_OVERHEAD_BYTES = 24;
const BATCH_SUM_BYTES = 4;
const PRODUCT_BYTES = 8;

/** Reads the sums of a run after the board has reported its end. Errors: NOT_A_BOARD; those of a call. */
export async function collectAverages(
  connection: Connection,
  report: RunReport,
  cells: number,
  { batches, secondMoments = false }: AverageOptions,
  call: CallOptions,
): Promise<Averages> {
  const read = (part: AveragesPart, width: number, count: number) =>
    readSums(connection, { runId: report.runId, part, width, count }, call);
  const pairs = secondMoments ? (cells * (cells + 1)) / 2 : cells;
  const sums = await read(AVERAGES_PART.batchSums, BATCH_SUM_BYTES, batches * cells);
  const products = await read(AVERAGES_PART.products, PRODUCT_BYTES, pairs);
  return {
    report,
    samples: sums.samples,
    overload: (sums.flags & BLOCK_FLAG.overload) !== 0,
    clipped: (sums.flags & BLOCK_FLAG.clip) !== 0,
    batchSums: new Int32Array(sums.bytes.buffer),
    // The number is below 2⁵³, so it is exact.
    products: Float64Array.from(new BigInt64Array(products.bytes.buffer), Number),
  };
}

interface Wanted {
  readonly runId: number;
  readonly part: AveragesPart;
  /** Bytes of a sum. */
  readonly width: number;
  readonly count: number;
}

async function readSums(
  connection: Connection,
  { runId, part, width, count }: Wanted,
  call: CallOptions,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; samples: number; flags: number }> {
  const bytes = new Uint8Array(width * count);
  const most = Math.floor((connection.link.payloadBytesMax - ANSWER_OVERHEAD_BYTES) / width);
  let told = { samples: 0, flags: 0 };
  for (let first = 0; first < count; first += most) {
    const asked = Math.min(most, count - first);
    const answer = await connection.request(
      'readAverages',
      { runId, part, firstEntry: first, count: asked },
      call,
    );
    if (answer.sums.length !== width * asked)
      throw new ThermolinkError(
        'NOT_A_BOARD',
        `The board answered ${answer.sums.length} bytes of sums instead of ${width * asked}.`,
        { hint: 'Its firmware does not follow the protocol.', data: { runId, part, first, asked } },
      );
    bytes.set(answer.sums, first * width);
    told = answer;
  }
  return { bytes, samples: told.samples, flags: told.flags };
}
