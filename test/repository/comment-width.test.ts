import { expect, it } from 'vitest';
import { commentsOnly } from './comments.js';
import { readRepositoryFile, repositoryFiles } from './files.js';

/** The width of the formatter. The formatter itself does not apply it to comments. */
const COLUMNS_MAX = 110;
/** A line that cannot be broken: one word without a space, such as an address. */
const ONE_WORD = /^\s*(?:\/\/|\*|#)?\s*\S+$/;

it(`no line with a comment is wider than ${COLUMNS_MAX} columns`, () => {
  const wide = repositoryFiles(/\.(tsx?|mjs|c|h|py|lua|mk|sh|ya?ml)$|Makefile$|^\.ci\/run$/)
    .filter((file) => !/generated/.test(file))
    .flatMap((file) => {
      const lines = readRepositoryFile(file).split('\n');
      // Only a file with such a line is parsed.
      if (lines.every((line) => line.length <= COLUMNS_MAX)) return [];
      const comments = commentsOnly(file).split('\n');
      return lines.flatMap((line, i) =>
        line.length > COLUMNS_MAX && comments[i].trim() !== '' && !ONE_WORD.test(line)
          ? [`${file}:${i + 1}: ${line.length}`]
          : [],
      );
    });
  expect(wide).toEqual([]);
});
