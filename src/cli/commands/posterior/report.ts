import type { PosteriorChain } from '../../../algorithms/posterior/chain.js';
import { type DrawSummary, summarizeDraws } from '../../../algorithms/posterior/diagnostics.js';
import type { Matrix } from '../../../linalg/matrix.js';
import {
  formatBytes,
  formatCount,
  formatMeasured,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../../../number-text.js';
import { boardWarnings, repeatRows, UNCALIBRATED_BOARD } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { boardsText, type DrawnChains } from './chains.js';

/** One parameter: its name, the statistics of its draws, and the exact values. */
export interface ParameterReport extends DrawSummary {
  readonly name: string;
  readonly exact?: { readonly mean: number; readonly sd: number };
}

/** The result of a sampler on the host, and its time. */
export interface ExactRun {
  readonly mean: ArrayLike<number>;
  readonly sd: ArrayLike<number>;
  readonly hostSeconds: number;
}

/** Chains with a larger R-hat do not agree (Vehtari et al. 2021). */
export const R_HAT_MAX = 1.01;
const ROWS_MAX = 40;

/** The summary of every parameter over all chains. */
export function summarizeParameters(
  names: readonly string[],
  chains: readonly Matrix[],
  exact?: Pick<ExactRun, 'mean' | 'sd'>,
): ParameterReport[] {
  return names.map((name, j) => ({
    name,
    ...summarizeDraws(
      chains.map(({ rows, columns, data }) =>
        Float64Array.from({ length: rows }, (_, k) => data[k * columns + j]),
      ),
    ),
    ...(exact && { exact: { mean: exact.mean[j], sd: exact.sd[j] } }),
  }));
}

/** The largest errors of means, in standard deviations, and of standard deviations, as ratios. */
export function worstErrors(parameters: readonly Pick<ParameterReport, 'mean' | 'sd' | 'exact'>[]) {
  const means = parameters.map(({ mean, exact }) => Math.abs(mean - exact!.mean) / exact!.sd);
  const sds = parameters.map(({ sd, exact }) => Math.abs(sd / exact!.sd - 1));
  return { mean: Math.max(...means), sd: Math.max(...sds) };
}

/** The facts that all posteriors have in JSON and in `summary.json`. */
export function factsOf<Chain extends PosteriorFacts>(
  parameters: readonly ParameterReport[],
  drawn: DrawnChains<Chain>,
  exact: ExactRun | undefined,
) {
  const { chains } = drawn;
  const rHatMax = Math.max(...parameters.map(({ rHat }) => rHat));
  return {
    chains: chains.length,
    draws: chains[0].draws.rows,
    parameters,
    rHatMax,
    chainsAgree: rHatMax <= R_HAT_MAX,
    ...(exact && { errors: worstErrors(parameters) }),
    ...boardFacts(drawn, exact),
  };
}

/** Work and times of the boards, for draws and for moments. */
export function boardFacts<Chain extends Omit<PosteriorFacts, 'draws'>>(
  { chains, boards, cost, hostSeconds, repeats }: DrawnChains<Chain>,
  exact: ExactRun | undefined,
) {
  return {
    carryNoiseShare: Math.max(...chains.map((chain) => chain.carryNoiseShare)),
    clampedCodes: cost.clampedCodes,
    warnings: chains.every(({ isCovarianceKnown }) => isCovarianceKnown) ? [] : [UNCALIBRATED_BOARD],
    boards,
    boardSeconds: cost.boardSeconds,
    uploadBytes: cost.uploadBytes,
    repeats,
    timing: { hostSeconds, ...(exact && { exactSeconds: exact.hostSeconds }) },
  };
}

type PosteriorFacts = Pick<PosteriorChain, 'draws' | 'cost' | 'carryNoiseShare' | 'isCovarianceKnown'>;
type Facts = ReturnType<typeof factsOf>;

/** The table of parameters, then `rows`, then the facts that all posteriors have. */
export function reportText(facts: Facts, rows: readonly string[][], out: string | undefined): string {
  const { parameters, boardSeconds, chains, draws, boards, timing } = facts;
  const errors = 'errors' in facts ? facts.errors : undefined;
  const header = ['', 'mean', '±', 'sd', '5 %', '95 %', 'bulk ESS', 'tail ESS', 'R-hat'];
  const shown = parameters.slice(0, ROWS_MAX).map((one) => {
    const { value, error } = formatMeasured(one.mean, one.mcse);
    return [
      one.name,
      value,
      error,
      formatNumber(one.sd),
      formatNumber(one.q5),
      formatNumber(one.q95),
      formatCount(one.essBulk),
      formatCount(one.essTail),
      one.rHat.toFixed(3),
      ...(one.exact === undefined
        ? []
        : [
            formatNumber((one.mean - one.exact.mean) / one.exact.sd, 2),
            formatPercent(one.sd / one.exact.sd - 1),
          ]),
    ];
  });
  const table = formatTable(shown, {
    header: errors === undefined ? header : [...header, 'mean − exact, sd', 'sd / exact − 1'],
    align: ['left', ...Array.from({ length: 10 }, () => 'point' as const)],
  });
  const more =
    parameters.length > ROWS_MAX ? `  … ${parameters.length - ROWS_MAX} more in ${out}/summary.json\n` : '';
  const effective = Math.min(...parameters.map(({ essBulk }) => essBulk));
  return `${table}${more}\n${formatTable([
    ['draws', `${chains} × ${formatCount(draws)}, written to ${out}`],
    ['R-hat', `at most ${facts.rHatMax.toFixed(4)}`],
    ...rows,
    ...errorRows(errors),
    ['uploaded', formatBytes(facts.uploadBytes)],
    [
      'board time (modelled)',
      `${formatSeconds(boardSeconds)}, ${formatSeconds(boardSeconds / effective)} an effective draw`,
    ],
    ...repeatRows(facts),
    ['host time', formatSeconds(timing.hostSeconds)],
    ...('exactSeconds' in timing && timing.exactSeconds !== undefined
      ? [['host time of the exact sampler', formatSeconds(timing.exactSeconds)]]
      : []),
    ['boards', boardsText(boards)],
  ])}`;
}

/** The largest errors as rows of the report. There are no rows without exact values. */
export function errorRows(errors: ReturnType<typeof worstErrors> | undefined): string[][] {
  if (errors === undefined) return [];
  return [
    ['largest error of a mean', `${formatNumber(errors.mean, 2)} posterior standard deviations`],
    ['largest error of an sd', formatPercent(errors.sd)],
  ];
}

/** Warnings about the boards, and one when chains disagree. */
export function posteriorWarnings(
  facts: Pick<Facts, 'chainsAgree' | 'rHatMax' | 'carryNoiseShare' | 'clampedCodes' | 'warnings'>,
): string {
  const disagreement = facts.chainsAgree
    ? ''
    : `warning: the chains do not agree, R-hat is ${facts.rHatMax.toFixed(3)} (at most ${R_HAT_MAX} is wanted): their boards draw from different distributions, or there are too few draws.\n`;
  return boardWarnings(facts) + disagreement;
}
