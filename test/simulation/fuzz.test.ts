import { beforeAll, describe, expect, it } from 'vitest';
import { frameParts, fuzz } from './fuzz.js';
import { type Corpus, recordCorpus } from './fuzz-corpus.js';

const SEED = 7;
/** Number of frames. CI takes five million by `npm run fuzz`. */
const FRAMES = 60_000;
const SESSIONS = 300;

describe('damaged bytes', () => {
  let corpus: Corpus;
  beforeAll(async () => {
    corpus = await recordCorpus(2);
  });

  it.each(frameParts(FRAMES))(`$name: no crash and no wrong answer (seed ${SEED})`, async (part) => {
    await expect(fuzz(corpus, part, SEED, () => undefined)).resolves.toBeUndefined();
  });

  it(`sessions: a board carries out only commands of its host (seed ${SEED})`, async () => {
    const part = { name: 'sessions', count: SESSIONS } as const;
    await expect(fuzz(corpus, part, SEED, () => undefined)).resolves.toBeUndefined();
  });
});
