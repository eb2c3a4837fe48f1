import { quantileOf } from '../../../algorithms/posterior/diagnostics.js';
import { checkDesign, regressionPosterior } from '../../../algorithms/posterior/gaussian.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { numbersOf } from '../../../files/read-data-table.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { dot, matVec, matVecTransposed } from '../../../linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../../linalg/random.js';
import { directSolver } from '../../../linalg/woodbury.js';
import { counted, formatNumber, formatPercent } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { negation, option } from '../../options/option.js';
import { positiveNumber } from '../../options/values.js';
import { readDesign, scaleOf } from './design.js';
import { type Prediction, predictiveFigure } from './figures.js';
import {
  exactRun,
  gaussianChains,
  gaussianLogDensities,
  gaussianPictures,
  meanRow,
} from './gaussian-chains.js';
import { refuseCalibratedMoments, reportMoments } from './moments.js';
import { boardsOf, DATA, MEAN, MOMENTS, POSTERIOR } from './options.js';
import { inClaimedDirectory, writePosterior } from './output-directory.js';
import { factsOf, posteriorWarnings, reportText, summarizeParameters } from './report.js';

/** Rows of the largest emulated crossbar. */
const ROWS_MAX = 1024;
/** Largest number of draws that a quantile uses. More draws would not make it better. */
const PREDICTIVE_DRAWS_MAX = 1000;

export const command = boardCommand({
  options: {
    ...DATA,
    noiseSd: option(
      '--noise-sd <s>',
      'standard deviation of the noise of the target (default: of the residuals)',
      {
        value: positiveNumber,
      },
    ),
    standardize: negation(
      '--no-standardize',
      'leave columns as they are (default: features and target get mean 0 and standard deviation 1)',
    ),
    ...MEAN,
    ...MOMENTS,
    ...POSTERIOR,
  },
  example: `
Example:
  thermolink posterior linear --data cars.csv --target price --exact --out cars

A host that factorises XᵀX draws exactly, and faster than a board with its link: see docs/how-to/draw-from-a-posterior.md.`,
  async run(options, onBoard) {
    refuseCalibratedMoments(options);
    const { out, draws, seed, prior, standardize } = options;
    const design = await readDesign(options);
    const { inputs, names, table, target } = design;
    const raw = numbersOf(table, [target]).data;
    const scale = scaleOf(options.target, raw, standardize);
    const targets = raw.map((value) => (value - scale.mean) / scale.sd);
    checkDesign(inputs, targets, names);
    const noiseSd = options.noiseSd ?? residualSd(inputs, targets);
    const problem = { inputs, targets, noiseSd, priorPrecision: prior };
    const posterior = regressionPosterior(problem);
    return inClaimedDirectory(options, async () => {
      const { fittingEmulator } = await import('../../../serve/emulator-transport.js');
      const fitting = fittingEmulator(Math.max(inputs.columns, Math.min(inputs.rows, ROWS_MAX)));
      const boards = boardsOf(options, fitting);
      const posteriorFor = ({ identity }: Device) =>
        inputs.rows <= identity.rows
          ? posterior
          : regressionPosterior({ ...problem, rowsMax: identity.rows });
      const settings = {
        noiseSd,
        priorPrecision: prior,
        scales: { target: scale, features: design.scales },
      };
      const seen = [
        [
          'observations',
          `${counted(inputs.rows, 'row')}, ${counted(names.length, 'coefficient')}${standardize ? ', standardised' : ''}`,
        ],
        [
          'noise of the target',
          `${formatNumber(noiseSd)}${options.noiseSd === undefined ? ', that of the residuals' : ''}`,
        ],
      ];
      if (options.moments === true)
        return reportMoments(onBoard, boards, options, {
          model: 'linear',
          names,
          posterior,
          posteriorFor,
          facts: settings,
          rows: seen,
        });
      const drawn = await gaussianChains(onBoard, boards, options, posteriorFor);
      const exact = options.exact ? exactRun(posterior, draws * boards.length, seed) : undefined;
      const chains = drawn.chains.map((chain) => chain.draws);
      const parameters = summarizeParameters(names, chains, exact);
      const predictions = predict(chains, inputs, targets, noiseSd, seed);
      const coverage =
        predictions.filter(({ observed, q5, q95 }) => observed >= q5 && observed <= q95).length /
        predictions.length;
      const facts = {
        ...factsOf(parameters, drawn, exact),
        ...settings,
        meanErrorBound: Math.max(...drawn.chains.map(({ meanErrorBound }) => meanErrorBound)),
        predictiveCoverage: coverage,
      };
      const title = `${options.target} by linear regression`;
      writePosterior(out, {
        model: 'linear',
        parameter: 'beta',
        names,
        chains,
        logDensities: gaussianLogDensities(posterior, drawn.chains),
        boardSeconds: drawn.chains.map(({ cost }) => cost.boardSeconds),
        seed,
        summary: { writtenBy: 'thermolink posterior linear', ...facts },
        pictures: {
          ...gaussianPictures(title, names, chains, exact),
          'predictive.svg': predictiveFigure(
            title,
            standardize ? `${options.target}, standardised` : options.target,
            predictions,
            `${formatPercent(coverage)} of the observations lie between the 5 % and the 95 % quantile`,
          ),
        },
      });
      const rows = [
        ...seen,
        meanRow(drawn.chains, options.mean),
        ['observations within the 90 % bands', formatPercent(coverage)],
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
 * The standard deviation of the residuals of least squares. Errors: BAD_ARGUMENT if the columns explain every
 * target.
 */
function residualSd(inputs: Matrix, targets: Float64Array): number {
  const { rows, columns } = inputs;
  const solve = directSolver({ kind: 'factored', factor: inputs, damping: 0 });
  const fit = solve && rows > columns ? matVec(inputs, solve(matVecTransposed(inputs, targets))) : undefined;
  const sum = fit?.reduce((total, value, i) => total + (targets[i] - value) ** 2, 0) ?? 0;
  const spread = targets.reduce((total, value) => total + value ** 2, 0);
  if (fit !== undefined && sum > 1e-20 * spread) return Math.sqrt(sum / (rows - columns));
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${counted(rows, 'observation')} are explained by ${counted(columns, 'coefficient')} without a residual, so \`noiseSd\` must be given.`,
    { hint: 'Say how large the noise of the target is, in its units after standardising.' },
  );
}

/** The prediction of every observation by the draws, including its noise. */
function predict(
  chains: readonly Matrix[],
  inputs: Matrix,
  targets: Float64Array,
  noiseSd: number,
  seed: number,
): Prediction[] {
  const random = randomSource({ seed, stream: RANDOM_STREAM.exactPosterior, step: 1 });
  const { columns } = inputs;
  const all = chains.flatMap(({ rows, data }) =>
    Array.from({ length: rows }, (_, k) => data.subarray(k * columns, (k + 1) * columns)),
  );
  const stride = Math.ceil(all.length / PREDICTIVE_DRAWS_MAX);
  const used = all.filter((_, k) => k % stride === 0);
  return Array.from(targets, (observed, i) => {
    const row = inputs.data.subarray(i * columns, (i + 1) * columns);
    const values = Float64Array.from(used, (draw) => dot(row, draw) + noiseSd * random.normal()).sort();
    return {
      observed,
      median: quantileOf(values, 0.5),
      q5: quantileOf(values, 0.05),
      q95: quantileOf(values, 0.95),
    };
  });
}
