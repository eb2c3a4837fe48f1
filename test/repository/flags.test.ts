import { expect, it } from 'vitest';
import { readRepositoryFile, repositoryFiles } from './files.js';

/**
 * Files whose texts may name flags of the command line: the command line itself, and the remedies of its
 * errors.
 */
const COMMAND_LINE = /^src\/(cli\/|error-codes\.ts$)/;

const COMMENTS = /\/\*[\s\S]*?\*\/|(^|\s)\/\/.*/g;
/** A whole command that a reader can type: `thermolink emulate --tcp HOST:PORT`. */
const WHOLE_COMMAND = /\\?`(thermolink|npm|npx) [^`]*`/g;
/** Matches a flag. It does not match the decrement of a variable, such as `--callsLeft`. */
const FLAG = /(?<![-\w])--[a-z][a-z0-9-]*(?![\w-])/g;

it('the library names fields, never flags; src/cli/output/library-names.ts translates them', () => {
  const found = repositoryFiles(/^src\/.*\.ts$/)
    .filter((file) => !COMMAND_LINE.test(file))
    .flatMap((file) => {
      const code = readRepositoryFile(file).replace(COMMENTS, '$1').replace(WHOLE_COMMAND, '');
      return [...code.matchAll(FLAG)].map(([flag]) => `${file}: ${flag}`);
    });
  expect(found).toEqual([]);
});
