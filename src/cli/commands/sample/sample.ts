import { ThermolinkError } from '../../../errors.js';
import { READ_FORMATS, readSquareMatrix } from '../../../files/read-array.js';
import { replaceFile } from '../../../files/replace-file.js';
import { WRITTEN_FORMATS, writeArray } from '../../../files/write-array.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { counted, formatCount } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { option, printedAs } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { momentsJson, momentsReport, sampledReport } from './moments.js';

/** Largest number of readings that are printed as text. 1,000,000 readings take about 20 MB. */
const PRINTED_MAX = 1_000_000;

export const command = boardCommand({
  options: {
    matrix: option('--matrix <file>', `the precision matrix P as ${READ_FORMATS}`, {
      required: true,
      file: 'input',
    }),
    count: option('--count <n>', 'number of draws', { value: positiveInteger(10_000_000), required: true }),
    out: option('--out <file>', `write the draws, count × N, as ${WRITTEN_FORMATS}`, { file: 'array' }),
    moments: option(
      '--moments <file>',
      'let the board sum up the draws, and write mean, standard errors, effective sample sizes and, for few cells, the covariance as JSON',
      { file: 'output', dash: printedAs('.json') },
    ),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  printf '4,1\\n1,3\\n' > P.csv
  thermolink sample --matrix P.csv --count 1000 --out x.npy
  thermolink sample --matrix P.csv --count 4000 --moments m.json --device serial:/dev/ttyACM0`,
  async run(
    { matrix: matrixFile, count, out, moments, calibration: calibrationFile, seed, json, device },
    onBoard,
  ) {
    const isPrinted = out === undefined && moments === undefined;
    if (isPrinted && !json)
      throw new ThermolinkError('BAD_ARGUMENT', 'sample writes the draws or their moments.', {
        hint: 'Give --out or --moments, or let --json print the draws.',
      });
    if (out !== undefined && moments !== undefined)
      throw new ThermolinkError('BAD_ARGUMENT', '--out and --moments exclude each other.', {
        hint: 'Give one of them.',
      });
    if (moments !== undefined && calibrationFile !== undefined)
      throw new ThermolinkError('BAD_ARGUMENT', '--calibration corrects each reading, so it needs --out.', {
        hint: 'Leave it out, or give --out in place of --moments.',
      });
    // `--help` does not need these modules.
    const [{ checkDrawCount, drawSamples }, { sampleMoments }, { checkSystem }] = await Promise.all([
      import('../../../algorithms/sample.js'),
      import('../../../algorithms/sample-moments.js'),
      import('../../../board/checked-system.js'),
    ]);
    const address = { seed, step: 0, block: 0 };
    if (moments !== undefined) {
      const system = checkSystem({ kind: 'dense', matrix: await readSquareMatrix(matrixFile) });
      const worked = await onBoard(
        async (board, { signal }) => {
          const result = await sampleMoments(board, { precision: system, count, address, signal });
          const { bytesReceived, bytesSent } = board.linkCounters;
          return { ...result, lineBytes: bytesReceived + bytesSent };
        },
        { cells: system.dimension },
      );
      replaceFile(moments, `${JSON.stringify(momentsJson(worked.result))}\n`);
      return momentsReport(moments, worked);
    }
    const precision = checkSystem({ kind: 'dense', matrix: await readSquareMatrix(matrixFile) });
    checkDrawCount(count, precision.dimension);
    if (isPrinted && count * precision.dimension > PRINTED_MAX)
      throw new ThermolinkError(
        'BAD_ARGUMENT',
        `--json prints up to ${formatCount(PRINTED_MAX)} readings, and these are ${formatCount(count * precision.dimension)}.`,
        { hint: 'Write them to a file by --out, or draw fewer.' },
      );
    const calibration = await readCalibration(calibrationFile, device);
    const worked = await onBoard(
      (board, { signal, show }) =>
        drawSamples(board, {
          precision,
          count,
          address,
          calibration,
          signal,
          onProgress: (done) => show(done, 'draws'),
        }),
      { cells: precision.dimension, total: count },
    );
    const { draws } = worked.result;
    if (out !== undefined) await writeArray(out, draws);
    return sampledReport(worked, {
      facts: {
        out,
        count: draws.rows,
        cells: draws.columns,
        ...(isPrinted && { draws: rowsOf(draws) }),
      },
      rows: [['draws', `${formatCount(draws.rows)} of ${counted(draws.columns, 'cell')}, written to ${out}`]],
    });
  },
});

function rowsOf({ rows, columns, data }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, k) => [...data.subarray(k * columns, (k + 1) * columns)]);
}
