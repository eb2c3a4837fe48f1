import { describe, expect, it } from 'vitest';
import { readRepositoryFile } from './files.js';

const PROTOCOL = readRepositoryFile('docs/reference/protocol.md');
/** The hand-written text: without the generated parts and without the sentence that explains the ids. */
const RULES = PROTOCOL.replace(/<!-- generated[\s\S]*?<!-- end of [^>]*-->/g, '')
  .replace(/^The words MUST|[^.]*ends with an id like[^.]*\./gm, '')
  .replace(/\s+/g, ' ');
const IDS = [...RULES.matchAll(/\[([A-Z]+)-(\d+)\]/g)].map(([, family, number]) => ({
  family,
  number: Number(number),
}));

describe('every rule of protocol.md has a fixed id', () => {
  it('ids of a family are 1, 2, 3 … without a gap: none is used twice and none was removed', () => {
    expect(IDS.length).toBeGreaterThan(90);
    for (const family of new Set(IDS.map((id) => id.family))) {
      const numbers = IDS.filter((id) => id.family === family).map(({ number }) => number);
      const inOrder = [...numbers].sort((a, b) => a - b);
      expect(inOrder, family).toEqual(numbers.map((_, i) => i + 1));
    }
  });

  it('every sentence with MUST ends with an id', () => {
    // A sentence ends with a full stop after a word, a bracket or a quotation mark.
    const sentences = RULES.split(/(?<=[\w`)”"*²³⁶]\.)\s+(?!\[[A-Z]+-\d+\])/);
    const bare = sentences.filter((text) => /\bMUST\b/.test(text) && !/\[[A-Z]+-\d+\]/.test(text));
    expect(bare).toEqual([]);
  });
});
