import { READ_FORMATS, readSquareMatrix } from '../../../files/read-array.js';
import { WRITTEN_FORMATS, writeArray } from '../../../files/write-array.js';
import { counted, formatCount, formatPercent, formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import {
  boardWarnings,
  carryNoiseRows,
  repeatRows,
  UNCALIBRATED_BOARD,
} from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';

export const command = boardCommand({
  options: {
    matrix: option('--matrix <file>', `the precision matrix P as ${READ_FORMATS}`, {
      required: true,
      file: 'input',
    }),
    count: option('--count <n>', 'how many draws', { value: positiveInteger(10_000_000), required: true }),
    out: option('--out <file>', `write the draws, count × N, as ${WRITTEN_FORMATS}`, {
      required: true,
      file: 'array',
    }),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  printf '4,1\\n1,3\\n' > P.csv
  thermolink sample --matrix P.csv --count 1000 --out x.npy`,
  async run({ matrix: matrixFile, count, out, calibration: calibrationFile, seed }, onBoard) {
    // Not needed for `--help`.
    const [{ checkDrawCount, drawSamples }, { checkSystem }] = await Promise.all([
      import('../../../algorithms/sample.js'),
      import('../../../board/checked-system.js'),
    ]);
    const precision = checkSystem({ kind: 'dense', matrix: await readSquareMatrix(matrixFile) });
    checkDrawCount(count, precision.dimension);
    const calibration = await readCalibration(calibrationFile);
    const { result, device, hostSeconds, repeats } = await onBoard(
      (board, { signal, show }) =>
        drawSamples(board, {
          precision,
          count,
          address: { seed, step: 0, block: 0 },
          calibration,
          signal,
          onProgress: (done) => show(done, 'draws'),
        }),
      { cells: precision.dimension, total: count },
    );
    const { draws, correlationMax, carryNoiseShare, isCovarianceKnown, cost } = result;
    await writeArray(out, draws);
    const facts = {
      carryNoiseShare,
      clampedCodes: cost.clampedCodes,
      warnings: isCovarianceKnown ? [] : [UNCALIBRATED_BOARD],
    };
    return {
      json: {
        out,
        count: draws.rows,
        cells: draws.columns,
        correlationMax,
        ...facts,
        boardSeconds: cost.boardSeconds,
        repeats,
        device,
        timing: { hostSeconds },
      },
      text: formatTable([
        ['draws', `${formatCount(draws.rows)} of ${counted(draws.columns, 'cell')}, written to ${out}`],
        ['correlation of neighbours', `at most ${formatPercent(correlationMax, 0)}, in the slowest mode`],
        ...carryNoiseRows(result),
        ['board time (modelled)', formatSeconds(cost.boardSeconds)],
        ...repeatRows({ repeats }),
        ['host time', formatSeconds(hostSeconds)],
        ['device', device],
      ]),
      warnings: boardWarnings(facts),
    };
  },
});
