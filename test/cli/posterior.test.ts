import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { randomSource } from '../../src/linalg/random.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { readStanCsv } from '../support/stan-csv.js';

let directory: string;
const file = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-posterior-'));
  const random = randomSource({ seed: 1, stream: 0 });
  const rows = Array.from({ length: 24 }, () => {
    const [a, b] = [random.normal(), 10 + 3 * random.normal()];
    return [a, b, 5 + 2 * a - b + random.normal()].join(',');
  });
  writeFileSync(file('data.csv'), ['a,b,y', ...rows, ''].join('\n'));
  writeFileSync(file('collinear.csv'), 'a,b,y\n1,2,0\n2,4,1\n3,6,1\n5,10,2\n');
  writeFileSync(file('constant.csv'), 'a,b,y\n1,2,0\n1,4,1\n1,5,1\n');
  writeFileSync(file('cut.csv'), 'a,b,y\n1,2,0\n1,4');
  writeFileSync(file('prior.csv'), '1,0.5\n0.5,1\n');
  writeFileSync(file('noise.csv'), '0.2,0\n0,0.1\n');
  writeFileSync(file('seen.csv'), '0.3,-0.7\n0.1,-0.4\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const linear = (...more: string[]) =>
  runCommand('posterior', 'linear', '--data', file('data.csv'), '--target', 'y', ...more);

test('linear: prints means beside exact means, and writes draws, summary and pictures', async () => {
  const out = file('linear');
  const { stdout, stderr, exitCode } = await linear(
    '--out',
    out,
    '--exact',
    '--draws',
    '200',
    '--chains',
    '2',
  );
  expect(stderr).not.toMatch(/warning/);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/\(intercept\) .*\n +a .*\n +b /);
  expect(stdout).toMatch(/means +refined to within \d.* \(proved\)/);
  expect(stdout).toMatch(/boards +2 boards, from emulator:ideal-64 on/);
  expect(readdirSync(out).sort()).toEqual(
    [
      'chain-1.csv',
      'chain-2.csv',
      'draws.npy',
      'marginals.svg',
      'predictive.svg',
      'summary.json',
      'traces.svg',
    ].sort(),
  );
  const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
  expect(summary.boards).toEqual(['emulator:ideal-64', 'emulator:ideal-64?die=2']);
  // Each mean is of 400 draws. In one of 500,000 random seeds, any of the three means is wrong by more than
  // five standard errors.
  for (const { mean, mcse, exact } of summary.parameters)
    expect(Math.abs(mean - exact.mean)).toBeLessThan(5 * mcse + 0.01 * exact.sd);
  const chains = [1, 2].map((k) => readStanCsv(readFileSync(join(out, `chain-${k}.csv`), 'utf8')));
  expect(chains.map(({ settings }) => settings['id'])).toEqual(['1', '2']);
  const column = chains.flatMap(({ draws }) => draws.map((draw) => draw[3]));
  expect(column.reduce((sum, value) => sum + value, 0) / column.length).toBeCloseTo(
    summary.parameters[1].mean,
    12,
  );
  // The logarithm of a Gaussian density in three dimensions is a constant minus χ²₃/2, and the variance of
  // χ²₃/2 is 1.5. For 1 of 20,000 seeds the variance of 400 draws was outside these bounds.
  const densities = chains.flatMap(({ draws }) => draws.map(([density]) => density));
  const middle = densities.reduce((sum, value) => sum + value, 0) / densities.length;
  const variance = densities.reduce((sum, value) => sum + (value - middle) ** 2, 0) / densities.length;
  expect(variance).toBeGreaterThan(0.8);
  expect(variance).toBeLessThan(2.6);
});

test('gaussian: prints JSON that agrees with the formulas for two unknowns', async () => {
  const files = ['--prior-covariance', file('prior.csv'), '--noise-covariance', file('noise.csv')];
  const { stdout, exitCode } = await runCommand(
    ...['posterior', 'gaussian', '--observations', file('seen.csv'), ...files, '--out', file('gaussian')],
    ...['--exact', '--json', '--draws', '300'],
  );
  expect(exitCode).toBe(0);
  const { parameters, errors, meanErrorBound } = JSON.parse(stdout);
  // A = [[4/3 + 10, −2/3], [−2/3, 4/3 + 20]], b = [2, −11].
  const determinant = (4 / 3 + 10) * (4 / 3 + 20) - 4 / 9;
  expect(parameters[0].exact.mean).toBeCloseTo(((4 / 3 + 20) * 2 - (2 / 3) * 11) / determinant, 12);
  expect(parameters[0].exact.sd).toBeCloseTo(Math.sqrt((4 / 3 + 20) / determinant), 12);
  expect(meanErrorBound).toBeLessThan(0.01);
  // Both bounds are five standard errors of 1,200 draws.
  expect(errors.mean).toBeLessThan(0.16);
  expect(errors.sd).toBeLessThan(0.11);
});

test('logistic: takes classes as text, draws with the host’s sampler too, and writes its files', async () => {
  const out = file('logistic');
  const data = file('classes.csv');
  const rows = readFileSync(file('data.csv'), 'utf8').trim().split('\n').slice(1);
  const classes = rows.map((row, k) => row.replace(/,[^,]+$/, k % 3 === 0 ? ',no' : ',yes'));
  writeFileSync(data, ['a,b,answer', ...classes, ''].join('\n'));
  const asked = [
    '--data',
    data,
    '--target',
    'answer',
    '--out',
    out,
    '--exact',
    '--draws',
    '400',
    '--chains',
    '2',
  ];
  const { stdout, exitCode } = await runCommand('posterior', 'logistic', ...asked);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/24 rows, 66\.7 % are yes/);
  expect(stdout).toMatch(/gradients of the host’s sampler +\d.* an effective draw/);
  const { parameters, errors } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
  expect(parameters).toHaveLength(3);
  // Both bounds are five standard errors of the 800 draws of each sampler.
  expect(errors.mean).toBeLessThan(0.3);
  expect(errors.sd).toBeLessThan(0.25);
  expect(readStanCsv(readFileSync(join(out, 'chain-2.csv'), 'utf8')).draws).toHaveLength(400);
  const many = await runCommand(
    'posterior',
    'logistic',
    '--data',
    file('data.csv'),
    '--target',
    'y',
    '--out',
    file('no'),
  );
  expect(many.stderr).toMatch(/column y has 24 values/);
});

test('a refusal by the connected board leaves no empty directory, and no parent of it', async () => {
  writeFileSync(
    file('wide.csv'),
    `${Array.from({ length: 9 }, (_, k) => `c${k}`).join(',')},y\n${wideRows()}`,
  );
  const refused = ['--data', file('wide.csv'), '--target', 'y', '--device', 'emulator:ideal-8'];
  const out = ['--out', file('made/for/nothing')];
  const { stderr, exitCode } = await runCommand('posterior', 'linear', ...refused, ...out);
  expect(exitCode).not.toBe(0);
  expect(stderr).toMatch(/TOO_LARGE/);
  expect(existsSync(file('made'))).toBe(false);
  // A directory that existed before stays.
  mkdirSync(file('mine'));
  await runCommand('posterior', 'linear', ...refused, '--out', file('mine/made'));
  expect(readdirSync(file('mine'))).toEqual([]);
});

/** 30 rows of ten columns. */
function wideRows(): string {
  const random = randomSource({ seed: 2, stream: 0 });
  return Array.from({ length: 30 }, () => Array.from({ length: 10 }, () => random.normal()).join()).join(
    '\n',
  );
}

test('--moments prints the moments that the board adds up beside exact moments, and the bytes on the line', async () => {
  const out = file('moments');
  await linear('--out', out, '--draws', '64', '--chains', '2');
  const given = ['--out', out, '--overwrite', '--moments', '--exact', '--draws', '1000', '--chains', '2'];
  const { stdout, exitCode } = await linear(...given);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/draws +2 × 1,024, added up by the boards/);
  expect(stdout).toMatch(/effective sample size +at least \d,\d+, from 2 × 32 batches/);
  expect(stdout).toMatch(/bytes on the line +\S+ kB; the draws alone are 12\.3 kB/);
  // The draws of an earlier run are gone.
  expect(readdirSync(out)).toEqual(['summary.json']);
  const { parameters, lineBytes } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
  expect(lineBytes).toBeLessThan(2 * 3 * 2048);
  expect(parameters).toHaveLength(3);
  for (const { mean, mcse, sd, rHat, effectiveSampleSize, exact } of parameters) {
    // The standard error has 62 degrees of freedom. A correct mean exceeds six standard errors once in 10⁷
    // times.
    expect(Math.abs(mean - exact.mean)).toBeLessThan(6 * mcse + 0.01 * exact.sd);
    // The standard error of a standard deviation is 1/√(2·2048) = 1.6 %.
    expect(Math.abs(sd / exact.sd - 1)).toBeLessThan(0.1);
    expect(rHat).toBeLessThan(1.05);
    expect(effectiveSampleSize).toBeGreaterThan(500);
  }
  const calibrated = await linear('--out', file('none'), '--moments', '--calibration', file('prior.csv'));
  expect(calibrated.stderr).toMatch(/--calibration corrects each reading/);
  const few = await linear('--out', file('none'), '--moments', '--draws', '10');
  expect(few.stderr).toMatch(/the board adds up 64 to/);
  expect(existsSync(file('none'))).toBe(false);
});

test('a directory with draws is replaced only on request, and its old chains are removed', async () => {
  const out = file('again');
  expect((await linear('--out', out, '--draws', '8', '--chains', '3')).exitCode).toBe(0);
  const refused = await linear('--out', out, '--draws', '8', '--chains', '1');
  expect(refused.stderr).toMatch(/holds the draws of a posterior already[\s\S]*--overwrite/);
  expect((await linear('--out', out, '--draws', '8', '--chains', '1', '--overwrite')).exitCode).toBe(0);
  expect(readdirSync(out).filter((name) => name.startsWith('chain'))).toEqual(['chain-1.csv']);
});

describe('refused before a board is opened', () => {
  const run = (data: string, ...more: string[]) =>
    runCommand('posterior', 'linear', '--data', file(data), '--target', 'y', '--out', file('never'), ...more);
  it.each([
    ['columns that are multiples of others', () => run('collinear.csv'), /Column b is a combination/],
    [
      'a column with one value in all rows',
      () => run('constant.csv'),
      /Column a has the same value in every row/,
    ],
    ['a file that was cut', () => run('cut.csv'), /line 3 has 2 cells/],
    ['a target that is not there', () => run('data.csv', '--features', 'c'), /no column "c"/],
    [
      '--boards together with --device',
      () => run('data.csv', '--boards', 'emulator:ideal-8', '--device', 'emulator:ideal-8'),
      /exclude each other/,
    ],
    ['a directory with other files', () => run('data.csv', '--out', directory), /holds other files/],
    [
      'neither covariance nor precision',
      () => runCommand('posterior', 'gaussian', '--observations', file('seen.csv'), '--out', file('never')),
      /--prior-precision/,
    ],
  ])('%s', async (_, work, message) => {
    const { stderr, exitCode } = await work();
    expect(stderr).toMatch(message);
    expect(exitCode).not.toBe(0);
  });
});

describe('laplace', () => {
  let data: string;
  const training = () => file('training');
  beforeAll(async () => {
    data = fewDigits(512, 128);
    const size = ['--hidden', '6', '--train-size', '200', '--epochs', '2', '--optimizer', 'sgd'];
    await runCommand('train', 'mnist', '--data', data, ...size, '--out', training());
  });

  test('prints exact draws and temperature scaling beside the board, and plots the reliability', async () => {
    const more = [
      '--data',
      data,
      '--ood',
      data,
      '--validation',
      '100',
      '--networks',
      '4',
      '--out',
      file('laplace'),
    ];
    const { stdout, stderr } = await runCommand('posterior', 'laplace', '--training', training(), ...more);
    expect(stderr).not.toMatch(/error|thermolink:/);
    expect(stdout).toMatch(
      /the trained network .*\n +temperature scaling, T = .*\n +exact draws .*\n +draws of the board /,
    );
    const { scores, networks, device } = JSON.parse(
      readFileSync(join(file('laplace'), 'summary.json'), 'utf8'),
    );
    // A set that is compared with itself has an AUROC of 0.5.
    expect(scores.board.auroc).toBeCloseTo(0.5, 12);
    expect(scores.trained.accuracy).toBe(scores.temperature.accuracy);
    expect([networks, device]).toEqual([4, 'emulator:ideal-8']);
    expect(readdirSync(file('laplace')).sort()).toEqual(['networks.npy', 'reliability.svg', 'summary.json']);
  });

  const refused = (...more: string[]) =>
    runCommand(
      'posterior',
      'laplace',
      '--training',
      training(),
      '--data',
      data,
      '--out',
      file('never'),
      ...more,
    );
  it.each([
    [
      'more validation examples than the training left out',
      () => refused('--validation', '400'),
      /left 312 of 512 examples out/,
    ],
    ['no training', () => refused('--training', directory), /does not exist/],
    ['other data', () => refused('--data', fewDigits(256, 128)), /was trained on other data/],
  ])('refuses %s', async (_, work, message) => {
    const { stderr, exitCode } = await work();
    expect(stderr).toMatch(message);
    expect(exitCode).not.toBe(0);
  });

  // This test takes two minutes on a busy machine. The draws of the board differ from the draws of the host
  // by noise alone.
  test('1,000 digits: the board has the accuracy of exact draws, and calibrated probabilities', {
    tags: 'long',
    timeout: 900_000,
  }, async () => {
    const size = ['--hidden', '100', '--train-size', '1000', '--epochs', '100', '--optimizer', 'sgd'];
    const rates = ['--rate', '0.2', '--momentum', '0.9'];
    await runCommand('train', 'mnist', ...size, ...rates, '--out', file('thousand'));
    const fashion = '/usr/share/datasets/fashion-mnist';
    const more = ['--out', file('bars'), ...(existsSync(fashion) ? ['--ood', fashion] : [])];
    await runCommand('posterior', 'laplace', '--training', file('thousand'), ...more);
    const { scores } = JSON.parse(readFileSync(join(file('bars'), 'summary.json'), 'utf8'));
    expect(Math.abs(scores.board.logLoss - scores.exact.logLoss)).toBeLessThan(0.01);
    expect(scores.board.calibrationError).toBeLessThan(0.02);
    expect(scores.board.logLoss).toBeLessThan(scores.trained.logLoss - 0.05);
    if (scores.board.auroc !== undefined)
      expect(Math.abs(scores.board.auroc - scores.exact.auroc)).toBeLessThan(0.01);
  });
});
