import type { MomentsResult } from '../../../algorithms/sample-moments.js';
import {
  counted,
  formatBytes,
  formatCount,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../../../number-text.js';
import type { Worked } from '../../board-command.js';
import type { Report } from '../../command.js';
import {
  boardWarnings,
  carryNoiseRows,
  repeatRows,
  UNCALIBRATED_BOARD,
} from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';

/** Facts that draws and moments have in common. */
type Sampled = Pick<MomentsResult, 'correlationMax' | 'carryNoiseShare' | 'isCovarianceKnown' | 'cost'>;

/** The moments as the file holds them. */
export function momentsJson({
  mean,
  standardError,
  effectiveSampleSize,
  covariance,
  ...rest
}: MomentsResult) {
  const { count, batches, variance } = rest;
  const rows =
    covariance &&
    Array.from({ length: covariance.rows }, (_, i) =>
      Array.from(covariance.data.subarray(i * covariance.columns, (i + 1) * covariance.columns)),
    );
  return {
    count,
    batches,
    mean: [...mean],
    standardError: [...standardError],
    effectiveSampleSize: [...effectiveSampleSize],
    variance: [...variance],
    ...(rows && { covariance: rows }),
  };
}

/** The output of `sample --moments`. */
export function momentsReport(
  file: string,
  worked: Worked<MomentsResult & { readonly lineBytes: number }>,
): Report {
  const { result } = worked;
  const { count, lineBytes } = result;
  const cells = result.mean.length;
  const least = Math.min(...result.effectiveSampleSize);
  const drawBytes = 2 * count * cells;
  return sampledReport(worked, {
    facts: {
      moments: file,
      count,
      cells,
      batches: result.batches,
      hasCovariance: result.covariance !== undefined,
      effectiveSampleSizeMin: least,
      lineBytes,
      drawBytes,
    },
    rows: [
      ['draws', `${formatCount(count)} of ${counted(cells, 'cell')}, added up by the board`],
      ['moments', `mean, errors${result.covariance ? ' and covariance' : ''}, written to ${file}`],
      [
        'effective sample size',
        `at least ${formatNumber(least)}, from ${counted(result.batches, 'batch', 'batches')}`,
      ],
      ['bytes on the line', `${formatBytes(lineBytes)}; the draws alone are ${formatBytes(drawBytes)}`],
    ],
  });
}

/** The output of `sample` for draws and for moments: first `facts` and `rows`, then the common facts. */
export function sampledReport(
  { result, device, hostSeconds, repeats }: Worked<Sampled>,
  { facts, rows }: { readonly facts: object; readonly rows: readonly string[][] },
): Report {
  const { correlationMax, carryNoiseShare, isCovarianceKnown, cost } = result;
  const warned = {
    carryNoiseShare,
    clampedCodes: cost.clampedCodes,
    warnings: isCovarianceKnown ? [] : [UNCALIBRATED_BOARD],
  };
  return {
    json: {
      ...facts,
      correlationMax,
      ...warned,
      boardSeconds: cost.boardSeconds,
      repeats,
      device,
      timing: { hostSeconds },
    },
    text: formatTable([
      ...rows,
      ['correlation of neighbours', `at most ${formatPercent(correlationMax, 0)}, in the slowest mode`],
      ...carryNoiseRows(result),
      ['board time (modelled)', formatSeconds(cost.boardSeconds)],
      ...repeatRows({ repeats }),
      ['host time', formatSeconds(hostSeconds)],
      ['device', device],
    ]),
    warnings: boardWarnings(warned),
  };
}
