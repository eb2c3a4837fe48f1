import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { jsonText } from '../../src/cli/commands/study/json-text.js';
import { TABLE_STUDIES } from '../../src/cli/commands/study/results-page.js';
import { groupsOf, logSlope, partTable, spreadOver } from '../../src/cli/commands/study/table/groups.js';
import { runTable, type TableRequest } from '../../src/cli/commands/study/table/run-table.js';
import { tableHtml, tableResults, tableText } from '../../src/cli/commands/study/table/table-report.js';
import type { TableStudy } from '../../src/cli/commands/study/table/table-study.js';
import { ThermolinkError } from '../../src/errors.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';
import { thrown } from './support/thrown.js';

const root = temporaryDirectory();
let counter = 0;
let out = '';

beforeEach(() => {
  out = join(root, `table ${counter++}`);
});

/** A study that computes seed · size without a board. */
function products(
  measure: TableStudy['measure'] = async ({ settings, seed }) => ({
    figures: { product: seed * Number(settings['size']) },
  }),
): TableStudy {
  return {
    ...{ name: 'products', title: 'Products <&>', about: ['A <b> sentence.'], settingsFrom: 'None.' },
    ...{ modelled: 'Nothing is modelled.', charts: () => [], measure },
    parts: [
      { name: 'all', title: 'All', columns: [{ figure: 'product', title: 'product', format: String }] },
    ],
    runs: ({ seeds }) =>
      seeds.flatMap((seed) => [2, 8].map((size) => ({ part: 'all', settings: { size }, seed }))),
    claims: (runs) => [
      { claim: 'It <runs>.', paper: '–', ours: `${runs.length} runs.`, how: 'counted', verdict: 'holds' },
    ],
  };
}

/** The command claims the directory before the runs. */
function requestOf(study: TableStudy, seeds = [1, 2]): TableRequest {
  mkdirSync(out, { recursive: true });
  return { study, scale: { quick: true, seeds }, out, uris: [''], quiet: true };
}

const neverAborted = new AbortController().signal;

describe('a study of tables', () => {
  it('does the missing runs after an abort, adds seeds, and stores the same as an uninterrupted study', async () => {
    const whole = await runTable(requestOf(products()), neverAborted);
    const stored = readFileSync(join(out, 'runs.json'), 'utf8');
    out = `${out} aborted`;
    const abort = new AbortController();
    let measured = 0;
    const counting = products(async ({ settings, seed }) => {
      if (++measured === 2) abort.abort();
      return { figures: { product: seed * Number(settings['size']) } };
    });
    expect(
      (
        await thrown(() =>
          runTable(requestOf(counting, [1]), abort.signal).then(() =>
            runTable(requestOf(counting), abort.signal),
          ),
        )
      ).code,
    ).toBe('ABORTED');
    expect(measured).toBe(2);
    expect(await runTable(requestOf(counting), neverAborted)).toEqual(whole);
    expect(measured).toBe(4);
    expect(readFileSync(join(out, 'runs.json'), 'utf8')).toBe(stored);
  });

  it('takes an error about the run as its result, and throws any other error', async () => {
    const failing = (code: 'OVERLOAD' | 'LINK_LOST') =>
      products(async ({ settings }) => {
        if (settings['size'] === 8) throw new ThermolinkError(code, 'no');
        return { figures: { product: 1 } };
      });
    const runs = await runTable(requestOf(failing('OVERLOAD'), [1]), neverAborted);
    expect(runs[1]).toMatchObject({ figures: {}, failure: { code: 'OVERLOAD' } });
    const study = failing('OVERLOAD');
    expect(partTable(study.parts[0], runs).rows).toEqual([
      ['2', '1'],
      ['8', 'failed: OVERLOAD'],
    ]);
    out = `${out} lost`;
    expect((await thrown(() => runTable(requestOf(failing('LINK_LOST'), [1]), neverAborted))).code).toBe(
      'LINK_LOST',
    );
  });

  it('refuses a truncated file of runs', async () => {
    await runTable(requestOf(products()), neverAborted);
    writeFileSync(join(out, 'runs.json'), '[{"part');
    const error = await thrown(() => runTable(requestOf(products()), neverAborted));
    expect([error.code, error.message]).toEqual(['BAD_FILE', expect.stringContaining('runs.json')]);
  });

  it('shows means with their range over the seeds, and escapes its report', async () => {
    const study = products();
    const { scale } = requestOf(study);
    const results = tableResults(study, scale, {
      runs: await runTable(requestOf(study), neverAborted),
      options: {},
    });
    const [group] = groupsOf(results.runs, 'all', { size: 8 });
    expect(spreadOver(group, 'product')).toEqual({
      mean: expect.closeTo(Math.sqrt(8 * 16), 10),
      min: 8,
      max: 16,
    });
    expect(tableText(study, results)).toContain('It <runs>. Holds. 4 runs.');
    const html = tableHtml(study, results, '<svg></svg>', 'thermolink study <x>');
    expect(html).not.toMatch(/<script|<b>|<runs>|<x>|<&>/);
    expect(html).toContain('Quick study');
  });

  it('writes results as JSON with a run on a line', () => {
    const results = { runs: [{ a: [1, 'row 0'] }, { b: null }], title: 'row 1', inner: { runs: [{}] } };
    const text = jsonText(results, 'runs');
    expect(JSON.parse(text)).toEqual(results);
    expect(text.split('\n')).toContain('    {"a":[1,"row 0"]},');
  });

  it('finds the slope of a power law', () => {
    expect(logSlope([1, 2, 5].map((x) => [x, 3 * x ** -0.5] as const))).toBeCloseTo(-0.5, 12);
  });
});

/** The quick tests of a study of tables are those of runTable above. */
describe('thermolink study', () => {
  it.each(TABLE_STUDIES.map(({ name }) => name))(
    '%s --quick writes data, a picture and a report',
    { tags: 'long' },
    async (name) => {
      await expectQuick(name);
    },
  );

  async function expectQuick(name: string): Promise<void> {
    const options = ['study', name, '--quick', '--seeds', '1', '--out', out];
    const { stdout, exitCode } = await runCommand(...options);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/quick form.*\n\nStored in /s)]);
    for (const file of ['report.html', 'results.json', 'runs.json', 'study.json', `${name}.svg`])
      expect(existsSync(join(out, file)), file).toBe(true);
    const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    expect(results.claims.length).toBeGreaterThan(0);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).not.toMatch(/NaN|undefined|<script/);
    const again = await runCommand(...options, '--resume', '--json');
    expect(JSON.parse(again.stdout)).toEqual(results);
  }
});
