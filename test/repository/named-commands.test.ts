import { expect, it } from 'vitest';
import type { CommandEntry } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { longFlag } from '../../src/cli/options/option.js';
import { ERROR_CODES } from '../../src/errors.js';
import { readRepositoryFile, repositoryFiles } from './files.js';

/** Every command by its whole name, such as `trace info`. */
const ENTRIES = new Map<string, CommandEntry>(
  COMMANDS.flatMap((entry) =>
    'commands' in entry
      ? entry.commands.map((command) => [`${entry.name} ${command.name}`, command] as const)
      : [[entry.name, entry] as const],
  ),
);
const GROUPS: ReadonlySet<string> = new Set(
  COMMANDS.filter((entry) => 'commands' in entry).map(({ name }) => name),
);
/** Flags that commander adds itself. */
const ALWAYS = ['--help', '--version'];

/** Texts that a reader could type: code in a line, and the lines of a block of code. */
const INLINE = /\\?`(?:npx )?(thermolink [^`\n\\]*)/g;
const BLOCK_LINE = /^\s*(?:\$ )?(?:npx )?(thermolink [a-z].*)$/gm;

interface Named {
  readonly file: string;
  readonly text: string;
}

/** The commands that remedies of errors and documents name. */
function namedCommands(): Named[] {
  const remedies = Object.values(ERROR_CODES).flatMap((entry) =>
    [...JSON.stringify(entry).matchAll(INLINE)].map(([, text]) => ({ file: 'src/error-codes.ts', text })),
  );
  const hints = repositoryFiles(/^src\/.*\.ts$/).flatMap((file) =>
    [...readRepositoryFile(file).matchAll(INLINE)].map(([, text]) => ({ file, text })),
  );
  const documents = repositoryFiles(/^(README|CONTRIBUTING)\.md$|^docs\/(?!reference\/api\/).*\.md$/).flatMap(
    (file) => {
      const text = readRepositoryFile(file);
      const blocks = [...text.matchAll(/```(?:sh|text|)\n([\s\S]*?)```/g)]
        .map(([, block]) => block)
        .join('\n');
      return [...text.matchAll(INLINE), ...blocks.matchAll(BLOCK_LINE)].map((match) => ({
        file,
        text: match[1],
      }));
    },
  );
  return [...remedies, ...hints, ...documents];
}

/**
 * The words after `thermolink`. The list is empty if the text stands for any command, as in `thermolink
 * COMMAND --help`.
 */
function wordsOf({ text }: Named): string[] {
  const words = text.split(/[\s|;)'"]+/).slice(1);
  return words[0] === undefined || /^([A-Z<…]|--|$)/.test(words[0]) ? [] : words;
}

function entryOf([first, second]: readonly string[]): CommandEntry | undefined {
  return ENTRIES.get(first) ?? ENTRIES.get(`${first} ${second}`);
}

/** Whether the text names only a group of commands: `thermolink bench`. */
function isGroup([first, second]: readonly string[]): boolean {
  return GROUPS.has(first) && (second === undefined || !/^[a-z]/.test(second));
}

it('every command that a remedy, a hint or a document names exists', () => {
  const named = namedCommands();
  expect(named.length).toBeGreaterThan(100);
  const missing = named.filter((one) => {
    const words = wordsOf(one);
    return words.length > 0 && !isGroup(words) && entryOf(words) === undefined;
  });
  expect(missing).toEqual([]);
});

it('every flag that a remedy, a hint or a document names exists', { tags: 'long' }, async () => {
  const wrong: string[] = [];
  for (const one of namedCommands()) {
    const words = wordsOf(one);
    const entry = entryOf(words);
    if (entry === undefined) continue;
    const { command } = await entry.load();
    const known = [...ALWAYS, ...Object.values(command.options).map(longFlag)];
    for (const word of words) {
      const flag = /^--[a-z][a-z-]*/.exec(word)?.[0];
      if (flag !== undefined && !known.includes(flag)) wrong.push(`${one.file}: ${one.text}: ${flag}`);
    }
  }
  expect(wrong).toEqual([]);
});
