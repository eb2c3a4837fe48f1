import { readingVolts } from '../../../../board/volts.js';
import { counted, formatCount, formatExact, formatMeasured, formatNumber } from '../../../../number-text.js';
import type { ReadableValue } from '../../../../traces/readable-fields.js';
import type { Deviation } from '../../../../traces/verify/judge.js';
import type { ComparedSamples, VerifyResult } from '../../../../traces/verify/verify-result.js';

/** Largest number of lines of one kind that are shown. Further lines are only counted. */
const LINES_MAX = 12;

/** The report of a verification, for people. */
export function verdictText(result: VerifyResult, files: readonly string[]): string {
  const { mode, reason, recorded, found, commands, replies, runs, samples } = result;
  const lines = [
    `recorded   ${recorded.model}, ${recorded.serialNumber}, ${recorded.firmwareVersion}`,
    `compared   ${found.model}, ${found.serialNumber}, ${found.firmwareVersion}`,
    `mode       ${mode}: ${reason}`,
    `sent       ${counted(commands, 'command')}, compared ${counted(replies, 'answer')}, ${counted(runs.length, 'run')}, ${counted(samples, 'sample')}`,
    '',
    ...digitalLines(result),
    ...sampleLines(result),
    ...causes(result).map((cause) => `likely     ${cause}`),
    ...files.map((file) => `wrote      ${file}`),
    conclusion(result),
  ];
  return `${lines.join('\n')}\n`;
}

/** The last line, which says whether the board passed. */
function conclusion({ passed, runsThatDiffer, runsWithoutEnd, runsNotCompared, mode }: VerifyResult): string {
  const left = [
    ...(runsNotCompared > 0
      ? [`nothing can be said about the samples of ${counted(runsNotCompared, 'run')}`]
      : []),
    ...(runsWithoutEnd > 0 ? [`${counted(runsWithoutEnd, 'run')} have no end in the trace`] : []),
  ];
  const but = left.length === 0 ? '' : `; ${left.join(', ')}`;
  if (!passed) return `deviates${but}`;
  if (mode === 'exact' || runsThatDiffer === 0) return `same       every message is equal${but}`;
  return `same       everything digital is equal, samples agree within their noise${but}`;
}

function digitalLines({ differences }: VerifyResult): string[] {
  if (differences.length === 0) return ['digital    equal'];
  const shown = differences.slice(0, LINES_MAX).map(({ message, name, field, recorded, found }) => {
    const text = (value: ReadableValue | undefined): string =>
      typeof value === 'object' ? JSON.stringify(value) : String(value);
    return `  message ${message}, ${name}.${field}: recorded ${text(recorded)}, found ${text(found)}`;
  });
  return [`digital    ${counted(differences.length, 'difference')}`, ...shown, ...more(differences.length)];
}

function more(count: number): string[] {
  return count > LINES_MAX ? [`  and ${formatCount(count - LINES_MAX)} more`] : [];
}

function sampleLines(result: VerifyResult): string[] {
  const { mode, runs, runsThatDiffer, comparisons, verdict } = result;
  if (runs.every(({ recordedSamples }) => recordedSamples === 0)) return [];
  if (mode === 'exact' || runsThatDiffer === 0) {
    const first = runs.find(({ firstDifference }) => firstDifference);
    if (!first?.firstDifference) return ['samples    equal'];
    const { sample, cell, recorded, found } = first.firstDifference;
    return [
      `samples    differ in ${counted(runsThatDiffer, 'run')}`,
      `  run of message ${first.message}, sample ${formatCount(sample)}, cell ${cell}: recorded code ${recorded}, found ${found}`,
    ];
  }
  const { tests, deviations, rate } = verdict;
  const count = Object.values(tests).reduce((sum, one) => sum + one, 0);
  return [
    `samples    ${counted(deviations.length, 'deviation')} in ${counted(count, 'comparison')} at a false-alarm rate of ${formatExact(rate)} for the file`,
    ...comparisons.flatMap((comparison, at) => {
      const own = deviations.filter(({ run }) => run === at);
      if (own.length === 0) return [];
      return [
        `  ${namesOf(comparison, result)}`,
        ...own.slice(0, LINES_MAX).map((deviation) => `    ${deviationText(deviation, comparison, result)}`),
        ...more(own.length),
      ];
    }),
  ];
}

/** `4 runs from message 12 on: 20,000 samples of 64 cells, 4.0 τ apart`. */
export function namesOf(
  { runs, samples, cells, isOneProgram, readings }: ComparedSamples,
  result: VerifyResult,
): string {
  const { message, spacingTau } = result.runs[runs[0]];
  if (readings !== undefined)
    return `${counted(readings, 'single reading')} of ${counted(runs.length, 'short run')} from message ${message} on`;
  const one = isOneProgram ? 'run' : 'short run';
  const which =
    runs.length === 1
      ? `run of message ${message}`
      : `${counted(runs.length, one)} from message ${message} on`;
  const apart = isOneProgram ? `, ${formatNumber(spacingTau)} τ apart` : '';
  return `${which}: ${counted(samples, 'sample')} of ${counted(cells, 'cell')}${apart}`;
}

/** The deviations with their sizes, in volts, percent or time constants. */
function deviationText(
  deviation: Deviation,
  { runs, lag, isOneProgram }: ComparedSamples,
  result: VerifyResult,
): string {
  const { statistic, cell, other, recorded, found, error, probability } = deviation;
  const chance = `chance ${probability < CHANCE_SHOWN_MIN ? 'below 1e-99' : formatNumber(probability, 2)}`;
  switch (statistic) {
    case 'mean': {
      const [was, by, sigma] = readingVolts([recorded, found - recorded, error], result.recorded);
      const size = formatMeasured(by * 1000, sigma * 1000);
      const share = was === 0 ? '' : ` (${signed((100 * by) / Math.abs(was))} %)`;
      return `cell ${cell}: mean ${plus(size.value)} ± ${size.error} mV from ${formatNumber(was, 4)} V${share}, ${chance}`;
    }
    case 'variance': {
      const [was, is] = readingVolts([Math.sqrt(recorded), Math.sqrt(found)], result.recorded);
      if (recorded === 0)
        return `cell ${cell}: noise of ${millivolts(is)}, recorded without noise, ${chance}`;
      const size = formatMeasured((100 * (found - recorded)) / recorded, (100 * error) / recorded);
      const what = isOneProgram ? 'variance' : 'variance over the runs';
      const noise = isOneProgram ? ` (noise ${millivolts(is)}, recorded ${millivolts(was)})` : '';
      return `cell ${cell}: ${what} ${plus(size.value)} ± ${size.error} %${noise}, ${chance}`;
    }
    case 'innovation': {
      const size = formatMeasured((100 * (found - recorded)) / recorded, (100 * error) / recorded);
      return `cell ${cell}: noise power ${plus(size.value)} ± ${size.error} % beyond the prediction from other cells and the sample before, ${chance}`;
    }
    case 'covariance': {
      const size = formatMeasured(found - recorded, error);
      return `cells ${cell}, ${other}: correlation ${formatNumber(found)}, recorded ${formatNumber(recorded)}: ${plus(size.value)} ± ${size.error}, ${chance}`;
    }
    case 'autocorrelation': {
      const size = formatMeasured(found - recorded, error);
      if (!isOneProgram)
        return `cell ${cell}: correlation of consecutive runs ${plus(size.value)} ± ${size.error}, ${chance}`;
      const lagTau = lag * result.runs[runs[0]].spacingTau;
      const [was, is] = [timeConstant(recorded, lagTau), timeConstant(found, lagTau)];
      const times = was && is ? `relaxes in ${formatNumber(is)} τ, recorded ${formatNumber(was)} τ; ` : '';
      return `cell ${cell}: ${times}correlation after ${formatNumber(lagTau)} τ ${plus(size.value)} ± ${size.error}, ${chance}`;
    }
    case 'reading': {
      const [was, is, by, sigma] = readingVolts([recorded, found, found - recorded, error], result.recorded);
      const size = formatMeasured(by * 1000, sigma * 1000);
      const { run, sample } = deviation.place!;
      const where = `cell ${cell}, sample ${sample} of the run of message ${result.runs[run].message}`;
      return `${where}: ${formatNumber(is, 4)} V, recorded ${formatNumber(was, 4)} V: ${plus(size.value)} ± ${size.error} mV, ${chance}`;
    }
  }
}

/**
 * The time constant T of exp(−lag/T) = correlation, in the unit of `lag`. Undefined if the correlation is too
 * small.
 */
function timeConstant(correlation: number, lag: number): number | undefined {
  return correlation > 0.02 && correlation < 1 ? -lag / Math.log(correlation) : undefined;
}

/** The pattern of the deviations, in words. */
function causes(result: VerifyResult): string[] {
  const words: string[] = [];
  for (const comparison of result.comparisons) {
    const own = result.verdict.deviations.filter(({ run }) => result.comparisons[run] === comparison);
    const { cells, spreads } = comparison;
    const deviating = new Set(own.flatMap(({ cell, other }) => (other === undefined ? [cell] : [])));
    if (cells >= 8 && deviating.size > cells / 3) {
      words.push(`another board: ${deviating.size} of ${cells} cells deviate`);
      continue;
    }
    for (const cell of deviating)
      if (spreads.found[cell] === 0 && spreads.recorded[cell] > 0)
        words.push(`cell ${cell} is dead or stuck: it does not move`);
    words.push(...swapped(comparison, deviating));
  }
  return [...new Set(words)].slice(0, LINES_MAX);
}

/** Pairs of cells of which each now behaves as the other did. */
function swapped({ comparisons }: ComparedSamples, deviating: ReadonlySet<number>): string[] {
  const means = new Map(
    comparisons.filter(({ statistic }) => statistic === 'mean').map((mean) => [mean.cell, mean]),
  );
  const like = (a: number, b: number): boolean => {
    const [now, before] = [means.get(a), means.get(b)];
    if (!now || !before) return false;
    return Math.abs(now.found - before.recorded) < SWAP_ERRORS * (now.error + before.error);
  };
  /** Cells with equal means would always look swapped. */
  const differed = (a: number, b: number): boolean => {
    const [one, other] = [means.get(a)!, means.get(b)!];
    return Math.abs(one.recorded - other.recorded) > 2 * SWAP_ERRORS * (one.error + other.error);
  };
  return [...deviating].flatMap((a) =>
    [...deviating]
      .filter((b) => a < b && like(a, b) && like(b, a) && differed(a, b))
      .map((b) => `cells ${a} and ${b} are swapped: each has the mean that the other had`),
  );
}

/** Smaller probabilities are not shown as numbers. */
const CHANCE_SHOWN_MIN = 1e-99;

/** Means within this number of standard errors count as equal. */
const SWAP_ERRORS = 4;

function millivolts(volts: number): string {
  return `${formatNumber(volts * 1000)} mV`;
}

function signed(value: number): string {
  return plus(formatNumber(value));
}

function plus(text: string): string {
  return text.startsWith('-') ? text : `+${text}`;
}
