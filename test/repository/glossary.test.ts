import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commentsOnly } from './comments.js';
import { ROOT, readRepositoryFile, repositoryFiles } from './files.js';

const GLOSSARY = 'docs/reference/glossary.md';

interface Entry {
  readonly word: string;
  readonly place: string;
  readonly forbidden: readonly string[];
}

const ENTRIES: readonly Entry[] = readRepositoryFile(GLOSSARY)
  .split('\n')
  .filter((line) => /^\| (?!word|---)/.test(line))
  .map((line) => {
    const [, word, , place, not] = line.split('|').map((cell) => cell.trim());
    return { word, place, forbidden: [...not.matchAll(/`([^`]+)`/g)].map((match) => match[1]) };
  });

/** Places where a forbidden word has another meaning, and this meaning. */
const OTHER_MEANINGS: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  bias: [
    [
      /^(src|test)\/learning\/|^src\/cli\/commands\/posterior\/trained-network|^test\/support\/network-reference|^src\/linalg\/matrix-kernel\/|^test\/files\/safetensors|^docs\/(reference\/array-files|how-to\/train-on-own-data)/,
      "a network's bias",
    ],
    [/^emulator\/kernel\/assembly\//, 'a fixed-point offset that keeps sums above zero'],
  ],
  chip: [
    [/^(src|test)\/(transport|cli)\/|^src\/error-codes|^docs\/reference\/(devices|errors)/, 'a USB chip'],
    [/^firmware-protocol\/reference-firmware\/mcu\/|^test\/hil\/|^docs\/tutorial\/pico/, 'a microcontroller'],
  ],
  handshake: [
    [/^src\/hub\/hub-server|^test\/hub\/attack\/tls-attack/, 'of TLS'],
    [/^src\/hub\/client\/hub-events/, 'of a WebSocket, as an option of its package'],
  ],
  packet: [[/^firmware-protocol\/reference-firmware\/mcu\/rp2040\/usb|^test\/hil\//, 'of USB']],
};

/** Phrases that are wrong only in the prose of these files. Elsewhere they mean something else. */
const ONLY_IN_PROSE_OF: Readonly<Record<string, RegExp>> = {
  'the model': /^(src|test)\/learning\/|^src\/cli\/commands\/(train|demo)\/|^docs\/(tutorial|explanation)/,
  'a model': /^(src|test)\/learning\/|^src\/cli\/commands\/(train|demo)\/|^docs\/(tutorial|explanation)/,
};

/**
 * Two kinds of files are not searched: decision records, which keep the words of their time, and the API
 * reference, which is made from comments.
 */
const FILES = repositoryFiles(/\.(tsx?|mjs|c|h|py|md)$/).filter(
  (file) =>
    !/generated|^docs\/(decisions|reference\/api)\//.test(file) &&
    !file.startsWith('test/repository/glossary'),
);

/** Names as separate words: `trainingRun` and `training-run` become "training run". */
const words = (text: string): string =>
  text
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .replace(/[-_]/g, ' ')
    .toLowerCase();

interface Text {
  readonly lines: readonly string[];
  readonly words: string;
}

const textOf = (text: string): Text => ({ lines: text.split('\n'), words: words(text) });
const WHOLE = new Map(FILES.map((file) => [file, textOf(readRepositoryFile(file))]));
const prose = new Map<string, Text>();

/** Parsed when it is asked for: most files have no such phrase at all. */
function proseOf(file: string): Text {
  if (file.endsWith('.md')) return WHOLE.get(file)!;
  const known = prose.get(file) ?? textOf(commentsOnly(file));
  prose.set(file, known);
  return known;
}

function linesWith(file: string, phrase: string, proseOnly: boolean): string[] {
  const pattern = new RegExp(`\\b${words(phrase)}(e?s)?\\b`);
  if (!pattern.test(WHOLE.get(file)!.words)) return [];
  const text = proseOnly ? proseOf(file) : WHOLE.get(file)!;
  return text.lines.flatMap((line, i) =>
    pattern.test(words(line)) ? [`${file}:${i + 1}: ${line.trim()}`] : [],
  );
}

describe('the glossary', () => {
  it('has its words in order, each once', () => {
    const order = ENTRIES.map(({ word }) => word.replace('τ', 'tau'));
    expect(order).toEqual([...new Set(order)].sort((a, b) => a.localeCompare(b, 'en')));
  });

  it.each(ENTRIES)('"$word" is defined at the place that the glossary names', ({ place }) => {
    expect(existsSync(path.join(ROOT, place)), place).toBe(true);
  });

  it.each(ENTRIES.flatMap(({ word, forbidden }) => forbidden.map((phrase) => [phrase, word])))(
    '"%s" is not used for %s',
    (phrase) => {
      const scope = ONLY_IN_PROSE_OF[phrase];
      const others = OTHER_MEANINGS[phrase] ?? [];
      const files = FILES.filter(
        (file) =>
          file !== GLOSSARY && (scope?.test(file) ?? true) && !others.some(([place]) => place.test(file)),
      );
      expect(files.flatMap((file) => linesWith(file, phrase, scope !== undefined))).toEqual([]);
    },
  );

  it('"bench" is the word of a command', () => {
    const files = FILES.filter((file) => /^(src|test|emulator)\//.test(file) && !/\/bench[/.]/.test(file));
    const uses = files
      .flatMap((file) => linesWith(file, 'bench', true))
      .filter((line) => !/(thermolink|npm run|npx thermolink) bench|bench (link|step|train)/.test(line));
    expect(uses).toEqual([]);
  });

  it('has no unused exception', () => {
    const needless = Object.entries(OTHER_MEANINGS).flatMap(([phrase, places]) =>
      places
        .filter(
          ([place]) => !FILES.some((file) => place.test(file) && linesWith(file, phrase, false).length > 0),
        )
        .map(([place]) => `${phrase} in ${place}`),
    );
    expect(needless).toEqual([]);
  });
});
