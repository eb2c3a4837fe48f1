import { ThermolinkError } from '../../../errors.js';
import { READ_FORMATS, readSquareMatrix } from '../../../files/read-array.js';
import { replaceFile } from '../../../files/replace-file.js';
import { WRITTEN_FORMATS, writeArray } from '../../../files/write-array.js';
import { counted, formatCount } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { momentsJson, momentsReport, sampledReport } from './moments.js';

export const command = boardCommand({
  options: {
    matrix: option('--matrix <file>', `the precision matrix P as ${READ_FORMATS}`, {
      required: true,
      file: 'input',
    }),
    count: option('--count <n>', 'how many draws', { value: positiveInteger(10_000_000), required: true }),
    out: option('--out <file>', `write the draws, count × N, as ${WRITTEN_FORMATS}`, { file: 'array' }),
    moments: option(
      '--moments <file>',
      'in place of draws, let the board add them up, and write mean, standard errors, effective sample sizes and, of few cells, the covariance as JSON',
      { file: 'output' },
    ),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  printf '4,1\\n1,3\\n' > P.csv
  thermolink sample --matrix P.csv --count 1000 --out x.npy
  thermolink sample --matrix P.csv --count 4000 --moments m.json --device serial:/dev/ttyACM0`,
  async run({ matrix: matrixFile, count, out, moments, calibration: calibrationFile, seed }, onBoard) {
    if ((out === undefined) === (moments === undefined))
      throw new ThermolinkError('BAD_ARGUMENT', 'sample writes the draws or their moments.', {
        hint: 'Give --out or --moments.',
      });
    if (moments !== undefined && calibrationFile !== undefined)
      throw new ThermolinkError('BAD_ARGUMENT', '--calibration corrects each reading, so it needs --out.', {
        hint: 'Leave it out, or give --out in place of --moments.',
      });
    // Not needed for `--help`.
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
    const calibration = await readCalibration(calibrationFile);
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
    await writeArray(out!, draws);
    return sampledReport(worked, {
      facts: { out, count: draws.rows, cells: draws.columns },
      rows: [['draws', `${formatCount(draws.rows)} of ${counted(draws.columns, 'cell')}, written to ${out}`]],
    });
  },
});
