import { expect, it } from 'vitest';
import { withPrintedOutput } from '../../docs/shown-commands.js';
import { readRepositoryFile } from '../../repository/files.js';
import { isBuilt } from '../../support/child-process.js';
import { hasTshark } from '../../support/tshark.js';

const PAGE = 'docs/how-to/look-at-a-session.md';

/**
 * The lines for tshark stand in blocks of their own, because the other commands of the page run everywhere
 * (test/docs). Here all of them run, the page as a whole. `dissector.test.ts` is the quick test of tshark.
 */
it.runIf(isBuilt && hasTshark)(
  `the commands of ${PAGE} for tshark print what it shows`,
  { tags: 'long' },
  async () => {
    const page = readRepositoryFile(PAGE).replaceAll('```bash\n', '```sh\n');
    expect(await withPrintedOutput(page)).toBe(page);
  },
);
