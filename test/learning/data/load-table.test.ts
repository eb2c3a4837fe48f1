import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/learning/data/dataset.js';
import { loadDataset } from '../../../src/learning/data/load-dataset.js';

const directory = mkdtempSync(join(tmpdir(), 'thermolink-table-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Ten rows with a number, a text and a label. The number decides the label. */
const ROWS = Array.from({ length: 10 }, (_, i) => [
  String(i),
  i % 3 === 0 ? 'red' : 'blue',
  i < 5 ? 'few' : 'many',
]);
const NAMES = ['size', 'colour', 'amount'];

function load(text: string | Buffer, label = 'amount', options: object = {}): Dataset {
  const file = join(directory, 'table.csv');
  writeFileSync(file, text);
  return loadDataset({ kind: 'table', file, label, ...options });
}

const csv = (separator = ',', rows: readonly (readonly string[])[] = ROWS): string =>
  [NAMES, ...rows].map((row) => row.join(separator)).join('\n');

/** Every example of a set as its inputs and its label. */
function examplesOf({ columns }: Dataset, set: Dataset['train']): string[] {
  return Array.from({ length: set.count }, (_, i) =>
    [...set.inputs.subarray(i * columns, (i + 1) * columns), set.labels[i]].join(' '),
  );
}

const refused = (text: string, code: string, ...said: string[]): void => {
  for (const part of said)
    expect(() => load(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(part) }),
    );
};

describe('a table', () => {
  it('is split into four fifths for training and a fifth for the test, no row twice', () => {
    const data = load(csv());
    expect([data.train.count, data.test.count, data.rows, data.columns, data.classes]).toEqual([
      8, 2, 1, 3, 2,
    ]);
    const { encoding } = data;
    const [size] = encoding!.columns;
    const { mean, sd } = size as { mean: number; sd: number };
    const sizes = [...examplesOf(data, data.train), ...examplesOf(data, data.test)]
      .map((example) => Math.round(Number(example.split(' ')[0]) * sd + mean))
      .sort((a, b) => a - b);
    expect(sizes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('has numbers of mean 0 and variance 1 in its training rows, and one input for each text', () => {
    const data = load(csv());
    const column = (set: Dataset['train'], input: number): number[] =>
      Array.from({ length: set.count }, (_, i) => set.inputs[i * data.columns + input]);
    const sizes = column(data.train, 0);
    expect(sizes.reduce((a, b) => a + b) / 8).toBeCloseTo(0, 6);
    expect(sizes.reduce((a, b) => a + b * b, 0) / 8).toBeCloseTo(1, 6);
    expect(data.encoding!.columns[1]).toEqual({ kind: 'text', name: 'colour', texts: ['blue', 'red'] });
    const [blue, red] = [column(data.train, 1), column(data.train, 2)];
    expect(blue.every((value, i) => value + red[i] === 1 && value * red[i] === 0)).toBe(true);
    expect(data.encoding!.label).toEqual({ name: 'amount', classes: ['few', 'many'] });
  });

  it('gives the same encoding in every dialect, compressed or not', () => {
    const halves = ROWS.map(([size, ...rest]) => [`${size}.5`, ...rest]);
    const commas = halves.map(([size, ...rest]) => [size.replace('.', ','), ...rest]);
    const plain = load(csv(',', halves));
    for (const text of [
      csv(';', commas),
      csv(';', halves),
      csv('\t', commas),
      `sep=;\n${csv(';', commas)}`,
      `\uFEFF# written by hand\r\n${csv(',', halves).replaceAll('\n', '\r\n')}\r\n\r\n`,
      csv(
        ',',
        halves.map((row) => row.map((cell) => `"${cell}"`)),
      ),
    ])
      expect(load(text).encoding, text).toEqual(plain.encoding);
    expect(load(gzipSync(csv(',', halves))).encoding).toEqual(plain.encoding);
  });

  it('is split differently by another seed, and its digest differs', () => {
    const [first, again, other] = [load(csv()), load(csv()), load(csv(), 'amount', { splitSeed: 1 })];
    expect(examplesOf(again, again.test)).toEqual(examplesOf(first, first.test));
    expect(again.digest).toBe(first.digest);
    expect(other.digest).not.toBe(first.digest);
    expect(examplesOf(other, other.test)).not.toEqual(examplesOf(first, first.test));
  });

  it('takes the encoding of an earlier table, and refuses a text that the earlier table does not have', () => {
    const { encoding } = load(csv());
    const later = load('size,colour,amount\n1,red,few\n2,red,few\n', 'amount', { encoding });
    expect(later.encoding).toEqual(encoding);
    const { mean, sd } = encoding!.columns[0] as { mean: number; sd: number };
    const sizes = [...later.train.inputs, ...later.test.inputs].filter((_, i) => i % 3 === 0);
    expect(sizes.sort((a, b) => a - b)).toEqual([1, 2].map((size) => Math.fround((size - mean) / sd)));
    expect(() => load('size,colour,amount\n1,green,few\n2,red,few\n', 'amount', { encoding })).toThrow(
      /line 2, column colour: "green" is not one of blue, red/,
    );
  });

  it('leaves out a column of one value', () => {
    const data = load(
      csv(
        ',',
        ROWS.map(([size, , amount]) => [size, 'red', amount]),
      ),
    );
    expect(data.encoding!.columns.map(({ name }) => name)).toEqual(['size']);
  });

  it('names file, line and column of a wrong cell', () => {
    refused(
      csv().replace('7,blue', ',blue'),
      'BAD_DATASET',
      'table.csv, line 9, column size: the cell is empty',
    );
    refused(
      csv().replace('7,blue', 'NA,blue'),
      'BAD_DATASET',
      'line 9, column size: "NA" stands for a missing',
    );
    refused(csv().replace('7,blue', 'x7,blue'), 'BAD_DATASET', 'line 9, column size: "x7" is not a number');
    refused(csv().replace('7,blue', '7'), 'BAD_MATRIX', 'line 9 has 2 cells where the header names 3');
  });

  it('is refused if it has nothing to learn, or if its columns have no names', () => {
    refused('size,amount\n', 'BAD_FILE', 'holds 1 line');
    refused('size,amount\n1,few\n2,few\n', 'BAD_DATASET', 'every amount is few');
    refused('size,amount\n1,few\n1,many\n', 'BAD_DATASET', 'no column beside amount');
    refused('amount,amount\n1,few\n', 'BAD_FILE', 'two columns "amount"');
    refused('size,\n1,few\n', 'BAD_FILE', 'has no header: field 2');
    refused('size,kind\n1,few\n', 'BAD_ARGUMENT', 'no column "amount"');
    const ids = Array.from({ length: 200 }, (_, i) => `id${i},${i % 2}`).join('\n');
    refused(`id,amount\n${ids}`, 'BAD_DATASET', 'column id holds 200 different texts');
    const labels = Array.from({ length: 300 }, (_, i) => `${i},${i}`).join('\n');
    refused(`size,amount\n${labels}`, 'BAD_DATASET', '300 different values');
  });
});
