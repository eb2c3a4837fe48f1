import { type PosteriorMoments, posteriorMoments } from '../../../algorithms/posterior/chain.js';
import type { GaussianPosterior } from '../../../algorithms/posterior/gaussian.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import {
  formatBytes,
  formatCount,
  formatMeasured,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../../../number-text.js';
import type { OnBoard } from '../../board-command.js';
import type { Report } from '../../command.js';
import { repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { boardsText, drawChains } from './chains.js';
import { exactRun, type GaussianOptions, meanRow } from './gaussian-chains.js';
import { writeSummary } from './output-directory.js';
import { boardFacts, type ExactRun, errorRows, posteriorWarnings, R_HAT_MAX, worstErrors } from './report.js';

/** The moments of one parameter, from the sums of the boards. */
interface ParameterMoments {
  readonly name: string;
  readonly mean: number;
  /** Standard error of the mean, by batch means. */
  readonly mcse: number;
  readonly sd: number;
  /** Number of independent draws that would give the same error of the mean. */
  readonly effectiveSampleSize: number;
  /** √(variance of all draws over the mean variance of a chain); 1 if there is only one chain. */
  readonly rHat: number;
  readonly exact?: { readonly mean: number; readonly sd: number };
}

/** The posterior of `posterior gaussian|linear --moments`. */
interface MomentsTask {
  readonly model: 'gaussian' | 'linear';
  readonly names: readonly string[];
  readonly posterior: GaussianPosterior;
  readonly posteriorFor: (board: Device) => GaussianPosterior;
  /** Additional facts of the summary. */
  readonly facts: object;
  readonly rows: readonly string[][];
}

type Chain = PosteriorMoments & { readonly lineBytes: number };

/** Errors: BAD_ARGUMENT for moments with a calibration. */
export function refuseCalibratedMoments(options: {
  readonly moments?: boolean | undefined;
  readonly calibration: string | undefined;
}): void {
  if (options.moments !== true || options.calibration === undefined) return;
  throw new ThermolinkError('BAD_ARGUMENT', '--calibration corrects each reading, so it needs the draws.', {
    hint: 'Leave out --moments or --calibration.',
  });
}

/** Lets the boards add up their draws, and writes `summary.json`. */
export async function reportMoments(
  onBoard: OnBoard,
  boards: readonly string[],
  options: GaussianOptions & { readonly out: string | undefined; readonly exact?: boolean | undefined },
  { model, names, posterior, posteriorFor, facts: more, rows }: MomentsTask,
): Promise<Report> {
  const { draws, seed, mean, out } = options;
  const drawn = await drawChains(
    onBoard,
    boards,
    draws,
    seed,
    async (board, { address, signal }): Promise<Chain> => {
      const before = bytesOf(board.linkCounters);
      const request = { posterior: posteriorFor(board), draws, mean, address, signal };
      const found = await posteriorMoments(board, request);
      return { ...found, lineBytes: bytesOf(board.linkCounters) - before };
    },
  );
  const { chains } = drawn;
  const exact = options.exact
    ? exactRun(posterior, chains[0].moments.count * boards.length, seed)
    : undefined;
  const parameters = names.map((name, i) => parameterOf(name, i, chains, exact));
  const lineBytes = chains.reduce((sum, chain) => sum + chain.lineBytes, 0);
  const drawBytes = 2 * names.length * chains.reduce((sum, { moments }) => sum + moments.count, 0);
  const rHatMax = Math.max(...parameters.map(({ rHat }) => rHat));
  const facts = {
    chains: chains.length,
    draws: chains[0].moments.count,
    batches: chains[0].moments.batches,
    parameters,
    rHatMax,
    chainsAgree: rHatMax <= R_HAT_MAX,
    ...(exact && { errors: worstErrors(parameters) }),
    lineBytes,
    drawBytes,
    meanErrorBound: Math.max(...chains.map(({ meanErrorBound }) => meanErrorBound)),
    ...boardFacts(drawn, exact),
    ...more,
  };
  writeSummary(out, { writtenBy: `thermolink posterior ${model}`, ...facts });
  const least = Math.min(...parameters.map(({ effectiveSampleSize }) => effectiveSampleSize));
  const { timing, boardSeconds } = facts;
  const text = `${tableOf(parameters)}\n${formatTable([
    [
      'draws',
      `${chains.length} × ${formatCount(facts.draws)}, added up by the boards; moments in ${out}/summary.json`,
    ],
    [
      'effective sample size',
      `at least ${formatNumber(least)}, from ${chains.length} × ${facts.batches} batches`,
    ],
    ['R-hat, of means and variances', `at most ${rHatMax.toFixed(4)}`],
    ...rows,
    meanRow(chains, mean),
    ...errorRows(facts.errors),
    ['bytes on the line', `${formatBytes(lineBytes)}; the draws alone are ${formatBytes(drawBytes)}`],
    ['board time (modelled)', formatSeconds(boardSeconds)],
    ...repeatRows(facts),
    ['host time', formatSeconds(timing.hostSeconds)],
    ...('exactSeconds' in timing
      ? [['host time of the exact sampler', formatSeconds(timing.exactSeconds!)]]
      : []),
    ['boards', boardsText(boards)],
  ])}`;
  return { json: { out, ...facts }, text, warnings: posteriorWarnings(facts) };
}

function bytesOf({
  bytesReceived,
  bytesSent,
}: {
  readonly bytesReceived: number;
  readonly bytesSent: number;
}) {
  return bytesReceived + bytesSent;
}

/** The moments of all draws of all chains, which are equally long. */
function parameterOf(
  name: string,
  i: number,
  chains: readonly Chain[],
  exact: ExactRun | undefined,
): ParameterMoments {
  const all = chains.map(({ moments }) => moments);
  const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const mean = meanOf(all.map((one) => one.mean[i]));
  const within = meanOf(all.map(({ variance }) => variance[i]));
  const { count } = all[0];
  const between = meanOf(all.map((one) => (one.mean[i] - mean) ** 2));
  // The sums of squares of the chains are added. They have n·m − 1 degrees of freedom in all, n − 1 in a
  // chain.
  const draws = count * all.length;
  const variance = ((count - 1) * all.length * within + draws * between) / (draws - 1);
  const ofMeans = all.length > 1 ? (between * all.length) / (all.length - 1) : 0;
  return {
    name,
    mean,
    mcse: Math.sqrt(meanOf(all.map(({ standardError }) => standardError[i] ** 2)) / all.length),
    sd: Math.sqrt(variance),
    effectiveSampleSize: all.reduce((sum, { effectiveSampleSize }) => sum + effectiveSampleSize[i], 0),
    rHat: all.length > 1 ? Math.sqrt((count - 1) / count + ofMeans / within) : 1,
    ...(exact && { exact: { mean: exact.mean[i], sd: exact.sd[i] } }),
  };
}

const ROWS_MAX = 40;

function tableOf(parameters: readonly ParameterMoments[]): string {
  const isCompared = parameters[0].exact !== undefined;
  const shown = parameters.slice(0, ROWS_MAX).map((one) => {
    const { value, error } = formatMeasured(one.mean, one.mcse);
    const { exact } = one;
    return [
      one.name,
      value,
      error,
      formatNumber(one.sd),
      formatCount(one.effectiveSampleSize),
      one.rHat.toFixed(3),
      ...(exact === undefined
        ? []
        : [formatNumber((one.mean - exact.mean) / exact.sd, 2), formatPercent(one.sd / exact.sd - 1)]),
    ];
  });
  return formatTable(shown, {
    header: [
      '',
      'mean',
      '±',
      'sd',
      'ESS',
      'R-hat',
      ...(isCompared ? ['mean − exact, sd', 'sd / exact − 1'] : []),
    ],
    align: ['left', ...Array.from({ length: 7 }, () => 'point' as const)],
  });
}
