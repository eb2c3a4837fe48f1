import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMatrix } from '../../src/files/read-array.js';
import { runCommand } from '../support/command-line.js';

const directory = mkdtempSync(join(tmpdir(), 'thermolink-evaluate-'));
afterAll(() => rmSync(directory, { recursive: true }));
const table = join(directory, 'flowers.csv');
const run = join(directory, 'run');

/** Rows of three classes that lines separate, with some noise in their numbers. */
function rows(): string {
  const kinds = ['setosa', 'versicolor', 'virginica'];
  const lines = Array.from({ length: 150 }, (_, i) => {
    const kind = i % 3;
    return `${(kind + Math.sin(i * 12.9898) / 4).toFixed(3)},${Math.cos(i).toFixed(3)},${kinds[kind]}`;
  });
  return ['length,width,kind', ...lines].join('\n');
}

const TABLE = ['--data', table, '--label', 'kind'];
const TRAIN = [
  'train',
  'mnist',
  ...TABLE,
  '--optimizer',
  'adam',
  '--rate',
  '0.05',
  '--batch',
  '20',
  '--epochs',
  '8',
];

beforeAll(async () => {
  writeFileSync(table, rows());
  await runCommand(...TRAIN, '--out', run, '--tensorboard', '--json');
});

describe('thermolink evaluate', () => {
  it('finds the accuracy that the training reported', async () => {
    const { testAccuracy, testLoss } = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'));
    const { stdout, exitCode } = await runCommand('evaluate', '--weights', run, ...TABLE, '--json');
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ part: 'test', count: 30, accuracy: testAccuracy, loss: testLoss });
    expect(testAccuracy).toBeGreaterThan(0.9);
    expect(report.classes).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(report.confusion.flat().reduce((a: number, b: number) => a + b)).toBe(30);
  });

  it('shows each class by its name, and writes probabilities', async () => {
    const probabilities = join(directory, 'p.npy');
    const { stdout } = await runCommand(
      ...['evaluate', '--weights', join(run, 'weights.safetensors'), ...TABLE],
      ...['--part', 'all', '--probabilities', probabilities],
    );
    for (const text of ['setosa', 'virginica', '150 (all)', 'found', 'most often taken for'])
      expect(stdout).toContain(text);
    const written = await readMatrix(probabilities);
    expect([written.rows, written.columns]).toEqual([150, 3]);
    for (let row = 0; row < 150; row++)
      expect(written.data.subarray(3 * row, 3 * row + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });

  it('names the data of the weights, if other data do not fit', async () => {
    const noTable = await runCommand('evaluate', '--weights', run);
    expect(noTable.exitCode).not.toBe(0);
    expect(noTable.stderr).toMatch(/trained on a table with the label kind.*--label/s);
    const noLabel = await runCommand('evaluate', '--weights', run, '--data', table);
    expect(noLabel.stderr).toMatch(/--label/);
    const noWeights = await runCommand('evaluate', '--weights', directory, ...TABLE);
    expect(noWeights.stderr).toMatch(/weights\.safetensors/);
    const noColumn = await runCommand('evaluate', '--weights', run, '--data', table, '--label', 'colour');
    expect(noColumn.stderr).toMatch(/length, width, kind/);
  });
});

describe('a training on a table', () => {
  it('keeps weights and events beside its metrics, and replaces them together', async () => {
    const events = () => readdirSync(run).filter((name) => name.startsWith('events.'));
    expect(events()).toHaveLength(1);
    for (const name of ['weights.safetensors', 'weights.npz']) expect(existsSync(join(run, name))).toBe(true);
    const again = await runCommand(...TRAIN, '--out', run, '--overwrite', '--json');
    expect(again.exitCode).toBe(0);
    expect(events()).toHaveLength(0);
  });

  it('refuses the options for tables if no table is given', async () => {
    for (const [args, said] of [
      [['train', 'mnist', '--label', 'kind'], /Name the table by --data/],
      [['train', 'mnist', '--split-seed', '3'], /--split-seed splits a table/],
      [['train', 'ising', '--tensorboard'], /Name it by --out/],
    ] as const) {
      const refused = await runCommand(...args);
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toMatch(said);
    }
  });
});
