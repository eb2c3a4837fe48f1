import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type AnyResults,
  claimsOf,
  resultsMarkdown,
  STUDY_NAMES,
} from '../../src/cli/commands/study/results-page.js';
import { ROOT, readRepositoryFile, repositoryFiles } from './files.js';

const stored = STUDY_NAMES.map((name) => `docs/results/${name}.json`).filter((file) =>
  existsSync(path.join(ROOT, file)),
);

/** `npx vitest run test/repository/results.test.ts -u` writes the page. */
describe('docs/results.md', () => {
  it('has the claims that the code computes from the data in docs/results', async () => {
    const all = stored.map((file) => JSON.parse(readRepositoryFile(file)) as AnyResults);
    const section = /(<!-- generated: claims -->\n)[\s\S]*?(<!-- end of claims -->)/;
    const text = readRepositoryFile('docs/results.md');
    expect(text).toMatch(section);
    const fresh = text.replace(section, (_, begin, end) => `${begin}\n${resultsMarkdown(all)}\n\n${end}`);
    await expect(fresh).toMatchFileSnapshot(path.join(ROOT, 'docs/results.md'));
  });

  it('has data whose stored claims equal those that the code computes today', () => {
    for (const file of stored) {
      const results = JSON.parse(readRepositoryFile(file)) as AnyResults;
      if ('claims' in results) expect(results.claims, file).toEqual(claimsOf(results));
    }
  });

  it('has only data of studies, and every claim can be computed', () => {
    expect(repositoryFiles(/^docs\/results\/.*\.json$/).sort()).toEqual([...stored].sort());
    expect(readRepositoryFile('docs/results.md')).not.toMatch(/NaN|undefined|Infinity/);
  });
});
