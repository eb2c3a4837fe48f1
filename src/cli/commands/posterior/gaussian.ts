import { gaussianPosterior } from '../../../algorithms/posterior/gaussian.js';
import { checkSystem } from '../../../board/checked-system.js';
import { ThermolinkError } from '../../../errors.js';
import { READ_FORMATS, readMatrix, readSquareMatrix, readVector } from '../../../files/read-array.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { inverseOf } from '../../../linalg/woodbury.js';
import { counted } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { option } from '../../options/option.js';
import {
  exactRun,
  gaussianChains,
  gaussianLogDensities,
  gaussianPictures,
  meanRow,
} from './gaussian-chains.js';
import { refuseCalibratedMoments, reportMoments } from './moments.js';
import { boardsOf, MEAN, MOMENTS, POSTERIOR } from './options.js';
import { inClaimedDirectory, writePosterior } from './output-directory.js';
import { factsOf, posteriorWarnings, reportText, summarizeParameters } from './report.js';

export const command = boardCommand({
  options: {
    observations: option('--observations <file>', `the observations, one in each row, as ${READ_FORMATS}`, {
      file: 'input',
      required: true,
    }),
    priorMean: option('--prior-mean <file>', 'mean of the prior (default: 0)', { file: 'input' }),
    priorPrecision: option('--prior-precision <file>', 'inverse covariance of the prior', { file: 'input' }),
    priorCovariance: option('--prior-covariance <file>', 'covariance of the prior, inverted on the host', {
      file: 'input',
    }),
    noisePrecision: option('--noise-precision <file>', 'inverse covariance of one observation', {
      file: 'input',
    }),
    noiseCovariance: option(
      '--noise-covariance <file>',
      'covariance of one observation, inverted on the host',
      {
        file: 'input',
      },
    ),
    ...MEAN,
    ...MOMENTS,
    ...POSTERIOR,
  },
  example: `
Example:
  printf '1,0.5\\n0.5,1\\n' > prior.csv
  printf '0.2,0\\n0,0.1\\n' > noise.csv
  printf '0.3,-0.7\\n0.1,-0.4\\n' > seen.csv
  thermolink posterior gaussian --observations seen.csv --prior-covariance prior.csv --noise-covariance noise.csv --out posterior

The posterior of a Gaussian is exact on a host after one Cholesky factorisation: docs/how-to/draw-from-a-posterior.md.`,
  async run(options, onBoard) {
    refuseCalibratedMoments(options);
    const { out, draws, seed } = options;
    const observations = await readMatrix(options.observations);
    const priorPrecision = await readPrecision('prior', options.priorPrecision, options.priorCovariance);
    const noisePrecision = await readPrecision('noise', options.noisePrecision, options.noiseCovariance);
    const priorMean =
      options.priorMean === undefined
        ? new Float64Array(observations.columns)
        : await readVector(options.priorMean);
    const posterior = gaussianPosterior({ observations, priorMean, priorPrecision, noisePrecision });
    const size = posterior.drive.length;
    return inClaimedDirectory(options, async () => {
      const { fittingEmulator } = await import('../../../serve/emulator-transport.js');
      const boards = boardsOf(options, fittingEmulator(size));
      const names = Array.from({ length: size }, (_, k) => `theta ${k + 1}`);
      const seen = [['observations', counted(observations.rows, 'row')]];
      if (options.moments === true)
        return reportMoments(onBoard, boards, options, {
          ...{ model: 'gaussian', names, posterior, facts: {}, rows: seen },
          posteriorFor: () => posterior,
        });
      const drawn = await gaussianChains(onBoard, boards, options, () => posterior);
      const exact = options.exact ? exactRun(posterior, draws * boards.length, seed) : undefined;
      const chains = drawn.chains.map((chain) => chain.draws);
      const facts = {
        ...factsOf(summarizeParameters(names, chains, exact), drawn, exact),
        meanErrorBound: Math.max(...drawn.chains.map(({ meanErrorBound }) => meanErrorBound)),
      };
      writePosterior(out, {
        model: 'gaussian',
        parameter: 'theta',
        names,
        chains,
        logDensities: gaussianLogDensities(posterior, drawn.chains),
        boardSeconds: drawn.chains.map(({ cost }) => cost.boardSeconds),
        seed,
        summary: { writtenBy: 'thermolink posterior gaussian', ...facts },
        pictures: gaussianPictures('Gaussian posterior', names, chains, exact),
      });
      const rows = [...seen, meanRow(drawn.chains, options.mean)];
      return {
        json: { out, ...facts },
        text: reportText(facts, rows, out),
        warnings: posteriorWarnings(facts),
      };
    });
  },
});

/**
 * A precision matrix from one of two files. Errors: BAD_ARGUMENT if neither or both are given; those of the
 * file.
 */
async function readPrecision(
  part: 'prior' | 'noise',
  precision: string | undefined,
  covariance: string | undefined,
): Promise<Matrix> {
  if ((precision === undefined) === (covariance === undefined))
    throw new ThermolinkError('BAD_ARGUMENT', `Give one of --${part}-precision and --${part}-covariance.`, {
      hint: 'A precision is the inverse of a covariance.',
    });
  if (precision !== undefined) return readSquareMatrix(precision);
  const given = await readSquareMatrix(covariance!);
  // This refuses a matrix that is not symmetric, since an inversion would read only one half.
  checkSystem({ kind: 'dense', matrix: given });
  const inverse = inverseOf(given);
  if (inverse !== undefined) return inverse;
  throw new ThermolinkError(
    'NOT_POSITIVE_DEFINITE',
    `${covariance} holds no covariance: it is not positive definite.`,
    {
      hint: 'A covariance is symmetric, and all its eigenvalues are above 0.',
      data: { path: covariance },
    },
  );
}
