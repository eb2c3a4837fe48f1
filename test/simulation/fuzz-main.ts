import { parseArgs } from 'node:util';
import { type FuzzPart, frameParts, fuzz } from './fuzz.js';
import { recordCorpus } from './fuzz-corpus.js';

const PROGRESS_MS = 5000;

/** npm run fuzz -- [--frames N | --sessions N] [--seed S] */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { frames: { type: 'string' }, sessions: { type: 'string' }, seed: { type: 'string' } },
  });
  const seed = Number(values.seed ?? 1);
  const parts: FuzzPart[] = values.sessions
    ? [{ name: 'sessions', count: Number(values.sessions) }]
    : frameParts(Number(values.frames ?? 5_000_000));
  const corpus = await recordCorpus();
  process.stdout.write(`${corpus.frames.length} frames and ${corpus.sessions.length} sessions to damage\n`);
  for (const part of parts) {
    const startMs = performance.now();
    let toldMs = startMs;
    const seconds = (): string => ((performance.now() - startMs) / 1000).toFixed(1);
    await fuzz(corpus, part, seed, (done) => {
      if (performance.now() - toldMs < PROGRESS_MS) return;
      toldMs = performance.now();
      process.stdout.write(`${part.name}: ${done} of ${part.count}, ${seconds()} s\n`);
    });
    process.stdout.write(`${part.name}: ${part.count} passed in ${seconds()} s\n`);
  }
  return 0;
}

process.exitCode = await main();
