import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();

it.runIf(existsSync('/dev/full'))('a full disk under --log-file ends the log, not the work', async () => {
  const file = (name: string, text: string): string => {
    const place = path.join(directory, name);
    writeFileSync(place, text);
    return place;
  };
  const { exitCode, stdout, stderr } = await runCommand(
    ...['solve', '--matrix', file('A.csv', '4,1\n1,3\n'), '--rhs', file('b.csv', '1\n2\n')],
    ...['--log-file', '/dev/full', '--json'],
  );
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).solution).toHaveLength(2);
  expect(stderr.match(/The log ends here/g)).toHaveLength(1);
});
