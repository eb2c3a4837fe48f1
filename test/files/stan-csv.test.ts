import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnOf, numbersOf, readDataTable, textsOf } from '../../src/files/read-data-table.js';
import { writeStanCsv } from '../../src/files/write-stan-csv.js';
import { matrix } from '../../src/linalg/matrix.js';
import { readStanCsv } from '../support/stan-csv.js';

let directory: string;
const file = (name: string): string => join(directory, name);
const given = (content: string | Uint8Array): string => {
  writeFileSync(file('given.csv'), content);
  return file('given.csv');
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-stan-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

it('a chain is read back bit by bit, with its settings', () => {
  const draws = matrix(3, 2, Float64Array.of(0.1, -1e-300, 1 / 3, 5e200, -0.25, 7));
  writeStanCsv(file('chain-2.csv'), {
    ...{ id: 2, model: 'linear', parameter: 'beta', columnNames: ['(intercept)', 'a\nname'], draws },
    ...{ logDensity: Float64Array.of(-1, -2.5, -1e-9), seed: 4_294_967_295, boardSeconds: 0.125 },
  });
  const chain = readStanCsv(readFileSync(file('chain-2.csv'), 'utf8'));
  expect(chain.settings).toMatchObject({
    ...{
      stan_version_major: '2',
      model: 'linear',
      method: 'sample',
      num_samples: '3',
      num_warmup: '0',
      thin: '1',
    },
    ...{ save_warmup: '0', algorithm: 'fixed_param', id: '2', seed: '4294967295', engaged: '0' },
  });
  expect(chain.columns).toEqual(['lp__', 'accept_stat__', 'beta.1', 'beta.2']);
  expect(chain.draws.map((draw) => draw[0])).toEqual([-1, -2.5, -1e-9]);
  expect(chain.draws.flatMap((draw) => draw.slice(2))).toEqual([...draws.data]);
  expect(chain.samplingSeconds).toBe(0.125);
});

describe('a table with a header', () => {
  it('gives numbers and texts by the names of their columns', async () => {
    const table = await readDataTable(given('\uFEFF"species, full";a;b\r\n"A; a";1;-2e3\r\nB;.5;4\r\n'));
    expect(table.names).toEqual(['species, full', 'a', 'b']);
    expect(numbersOf(table, [2, columnOf(table, 'a', 'features')]).data).toEqual(
      Float64Array.of(-2000, 1, 4, 0.5),
    );
    expect(textsOf(table, 0)).toEqual(['A; a', 'B']);
  });

  it.each([
    ['a line that was cut', 'a,b\n1,2\n3', /line 3 has 1 cell where the header names 2/],
    ['a header alone', 'a,b\n', /holds 1 line/],
    ['no header', '1,2\n3,4\n', /has no header: field 1 of its first line is "1"/],
    ['a name given twice', 'a,a\n1,2\n', /names two columns "a"/],
    ['UTF-16', Buffer.from('a,b\n1,2\n', 'utf16le'), /zero bytes/],
  ])('refuses %s', async (_, content, message) => {
    await expect(readDataTable(given(content))).rejects.toThrow(message);
  });

  it.each([
    ['NaN', /line 3, column b: "NaN" is not finite/],
    ['', /line 3, column b: it is empty/],
    ['1e999', /line 3, column b: .*too large/],
    ['red', /line 3, column b: "red" is not a number/],
  ])('refuses %j for a number', async (cell, message) => {
    const table = await readDataTable(given(`a,b\n1,2\n3,${cell}\n`));
    expect(() => numbersOf(table, [0, 1])).toThrow(message);
  });

  it('lists its columns when one is missing', async () => {
    const table = await readDataTable(given('a,b\n1,2\n'));
    expect(() => columnOf(table, 'c', 'target')).toThrow(/`target`: .* has no column "c"/);
  });
});
