import { describe, expect, it } from 'vitest';
import { readRepositoryFile, repositoryFiles } from './files.js';

const DOCUMENTS = {
  'protocol.md': readRepositoryFile('docs/reference/protocol.md'),
  'device-model.md': readRepositoryFile('docs/reference/device-model.md'),
};
type DocumentName = keyof typeof DOCUMENTS;

const headingsOf = (document: string): string[] =>
  [...document.matchAll(/^#{2,} (.+)$/gm)].map(([, title]) => title);

/**
 * Sections of the protocol without a rule: an example. The tables of messages are generated from the code.
 */
const WITHOUT_RULES = ['Worked example'];

/** The sections of the protocol that have a text of their own with rules in it. */
function sectionsWithRules(): string[] {
  const document = DOCUMENTS['protocol.md'];
  const rules = document.slice(0, document.indexOf('\n## Messages\n'));
  return [...rules.matchAll(/^#{2,} (.+)\n\n(?!#)/gm)]
    .map(([, title]) => title)
    .filter((title) => !WITHOUT_RULES.includes(title));
}

interface Citation {
  readonly file: string;
  readonly document: DocumentName;
  readonly section: string;
}

/** Citations of a file in the form `protocol.md, "Credits"`. A comment may break the line within it. */
function citationsIn(file: string): Citation[] {
  const text = readRepositoryFile(file).replace(/\s*\n\s*(?:\*(?!\/)|\/\/|#)?\s*/g, ' ');
  return [...text.matchAll(/(protocol\.md|device-model\.md), "([^"]+)"/g)].map(([, document, section]) => ({
    file,
    document: document as DocumentName,
    section,
  }));
}

const CITATIONS = repositoryFiles(/^(src|emulator|firmware-protocol|test)\/.*\.(ts|c|h|py|mjs)$/)
  .filter((file) => file !== 'test/repository/citations.test.ts')
  .flatMap(citationsIn);

/** The TypeScript that both ends run: frames, payloads, link, states. */
const SHARED = /^firmware-protocol\/(?!reference-firmware\/|python\/|tools\/)/;

/** Sections whose rules that code follows. All other sections have rules for a host or for a device. */
const SHARED_SECTIONS = [
  'Frames',
  'Delimiters',
  'Receiving frames',
  'Payloads',
  'Commands: delivered in order, once',
  'Window',
  'Acknowledgements',
  'Order of sending',
  'Retransmission',
  'States',
];

/** Rules for a program that gives a board to clients on a network. The emulator itself has no connections. */
const SERVER_SECTIONS = ['Over TCP'];

const C_DEVICE = /^firmware-protocol\/reference-firmware\/(src|posix)\//;

function uncited(sections: readonly string[], place: RegExp): string[] {
  const cited = CITATIONS.filter(({ file, document }) => document === 'protocol.md' && place.test(file)).map(
    ({ section }) => section,
  );
  return sections.filter((title) => !cited.includes(title));
}

describe('rules are cited where they are implemented', () => {
  const sections = sectionsWithRules();
  const ownSections = sections.filter((title) => !SHARED_SECTIONS.includes(title));

  it('finds sections and citations', () => {
    expect(sections).toEqual(expect.arrayContaining([...SHARED_SECTIONS, 'Stop', 'Credits', 'Programs']));
    expect(sections).not.toContain('Samples');
    expect(CITATIONS.length).toBeGreaterThan(100);
  });

  it('every citation names a section that exists', () => {
    const wrong = CITATIONS.filter(
      ({ document, section }) => !headingsOf(DOCUMENTS[document]).includes(section),
    );
    expect(wrong).toEqual([]);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['the code that both ends run', SHARED_SECTIONS, SHARED],
    ['the host', ownSections, /^src\//],
    ['the emulator', ownSections.filter((title) => !SERVER_SECTIONS.includes(title)), /^emulator\//],
    ['the C device', sections, C_DEVICE],
  ])('%s cites every section that it implements', (_, wanted, place) => {
    expect(uncited(wanted, place)).toEqual([]);
  });
});
