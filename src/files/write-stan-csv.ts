import { ThermolinkError } from '../errors.js';
import type { Matrix } from '../linalg/matrix.js';
import { replaceWith } from './replace-file.js';

/** One chain as a file of CmdStan. */
export interface StanChain {
  /** The chain's number, from 1. */
  readonly id: number;
  /** A word for the model, such as `linear`. */
  readonly model: string;
  /** The base name of the parameters: its columns are `name.1`, `name.2` … */
  readonly parameter: string;
  /** The name of each column in the data, for the comments. */
  readonly columnNames: readonly string[];
  /** draws × N. */
  readonly draws: Matrix;
  /** ln of the density at each draw, without its constant. */
  readonly logDensity: Float64Array;
  readonly seed: number;
  /** Time of the board in s, modelled. */
  readonly boardSeconds: number;
}

/** The version of CmdStan whose format this is. */
const STAN_VERSION = [2, 33, 0] as const;

/**
 * Writes a chain as CmdStan writes it, so that ArviZ, CmdStanPy, R's posterior and rstan read it: comments
 * with the settings, a header, and one line for each draw with enough digits to read back every bit. The
 * method is `fixed_param`, because no step size was adapted. Replaces the file at once.
 *
 * Errors: BAD_FILE.
 */
export function writeStanCsv(path: string, chain: StanChain): void {
  try {
    replaceWith(path, linesOf(chain));
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${path} can't be written.`, {
      cause,
      hint: 'Make room on the disk, or remove what is in the way.',
      data: { file: path },
    });
  }
}

function* linesOf(chain: StanChain): Generator<string> {
  const { id, model, parameter, columnNames, draws, logDensity, seed, boardSeconds } = chain;
  const [major, minor, patch] = STAN_VERSION;
  const settings = [
    `stan_version_major = ${major}`,
    `stan_version_minor = ${minor}`,
    `stan_version_patch = ${patch}`,
    `model = ${model}`,
    'method = sample (Default)',
    '  sample',
    `    num_samples = ${draws.rows}`,
    '    num_warmup = 0',
    '    save_warmup = 0 (Default)',
    '    thin = 1 (Default)',
    '    adapt',
    '      engaged = 0',
    '    algorithm = fixed_param',
    '    num_chains = 1 (Default)',
    `id = ${id}`,
    'data',
    '  file =  (Default)',
    'init = 2 (Default)',
    'random',
    `  seed = ${seed}`,
    'written by thermolink',
    ...columnNames.map((name, k) => `${parameter}.${k + 1} is ${name.replace(/\s+/g, ' ')}`),
  ];
  yield settings.map((setting) => `# ${setting}\n`).join('');
  const names = columnNames.map((_, k) => `${parameter}.${k + 1}`);
  yield `${['lp__', 'accept_stat__', ...names].join(',')}\n`;
  const width = draws.columns;
  for (let k = 0; k < draws.rows; k++)
    yield `${logDensity[k]},1,${draws.data.subarray(k * width, (k + 1) * width).join(',')}\n`;
  yield `# \n#  Elapsed Time: 0 seconds (Warm-up)\n#                ${boardSeconds} seconds (Sampling)\n#                ${boardSeconds} seconds (Total)\n# \n`;
}
