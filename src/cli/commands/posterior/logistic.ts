import { quantileOf, summarizeDraws } from '../../../algorithms/posterior/diagnostics.js';
import { drawLogistic } from '../../../algorithms/posterior/draw-logistic.js';
import { checkDesign } from '../../../algorithms/posterior/gaussian.js';
import { drawHamiltonian } from '../../../algorithms/posterior/hamiltonian.js';
import {
  type LogisticPosterior,
  logistic,
  logisticLogDensity,
  logisticPosterior,
} from '../../../algorithms/posterior/logistic.js';
import { ThermolinkError } from '../../../errors.js';
import { textsOf } from '../../../files/read-data-table.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { dot } from '../../../linalg/products.js';
import { counted, formatNumber, formatPercent } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { negation, option } from '../../options/option.js';
import { drawChains } from './chains.js';
import { type Design, readDesign } from './design.js';
import { columnOf, marginalsFigure, type Prediction, predictiveFigure, tracesFigure } from './figures.js';
import { boardsOf, CHAINS, DATA } from './options.js';
import { inClaimedDirectory, writePosterior } from './output-directory.js';
import { factsOf, posteriorWarnings, reportText, summarizeParameters } from './report.js';

/** Rows of the largest emulated crossbar. */
const ROWS_MAX = 1024;
const PREDICTIVE_DRAWS_MAX = 1000;

export const command = boardCommand({
  options: {
    ...DATA,
    positive: option(
      '--positive <value>',
      'the value of the target whose probability is modelled (default: the last by name)',
    ),
    standardize: negation(
      '--no-standardize',
      'leave the features as they are (default: mean 0, standard deviation 1)',
    ),
    ...CHAINS,
  },
  example: `
Example:
  thermolink posterior logistic --data diabetes.csv --target diabetes --positive 1 --exact --out diabetes

It needs a board whose rows have an element. Hamiltonian Monte Carlo on a host takes 2 to 3 gradients for an independent draw:
see docs/how-to/draw-from-a-posterior.md.`,
  async run(options, onBoard) {
    const { out, draws, seed, prior } = options;
    const design = await readDesign(options);
    const { inputs, names } = design;
    const { labels, classes } = labelsOf(design, options.target, options.positive);
    checkDesign(inputs, labels, names);
    const posterior = logisticPosterior({ inputs, labels, priorPrecision: prior });
    return inClaimedDirectory(options, async () => {
      const { fittingEmulator } = await import('../../../serve/emulator-transport.js');
      const fitting = fittingEmulator(Math.max(inputs.columns, Math.min(inputs.rows, ROWS_MAX)));
      const boards = boardsOf({ ...options, calibration: undefined }, fitting);
      const drawn = await drawChains(onBoard, boards, draws, seed, async (board, use) => ({
        ...(await drawLogistic(board, { posterior, draws, ...use })),
        // The share of carried rounding is not known for an element that saturates.
        carryNoiseShare: 0,
      }));
      const chains = drawn.chains.map((chain) => chain.draws);
      const exact = options.exact ? exactRun(posterior, draws * boards.length, seed) : undefined;
      const parameters = summarizeParameters(names, chains, exact);
      const facts = {
        ...factsOf(parameters, drawn, exact),
        priorPrecision: prior,
        classes,
        mode: [...posterior.mode],
        ...(exact && { gradientsPerEffectiveDraw: exact.gradients / exact.essMin }),
        scales: { features: design.scales },
      };
      const title = `P(${options.target} = ${classes[1]}) by logistic regression`;
      const predictions = predict(chains, inputs, labels);
      writePosterior(out, {
        model: 'logistic',
        parameter: 'beta',
        names,
        chains,
        logDensities: chains.map((chain) => logDensities(posterior, chain)),
        boardSeconds: drawn.chains.map(({ cost }) => cost.boardSeconds),
        seed,
        summary: { writtenBy: 'thermolink posterior logistic', ...facts },
        pictures: {
          'marginals.svg': marginalsFigure(
            `Marginals: ${title}`,
            names,
            chains,
            exact && { draws: exact.columns },
          ),
          'traces.svg': tracesFigure(`Traces: ${title}`, names, chains),
          'predictive.svg': predictiveFigure(
            title,
            `P(${classes[1]})`,
            predictions,
            'dots: the observations; bands: of the probability',
          ),
        },
      });
      const laplaceError = Math.max(
        ...parameters.map(({ mean, sd }, i) => Math.abs(mean - posterior.mode[i]) / sd),
      );
      const rows = [
        [
          'observations',
          `${counted(inputs.rows, 'row')}, ${formatPercent(labels.reduce((sum, label) => sum + label, 0) / labels.length)} are ${classes[1]}`,
        ],
        ['mode, from the mean', `up to ${formatNumber(laplaceError, 2)} posterior standard deviations`],
        ...(exact === undefined
          ? []
          : [
              [
                'gradients of the host’s sampler',
                `${formatNumber(exact.gradients / exact.essMin, 2)} an effective draw`,
              ],
            ]),
      ];
      return {
        json: { out, ...facts },
        text: reportText(facts, rows, out),
        warnings: posteriorWarnings(facts),
      };
    });
  },
});

/**
 * 0 and 1 for the two values of the target, and the values. Errors: BAD_ARGUMENT for another number of them.
 */
function labelsOf(
  { table, target }: Design,
  name: string,
  positive: string | undefined,
): { readonly labels: Float64Array; readonly classes: readonly [string, string] } {
  const texts = textsOf(table, target);
  const values = [...new Set(texts)].sort();
  const shown = values.length > 6 ? [...values.slice(0, 6), '…'] : values;
  if (values.length !== 2 || values.includes(''))
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `\`target\`: column ${name} has ${counted(values.length, 'value')} (${shown.join(', ')}); a logistic regression needs two.`,
      { hint: 'Leave the rows of other classes out.', data: { name, values: shown } },
    );
  const last = positive ?? values[1];
  if (!values.includes(last))
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `\`positive\` is ${last}; column ${name} has ${values.join(' and ')}.`,
      {
        hint: 'Name one of them.',
      },
    );
  const first = values.find((value) => value !== last)!;
  return { labels: Float64Array.from(texts, (text) => (text === last ? 1 : 0)), classes: [first, last] };
}

/** Hamiltonian Monte Carlo on the host: moments, draws by columns, gradients, time. */
function exactRun(posterior: LogisticPosterior, draws: number, seed: number) {
  const start = performance.now();
  const { draws: found, gradients } = drawHamiltonian(posterior, draws, { seed, step: 0, block: 0 });
  const hostSeconds = (performance.now() - start) / 1000;
  const columns = Array.from(posterior.mode, (_unused, j) => columnOf([found], j));
  const summaries = columns.map((column) => summarizeDraws([column]));
  return {
    mean: summaries.map(({ mean }) => mean),
    sd: summaries.map(({ sd }) => sd),
    essMin: Math.min(...summaries.map(({ essBulk }) => essBulk)),
    columns,
    gradients,
    hostSeconds,
  };
}

function logDensities(posterior: LogisticPosterior, { rows, columns, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_unused, k) =>
    logisticLogDensity(posterior, data.subarray(k * columns, (k + 1) * columns)),
  );
}

/** The probability of every observation over the draws. */
function predict(chains: readonly Matrix[], inputs: Matrix, labels: Float64Array): Prediction[] {
  const { columns } = inputs;
  const all = chains.flatMap(({ rows, data }) =>
    Array.from({ length: rows }, (_unused, k) => data.subarray(k * columns, (k + 1) * columns)),
  );
  const stride = Math.ceil(all.length / PREDICTIVE_DRAWS_MAX);
  const used = all.filter((_unused, k) => k % stride === 0);
  return Array.from(labels, (observed, i) => {
    const row = inputs.data.subarray(i * columns, (i + 1) * columns);
    const values = Float64Array.from(used, (draw) => logistic(dot(row, draw))).sort();
    return {
      observed,
      median: quantileOf(values, 0.5),
      q5: quantileOf(values, 0.05),
      q95: quantileOf(values, 0.95),
    };
  });
}
