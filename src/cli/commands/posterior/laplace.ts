import { join } from 'node:path';
import {
  areaUnderRoc,
  entropies,
  meanProbabilities,
  type ProbabilityScores,
  scoreProbabilities,
} from '../../../algorithms/posterior/calibration-scores.js';
import {
  drawExactLaplace,
  drawLaplace,
  type LaplacePosterior,
  laplacePosterior,
} from '../../../algorithms/posterior/laplace.js';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile, replaceWith } from '../../../files/replace-file.js';
import { npyHeader } from '../../../files/write-npy.js';
import { loadDataset } from '../../../learning/data/load-dataset.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { counted, formatBytes, formatNumber, formatPercent, formatSeconds } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import { boardCommand } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { flag, option } from '../../options/option.js';
import { positiveInteger, positiveNumber } from '../../options/values.js';
import {
  boardWarnings,
  carryNoiseRows,
  repeatRows,
  UNCALIBRATED_BOARD,
} from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { inClaimedDirectory } from './output-directory.js';
import { examplesBetween, lastLayerOf, lastWeights, readTrainedNetwork } from './trained-network.js';

/** Precisions of the prior that are tried on the validation examples. */
const PRIORS = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000];
/** Temperatures that are tried on them: 0.5 to 8. */
const TEMPERATURES = Array.from({ length: 113 }, (_, k) => 0.5 * 16 ** (k / 112));
/** How many networks are drawn to score each candidate prior. */
const CHOOSING_NETWORKS = 20;

export const command = boardCommand({
  options: {
    training: option('--training <dir>', 'a directory that `thermolink train mnist` wrote', {
      file: 'input',
      required: true,
    }),
    data: option('--data <dir>', 'the directory of IDX files that it was trained on (default: MNIST)', {
      file: 'input',
    }),
    ood: option(
      '--ood <dir>',
      'a directory of IDX files of other images, of which the network should be unsure',
      {
        file: 'input',
      },
    ),
    networks: option('--networks <n>', 'how many networks to draw', {
      value: positiveInteger(10_000),
      default: 50,
    }),
    prior: option(
      '--prior <p>',
      'precision of the prior of a weight (default: chosen on the validation examples)',
      {
        value: positiveNumber,
        libraryName: 'priorPrecision',
      },
    ),
    validation: option(
      '--validation <n>',
      'examples that choose the prior and the temperature; they follow those of the training',
      {
        value: positiveInteger(),
        default: 2000,
      },
    ),
    out: option(
      '--out <dir>',
      'write networks, summary and the picture here; --json alone prints the summary',
      {
        file: 'own',
      },
    ),
    overwrite: flag('--overwrite', 'replace the networks in --out'),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  thermolink train mnist --hidden 100 --optimizer sgd --train-size 1000 --epochs 100 --out trained/small
  thermolink posterior laplace --training trained/small --out laplace

For comparison it also prints draws of the host (Cholesky) and temperature scaling: see docs/how-to/draw-from-a-posterior.md.`,
  async run(options, onBoard) {
    const { out, networks: count, seed } = options;
    const data = loadDataset(
      options.data === undefined ? { kind: 'mnist' } : { kind: 'directory', directory: options.data },
    );
    const trained = readTrainedNetwork(options.training, data);
    const weights = lastWeights(trained);
    const validation = validationOf(data.train, trained.trainSize, options.validation);
    const strange = options.ood === undefined ? undefined : strangeImages(options.ood, data);
    return inClaimedDirectory(options, async () => {
      const layer = { weights, ...lastLayerOf(trained, examplesBetween(data.train, 0, trained.trainSize)) };
      const chosen = { ...lastLayerOf(trained, validation), labels: validation.labels };
      const priorPrecision = options.prior ?? bestPrior(layer, chosen, seed);
      const posterior = laplacePosterior(layer, priorPrecision);
      const calibration = await readCalibration(options.calibration, options.device);
      const worked = await onBoard(
        (board, { signal, show }) =>
          drawLaplace(board, {
            ...{ posterior, networks: count, calibration, signal },
            address: { seed, step: 0, block: 0 },
            onProgress: (done) => show(done, 'draws'),
          }),
        { cells: weights.columns, total: count * weights.rows },
      );
      const start = performance.now();
      const exact = drawExactLaplace(posterior, count, { seed, step: 0, block: 0 });
      const exactSeconds = (performance.now() - start) / 1000;
      const temperature = bestTemperature(weights, chosen);
      const test = { features: lastLayerOf(trained, data.test).features, labels: data.test.labels };
      const other = strange && lastLayerOf(trained, strange).features;
      const scored = (networks: readonly Matrix[], heat = 1): Scores => {
        const probabilities = meanProbabilities(test.features, networks, heat);
        return {
          ...scoreProbabilities(probabilities, test.labels),
          ...(other && {
            auroc: areaUnderRoc(
              entropies(probabilities),
              entropies(meanProbabilities(other, networks, heat)),
            ),
          }),
        };
      };
      const scores = {
        trained: scored([weights]),
        temperature: scored([weights], temperature),
        exact: scored(exact),
        board: scored(worked.result.networks),
      };
      const { cost, carryNoiseShare, isCovarianceKnown } = worked.result;
      const facts = {
        carryNoiseShare,
        clampedCodes: cost.clampedCodes,
        warnings: isCovarianceKnown ? [] : [UNCALIBRATED_BOARD],
      };
      const summary = {
        writtenBy: 'thermolink posterior laplace',
        networks: count,
        trainSize: trained.trainSize,
        validation: validation.count,
        priorPrecision,
        temperature,
        scores,
        ...facts,
        boardSeconds: cost.boardSeconds,
        uploadBytes: cost.uploadBytes,
        repeats: worked.repeats,
        device: worked.device,
        timing: { hostSeconds: worked.hostSeconds, exactSeconds },
      };
      if (out !== undefined) {
        writeNetworks(out, worked.result.networks);
        replaceFile(join(out, 'reliability.svg'), reliabilityFigure(scores));
        replaceFile(join(out, 'summary.json'), `${JSON.stringify(summary, undefined, 2)}\n`);
      }
      return {
        json: { out, ...summary },
        text:
          scoresText(scores, temperature, other !== undefined) +
          formatTable([
            [
              'trained on',
              `${counted(trained.trainSize, 'example')}; ${weights.rows}×${weights.columns} weights of the last layer are drawn`,
            ],
            [
              'precision of the prior',
              `${formatNumber(priorPrecision)}${options.prior === undefined ? `, chosen on ${counted(validation.count, 'example')}` : ''}`,
            ],
            ['networks', `${count} = ${counted(count * weights.rows, 'draw')}, written to ${out}`],
            ...carryNoiseRows(worked.result),
            ['uploaded', formatBytes(cost.uploadBytes)],
            ['board time (modelled)', formatSeconds(cost.boardSeconds)],
            ...repeatRows(worked),
            ['host time', formatSeconds(worked.hostSeconds)],
            ['host time of exact draws', formatSeconds(exactSeconds)],
            ['device', worked.device],
          ]),
        warnings: boardWarnings(facts),
      };
    });
  },
});

/**
 * Scores on the test examples. AUROC says how well the entropy separates these examples from other images.
 */
interface Scores extends ProbabilityScores {
  readonly auroc?: number;
}

/** The validation examples that choose the precision of the prior and the temperature. */
interface Chosen {
  readonly features: Matrix;
  readonly labels: Uint8Array;
}

type Named = 'trained' | 'temperature' | 'exact' | 'board';

type Images = ReturnType<typeof examplesBetween>;

/** Training examples that the training left out. Errors: BAD_ARGUMENT if there are too few. */
function validationOf(train: Images, trainSize: number, wanted: number): Images {
  if (trainSize + wanted <= train.count) return examplesBetween(train, trainSize, trainSize + wanted);
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `\`validation\` is ${wanted}, but the training left ${train.count - trainSize} of ${train.count} examples out.`,
    { hint: 'Choose fewer, or train on fewer examples (--train-size).', data: { trainSize, wanted } },
  );
}

/** The test images of another data set. Errors: BAD_DATASET for images of another size. */
function strangeImages(directory: string, { rows, columns }: ReturnType<typeof loadDataset>): Images {
  const other = loadDataset({ kind: 'directory', directory });
  if (other.rows === rows && other.columns === columns) return other.test;
  throw new ThermolinkError(
    'BAD_DATASET',
    `${directory} holds images of ${other.rows}×${other.columns} pixels; the network reads ${rows}×${columns}.`,
    { hint: 'Name images of the same size.', data: { directory } },
  );
}

/** The prior with the least loss on the validation examples, by draws of the host. */
function bestPrior(layer: Parameters<typeof laplacePosterior>[0], chosen: Chosen, seed: number): number {
  return best(PRIORS, (prior) => {
    const posterior: LaplacePosterior = laplacePosterior(layer, prior);
    const networks = drawExactLaplace(posterior, CHOOSING_NETWORKS, { seed, step: 1, block: 0 });
    return scoreProbabilities(meanProbabilities(chosen.features, networks), chosen.labels).logLoss;
  });
}

/** The temperature with the least loss on the validation examples. */
function bestTemperature(weights: Matrix, chosen: Chosen): number {
  return best(
    TEMPERATURES,
    (heat) => scoreProbabilities(meanProbabilities(chosen.features, [weights], heat), chosen.labels).logLoss,
  );
}

function best(candidates: readonly number[], loss: (candidate: number) => number): number {
  const losses = candidates.map(loss);
  return candidates[losses.indexOf(Math.min(...losses))];
}

function writeNetworks(directory: string, networks: readonly Matrix[]): void {
  const { rows, columns } = networks[0];
  replaceWith(join(directory, 'networks.npy'), [
    npyHeader(`(${networks.length}, ${rows}, ${columns})`),
    ...networks.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

const NAMES: Readonly<Record<Named, string>> = {
  trained: 'the trained network',
  temperature: 'temperature scaling',
  exact: 'exact draws',
  board: 'draws of the board',
};

function scoresText(scores: Readonly<Record<Named, Scores>>, temperature: number, hasOther: boolean): string {
  const header = ['', 'accuracy', 'NLL, nat', 'ECE', ...(hasOther ? ['AUROC'] : [])];
  const rows = (Object.keys(NAMES) as Named[]).map((name) => {
    const { accuracy, logLoss, calibrationError, auroc } = scores[name];
    return [
      name === 'temperature' ? `${NAMES[name]}, T = ${formatNumber(temperature)}` : NAMES[name],
      formatPercent(accuracy, 2),
      logLoss.toFixed(4),
      formatPercent(calibrationError, 2),
      ...(auroc === undefined ? [] : [auroc.toFixed(4)]),
    ];
  });
  return `${formatTable(rows, { header, align: ['left', 'point', 'point', 'point', 'point'] })}\n`;
}

/** Accuracy over confidence: on the diagonal the probabilities are right. */
function reliabilityFigure(scores: Readonly<Record<Named, Scores>>): string {
  return figure([
    lineChart({
      title: 'Reliability on the test examples',
      subtitle: 'above the diagonal the network doubts too much, below it too little',
      x: { label: 'confidence: mean probability of the most probable class', include: [0, 1] },
      y: { label: 'accuracy', include: [0, 1] },
      series: [
        ...(Object.keys(NAMES) as Named[]).map((name) => ({
          name: NAMES[name],
          points: scores[name].bins.map(({ confidence, accuracy }) => [confidence, accuracy] as const),
        })),
        {
          name: 'exact reliability',
          dashed: true,
          color: '#59636e',
          points: [
            [0, 0],
            [1, 1],
          ] as const,
        },
      ],
      plotHeightPx: 360,
    }),
  ]);
}
