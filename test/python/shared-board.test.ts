import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Tokens } from '../../src/hub/tokens.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { withHub } from '../hub/shared-board.js';
import { missingPackage, runPython, serveBoard } from './package.js';

const directory = temporaryDirectory();
const TOKEN = 'a-token-for-this-test';
/** Solves on the board of a URI, or prints the code of the error. */
const SCRIPT = `
import sys
from thermolink import Board
from thermolink.errors import ThermolinkError
try:
    with Board(sys.argv[1]) as board:
        print(board.solve([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0], tolerance=1e-2).x.tolist())
except ThermolinkError as error:
    print(error.code)
`;

describe('a shared board in Python', () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  const solve = async (uri: string, environment: Record<string, string> = {}): Promise<string> => {
    const { stdout, stderr } = await runPython(['-c', SCRIPT, uri], { environment });
    expect(stderr).toBe('');
    return stdout.trim();
  };

  it('gives the same bits as the board itself, with a token from a file or the environment', {
    tags: 'long',
  }, async () => {
    const direct = await solve(await serveBoard('ideal-8'));
    expect(direct).toMatch(/^\[0\.\d+, 0\.\d+\]$/);
    const file = path.join(directory, 'token');
    writeFileSync(file, `${TOKEN}\n`);
    await withHub(
      async (hub) => {
        expect(await solve(hub.uri(), { THERMOLINK_TOKEN: TOKEN })).toBe(direct);
        expect(await solve(hub.uri(`?token_file=${file}`))).toBe(direct);
      },
      { tokens: Tokens.single(TOKEN, 'test') },
    );
  });

  it('is refused with the codes of the server', { tags: 'long' }, () =>
    withHub(
      async (hub) => {
        expect(await solve(hub.uri(), { THERMOLINK_TOKEN: 'another-token-than-that' })).toBe('NOT_ALLOWED');
      },
      { tokens: Tokens.single(TOKEN, 'test') },
    ),
  );
});
