import { parseDeviceUri } from '../../../connect.js';
import { ThermolinkError } from '../../../errors.js';
import { deviceUri } from '../../device.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { flag, option } from '../../options/option.js';
import { choice, positiveInteger, positiveNumber } from '../../options/values.js';

const CHAINS_MAX = 64;

/** The options that all commands for chains have. */
export const CHAINS = {
  chains: option('--chains <n>', 'number of chains, each from another board if possible', {
    value: positiveInteger(CHAINS_MAX),
    default: 4,
  }),
  draws: option('--draws <n>', 'draws of each chain', { value: positiveInteger(1_000_000), default: 1000 }),
  out: option('--out <dir>', 'write draws, summary and pictures here; --json alone prints the summary', {
    file: 'own',
  }),
  overwrite: flag('--overwrite', 'replace the draws in --out'),
  exact: flag('--exact', 'also run a sampler on the host, and compare with it'),
  boards: option(
    '--boards <uris>',
    'boards of the chains, separated by blanks, used in turn (default: --device; if emulated, another die for each chain)',
  ),
  ...SEED,
};

/** Options of Gaussian posteriors, which a calibration can improve. */
export const POSTERIOR = { ...CHAINS, ...CALIBRATION };

/** The mean around which the draws lie: `mean` of `PosteriorChainRequest`. */
const MEANS = ['refined', 'board'] as const;

/** The option of the commands whose posterior is a Gaussian. */
export const MEAN = {
  mean: option(
    '--mean <which>',
    'refined: the host refines the mean; board: the draws are readings of the driven board',
    {
      value: choice(MEANS),
      default: 'refined' as (typeof MEANS)[number],
    },
  ),
};

/** The option of the commands whose boards can add their draws up. */
export const MOMENTS = {
  moments: flag(
    '--moments',
    'let the boards sum up their draws; only means, errors and effective sample sizes are sent to the host',
  ),
};

/** The options about data. */
export const DATA = {
  data: option('--data <file>', 'a table of text (.csv …) whose first line names the columns', {
    file: 'input',
    required: true,
  }),
  target: option('--target <name>', 'the column to explain', { required: true }),
  features: option(
    '--features <names>',
    'the columns that explain it, separated by commas (default: all others)',
  ),
  prior: option('--prior <p>', 'precision of the prior of every coefficient', {
    value: positiveNumber,
    default: 1,
    libraryName: 'priorPrecision',
  }),
};

/** The options that `boardsOf` reads. */
interface ChainOptions {
  readonly chains: number;
  readonly boards: string | undefined;
  readonly device: string | undefined;
  readonly calibration: string | undefined;
}

/**
 * The URI of the board of each chain. Named boards are used in turn. Without names every chain gets another
 * die of an emulated board, so that R-hat shows the differences of dies. Any other board, or one with a
 * calibration, makes all chains.
 *
 * Errors: BAD_ARGUMENT for --boards beside --device or --calibration; BAD_DEVICE_URI; UNKNOWN_PROFILE.
 */
export function boardsOf(options: ChainOptions, fitting: string): string[] {
  const { chains, boards, device, calibration } = options;
  const numbers = Array.from({ length: chains }, (_, k) => k);
  if (boards === undefined) {
    const uri = deviceUri(device, fitting);
    return numbers.map((k) => (calibration === undefined ? withOtherDie(uri, k) : uri));
  }
  if (device !== undefined || calibration !== undefined)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `--boards and ${device === undefined ? '--calibration' : '--device'} exclude each other.`,
      { hint: 'A calibration belongs to one board: name that one by --device.' },
    );
  const named = boards.split(/[\s,]+(?=[a-z][a-z0-9+.-]*:)/i).map((uri) => uri.trim());
  for (const uri of named) parseDeviceUri(uri);
  return numbers.map((k) => named[k % named.length]);
}

/** The same emulated board with a die seed that is larger by `more`. Other boards do not change. */
function withOtherDie(uri: string, more: number): string {
  const address = parseDeviceUri(uri);
  if (more === 0 || address.kind !== 'emulator') return uri;
  const [path, query = ''] = uri.split('?');
  const others = query.split('&').filter((pair) => pair !== '' && !pair.startsWith('die='));
  return `${path}?${[...others, `die=${(address.dieSeed + more) % 2 ** 32}`].join('&')}`;
}
