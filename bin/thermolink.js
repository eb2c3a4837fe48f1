#!/usr/bin/env node
/**
 * The command `thermolink`. This file is committed, and not built, because npm links a command only if its file is there when
 * npm installs, which is before the build.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  const checkout = fileURLToPath(new URL('..', import.meta.url));
  process.stderr.write(`thermolink is not built yet: run \`npm run build\` in ${checkout}\n`);
  process.exitCode = 1;
}
