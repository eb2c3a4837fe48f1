/** npm run fuzz:traces -- [--files N] [--seed S] */
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../repository/files.js';
import { fuzzTraces } from './fuzz.js';

/** Larger recordings take longer and find no more faults. */
const BYTES_MAX = 12_000;
const PROGRESS_MS = 5000;

const { values } = parseArgs({ options: { files: { type: 'string' }, seed: { type: 'string' } } });
const [count, seed] = [Number(values.files ?? 1_000_000), Number(values.seed ?? 1)];
const folder = path.join(ROOT, 'test/traces/recorded');
const files = readdirSync(folder)
  .map((name) => path.join(folder, name))
  .filter((file) => statSync(file).size <= BYTES_MAX);
const scratch = path.join(mkdtempSync(path.join(tmpdir(), 'thermolink-fuzz-')), 'damaged.mcap');
const startMs = performance.now();
let toldMs = startMs;
const read = await fuzzTraces(files, scratch, { count, seed }, (done) => {
  if (performance.now() - toldMs < PROGRESS_MS) return;
  toldMs = performance.now();
  process.stdout.write(`${done} of ${count}, ${((toldMs - startMs) / 1000).toFixed(0)} s\n`);
});
const mb = (process.resourceUsage().maxRSS / 1024).toFixed(0);
process.stdout.write(
  `${count} damaged recordings, seed ${seed}: ${read} were read, the others refused; at most ${mb} MB\n`,
);
