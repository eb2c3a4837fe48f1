import { Command, CommanderError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  choice,
  fractionBelowOne,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  tolerance,
  u32,
  type ValueParser,
} from '../../src/cli/options/values.js';
import { throwUsageErrors } from '../../src/cli/usage.js';
import { ThermolinkError } from '../../src/errors.js';
import { thrown } from './support/thrown.js';

const PARSERS: readonly (readonly [string, ValueParser<number>, readonly string[], readonly string[]])[] = [
  [
    'positive integer',
    positiveInteger(),
    ['1', '+7', '007', '9007199254740991'],
    ['0', '-3', '9007199254740992'],
  ],
  ['positive integer with a bound', positiveInteger(64), ['64'], ['65']],
  ['seed', u32, ['0', '-0', '4294967295'], ['4294967296', '-1']],
  ['positive number', positiveNumber, ['.5', '1e-3', '2.'], ['0', '-1', '0.0', '1e-999']],
  ['non-negative number', nonNegativeNumber, ['0', '0e5', '3'], ['-1e-9', '1e-999']],
  ['fraction below one', fractionBelowOne, ['0', '0.999', '0.5'], ['1', '1.0001', '-0.1']],
  ['tolerance', tolerance, ['0.5', '1e-2'], ['0', '1']],
];
const INTEGER_KINDS = PARSERS.slice(0, 3);

describe('numbers after options', () => {
  it.each(PARSERS)('%s', async (_, parse, good, bad) => {
    for (const text of good) expect(parse(text, '--n')).toBe(Number(text) + 0);
    const never = [
      '',
      ' ',
      ' 5',
      '5 ',
      '5\n',
      'NaN',
      'nan',
      'Infinity',
      '-inf',
      '1e',
      'e5',
      '.',
      '-',
      '0x10',
      '1_0',
    ];
    const alsoNever = ['1,5', '١', '--n', '1e999', '1'.repeat(400), 'five', '0b1', '1 2', 'null'];
    for (const text of [...bad, ...never, ...alsoNever]) {
      const error = await thrown(() => parse(text, '--n'));
      expect(error.code).toBe('BAD_ARGUMENT');
      expect(error.message).toMatch(/^--n takes .*, but was given .*\.$/);
      expect(error.data).toMatchObject({ option: '--n', given: text.length > 40 ? expect.anything() : text });
      expect(error.message.length).toBeLessThan(160);
    }
  });

  it.each(INTEGER_KINDS)('%s takes no other way to write a whole number', async (_, parse) => {
    for (const text of ['1.0', '1e2', '1.'])
      expect((await thrown(() => parse(text, '--n'))).code).toBe('BAD_ARGUMENT');
  });

  it('for any text, a parsed value is in its range', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)), (text) => {
        for (const [name, parse] of PARSERS) {
          try {
            const value = parse(text, '--n');
            expect(Number.isFinite(value) && value >= 0).toBe(true);
            if (name.startsWith('positive')) expect(value).toBeGreaterThan(0);
            if (name.includes('fraction')) expect(value).toBeLessThanOrEqual(1);
          } catch (error) {
            if (!(error instanceof ThermolinkError)) throw error;
          }
        }
      }),
    );
  });

  it('says exactly what is wrong', async () => {
    expect((await thrown(() => positiveInteger(60_000)('-3', '--batch'))).message).toBe(
      '--batch takes a whole number from 1 to 60,000, but was given "-3".',
    );
    // The parser does not know the size of the data set, so the message names no upper bound.
    expect((await thrown(() => positiveInteger()('0', '--epochs'))).message).toBe(
      '--epochs takes a whole number of at least 1, but was given "0".',
    );
    expect((await thrown(() => positiveInteger()('99999999999999999999', '--epochs'))).message).toBe(
      '--epochs takes a smaller whole number, but was given "99999999999999999999".',
    );
    expect((await thrown(() => fractionBelowOne('1', '--momentum'))).message).toBe(
      '--momentum takes a number from 0 and below 1, but was given "1".',
    );
    expect((await thrown(() => u32('', '--seed'))).message).toBe(
      '--seed takes a whole number from 0 to 4,294,967,295, but was given nothing.',
    );
  });

  it('a choice is one of its words', async () => {
    const parse = choice(['keep', 'gradient', 'zero']);
    expect(parse('keep', '--x0') satisfies 'keep' | 'gradient' | 'zero').toBe('keep');
    for (const text of ['Keep', '', 'keep ', 'toString'])
      expect((await thrown(() => parse(text, '--n'))).message).toContain('one of keep, gradient, zero');
  });
});

describe('a program', () => {
  function program(): { program: Command; output: string[] } {
    const output: string[] = [];
    const root = new Command('thermolink').version('1.2.3');
    const writeOut = (text: string) => output.push(text);
    root.configureOutput({ writeOut, writeErr: writeOut });
    root
      .command('train <dataset>')
      .option('--epochs <E>', 'passes', (text) => positiveInteger()(text, '--epochs'))
      .action(() => {});
    throwUsageErrors(root);
    return { program: root, output };
  }
  const run = (...words: string[]) => program().program.parseAsync(['node', 'thermolink', ...words]);

  it.each([
    [['train', 'mnist', '--epochs', '-3'], '--epochs takes'],
    [['train', 'mnist', '--epochs='], '--epochs takes'],
    [['train', 'mnist', '--epochs'], 'argument missing'],
    [['train', 'mnist', '--epoch', '3'], 'Did you mean --epochs?'],
    [['train'], "missing required argument 'dataset'"],
    [['train', 'a', 'b'], 'too many arguments'],
    [['trian'], "unknown command 'trian'"],
  ])('%j is BAD_ARGUMENT', async (words, message) => {
    const error = await thrown(() => run(...words));
    expect(error.code).toBe('BAD_ARGUMENT');
    expect(error.message).toContain(message);
    if (words[0] === 'train' && !message.startsWith('--'))
      expect(error.hint).toBe('See thermolink train --help.');
  });

  it('prints nothing but help and version itself', async () => {
    for (const words of [['--help'], ['--version'], ['train', '--help'], ['train', '--nonsense']]) {
      const { program: root, output } = program();
      const ended = root.parseAsync(['node', 'thermolink', ...words]);
      await expect(ended).rejects.toBeInstanceOf(
        words[1] === '--nonsense' ? ThermolinkError : CommanderError,
      );
      expect(output.length > 0).toBe(words[1] !== '--nonsense');
    }
  });
});
