import { join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import { figure } from '../../../plot/figure.js';
import { defineCommand } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { type OptionValues, option } from '../../options/option.js';
import { positiveInteger, u32 } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { type EnergyTraining, energyCharts } from '../train/energy-figure.js';
import { printAndDraw } from '../train/print-and-draw.js';
import { timeChart } from '../train/time-chart.js';
import { classifierCharts, type FigureTraining } from '../train/training-figure.js';
import { comparisonText, medianStepSeconds } from './comparison-text.js';
import { COMPARISON, claimDemoDirectory } from './demo-directory.js';
import {
  CHAIN_METHODS,
  type ChainResults,
  chainDirectory,
  DIGITS_METHODS,
  digitsDirectory,
  trainChain,
  trainDigits,
} from './demo-trainings.js';

/** The trainings, by the names of their directories. */
const TRAININGS = [...CHAIN_METHODS.map(chainDirectory), ...DIGITS_METHODS.map(digitsDirectory)];

const OPTIONS = {
  trainSize: option('--train-size <n>', 'train on the first n digits, of 60,000', {
    value: positiveInteger(),
    default: 30_000,
  }),
  // The rates were searched on seed 0.
  seed: option('--seed <s>', 'seed of parameters, order, samples and noise', { value: u32, default: 1 }),
  out: option('--out <dir>', 'where the trainings are stored; replaces those of an earlier demo', {
    default: 'runs/demo',
  }),
  ...JSON_OUTPUT,
};

type DemoOptions = OptionValues<typeof OPTIONS>;

export const command = defineCommand({
  options: OPTIONS,
  example: `
Example:
  thermolink demo --train-size 6400

Trains a quantum chain and a classifier of digits, each by the board and by digital optimizers. The curvature of the
board wins on the chain, and does not win on the digits.`,
  async run(options) {
    const release = claimDemoDirectory(options.out, TRAININGS);
    try {
      const results = await withInterrupt((signal) => trainAll(options, signal), {
        onInterrupt: () => process.stderr.write('\nstopping …\n'),
      });
      compare(options, results);
    } finally {
      release();
    }
  },
});

interface Results {
  readonly chain: ChainResults;
  readonly digits: readonly FigureTraining[];
}

async function trainAll(options: DemoOptions, signal: AbortSignal): Promise<Results> {
  const { out, seed, trainSize } = options;
  const request = { out, seed, trainSize, quiet: options.json === true };
  const chain = await trainChain(request, signal);
  return { chain, digits: await trainDigits(request, signal) };
}

function compare(options: DemoOptions, { chain, digits }: Results): void {
  const picture = join(options.out, COMPARISON);
  const charts = [
    ...energyCharts(chain.groundEnergy, chain.trainings, ', quantum chain'),
    timeChart(chain.trainings, ', quantum chain'),
    ...classifierCharts(digits, ', digits'),
    timeChart(digits, ', digits'),
  ];
  const summaries = (trainings: readonly (EnergyTraining | FigureTraining)[]) =>
    Object.fromEntries(
      trainings.map(({ name, summary, records }) => [
        name,
        { ...summary, medianStepSeconds: medianStepSeconds(records) },
      ]),
    );
  printAndDraw({
    json: options.json === true,
    result: { chain: summaries(chain.trainings), digits: summaries(digits) },
    text: comparisonText(chain.trainings, digits),
    textAfter: `  Curves: ${picture}\n`,
    draw: () => replaceFile(picture, figure(charts, { title: 'A quantum chain and digits' })),
  });
}
