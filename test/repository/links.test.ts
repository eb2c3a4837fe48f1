import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, readRepositoryFile, repositoryFiles } from './files.js';

/** Not searched: the API reference, whose links typedoc makes. */
const PAGES = repositoryFiles(/\.md$/).filter((file) => !file.startsWith('docs/reference/api/'));
const SOURCES = repositoryFiles(/^(src|emulator|firmware-protocol|test)\/.*\.(ts|c|h|py|mjs)$/);

const titlesOf = (page: string): string[] =>
  [...readRepositoryFile(page).matchAll(/^#+ (.+)$/gm)].map(([, title]) => title);

/** The anchor that GitHub makes from a heading. */
const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

it('every link of a page leads to an existing file, and to an existing heading', () => {
  const broken = PAGES.flatMap((page) =>
    [...readRepositoryFile(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target)
      .filter((target) => {
        if (/^[a-z]+:/.test(target)) return false;
        const [relative, anchor] = target.split('#');
        const file = relative === '' ? page : path.posix.join(path.posix.dirname(page), relative);
        if (!existsSync(path.join(ROOT, file))) return true;
        return anchor !== undefined && !titlesOf(file).map(anchorOf).includes(anchor);
      })
      .map((target) => `${page} → ${target}`),
  );
  expect(broken).toEqual([]);
});

it('every page that a source names exists and has the cited section', () => {
  const cited = SOURCES.flatMap((source) => {
    const text = readRepositoryFile(source).replace(/\s*\n\s*(?:\*(?!\/)|\/\/|#)?\s*/g, ' ');
    return [...text.matchAll(/(docs\/[a-z\d/-]+\.md)(?:, "([^"]+)")?/g)].map(([, page, section]) => ({
      source,
      page,
      section,
    }));
  });
  expect(cited.filter(({ section }) => section !== undefined).length).toBeGreaterThan(0);
  const broken = cited.filter(
    ({ page, section }) =>
      !existsSync(path.join(ROOT, page)) || (section !== undefined && !titlesOf(page).includes(section)),
  );
  expect(broken).toEqual([]);
});
