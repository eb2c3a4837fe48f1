import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bestRate,
  SEARCH,
  searchEdges,
  searchRuns,
} from '../../src/cli/commands/study/curvature-map/rate-search.js';
import { claimsOf } from '../../src/cli/commands/study/results-page.js';
import { RUNTIME } from '../../src/cli/commands/study/runtime.js';
import { verdictOf } from '../../src/cli/commands/study/study-results.js';
import type { TableResults } from '../../src/cli/commands/study/table/table-report.js';
import type { TableRun } from '../../src/cli/commands/study/table/table-study.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const storedResults = (study: string): TableResults =>
  JSON.parse(
    readFileSync(new URL(`../../docs/results/${study}.json`, import.meta.url), 'utf8'),
  ) as TableResults;

/** Results with other figures or times: `change` gets each run. */
const changed = (results: TableResults, change: (run: TableRun) => TableRun): TableResults => ({
  ...results,
  runs: results.runs.map(change),
});

const verdictsOf = (results: TableResults): string[] => claimsOf(results).map(({ verdict }) => verdict);

describe('the claims of the study runtime', () => {
  const stored = storedResults('runtime');

  it('use the bits and the RC of the cost model in every figure', () => {
    const changedModel = claimsOf({ ...stored, options: { ...stored.options, bits: 4, rc: 2e-6 } });
    const figures = (claims: ReturnType<typeof claimsOf>): number[] => {
      const [, kB, upload, board] =
        /uploads ([\d.]+) kB: ([\d.]+) ms over USB 2 .* runs for ([\d.]+) µs/.exec(claims[2].ours)!;
      return [kB, upload, board].map(Number);
    };
    const [kB, upload, board] = figures(claimsOf(stored));
    // The texts have three digits.
    for (const [at, factor] of [kB / 2, upload / 2, 2 * board].entries())
      expect(figures(changedModel)[at] / factor).toBeCloseTo(1, 1);
  });

  it('of “about 100 times faster” hold from a factor of 70 on, and hold in part from 30 on', () => {
    const withFactor = (factor: number) => {
      const { runs, options } = stored;
      const [, fast] = /over 50 Gb\/s takes ([\d.]+) ms/.exec(RUNTIME.claims(runs, options)[0].ours)!;
      const hostWorkSeconds = (factor * Number(fast)) / 1000;
      return changed(stored, (run) =>
        run.settings['method'] === 'ngd' ? { ...run, timing: { hostWorkSeconds } } : run,
      );
    };
    const verdicts = [75, 65, 35, 25].map((factor) => verdictsOf(withFactor(factor))[0]);
    expect(verdicts).toEqual(['holds', 'holds in part', 'holds in part', 'does not hold']);
  });

  it.each(['0.5', '0', '33'])('refuse couplings of %s bits', async (bits) => {
    const { exitCode, stderr } = await runCommand('study', 'runtime', '--quick', '--bits', bits);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--bits')]);
  });
});

describe('the map of the study where-curvature-helps', () => {
  const stored = storedResults('where-curvature-helps');
  const ofPoisson = {
    ...stored,
    runs: stored.runs.filter(({ settings }) => settings['problem'] === 'poisson2'),
  };

  it('calls times within a factor of two a tie', () => {
    // The map compares the board with low rank in steps and in time.
    const alike = (factor: number) =>
      changed(ofPoisson, (run) => {
        const isBoard = run.settings['method'] === 'board';
        const figures = { ...run.figures, boardSeconds: 0, uploadBytes: 0, stepsToTarget: 10 };
        return { ...run, figures, timing: { hostWorkSeconds: isBoard ? 1 : factor } };
      });
    const overLowRank = (factor: number) => claimsOf(alike(factor)).at(-1)!.verdict;
    expect([1.9, 2.1, 0.4].map(overLowRank)).toEqual(['a tie', 'holds', 'a digital method wins']);
  });

  it('says that no board is needed if low rank alone ends at as small an error', () => {
    const poisson = (results: TableResults) =>
      claimsOf(results).find(({ claim }) => claim.startsWith('Poisson’s equation in two dimensions'))!;
    expect(poisson(ofPoisson).verdict).toBe('does not hold');
    const worse = changed(ofPoisson, (run) =>
      run.settings['method'] === 'low rank 64, no board' ? { ...run, figures: { error: 1 } } : run,
    );
    expect(poisson(worse).verdict).toBe('holds');
  });

  it('claims at most a part of the advantage over first-order methods if a best rate is the smallest or largest tried', () => {
    expect(searchEdges(ofPoisson.runs).atEdge).toBe(0);
    const atEdge = changed(ofPoisson, (run) => {
      const { method, rate } = run.settings;
      const isLeast = run.part === SEARCH && method === 'adam' && rate === 0.01;
      return isLeast ? { ...run, figures: { error: 0 } } : run;
    });
    const edges = searchEdges(atEdge.runs);
    expect(edges).toEqual({ searches: 2, atEdge: 1 });
    const never = changed(atEdge, (run) => {
      if (!['adam', 'momentum'].includes(String(run.settings['method'])) || run.part === SEARCH) return run;
      const { stepsToTarget: _, ...figures } = run.figures;
      return { ...run, figures };
    });
    const [steps] = claimsOf(never);
    expect(steps.verdict).toBe('holds in part');
    expect(steps.ours).toContain(`In ${edges.atEdge} of ${edges.searches} searches`);
  });

  it('takes the rate with the least error, and no rate whose training failed', () => {
    const done = searchRuns('poisson2', 'adam', false).map((run): TableRun => {
      const rate = Number(run.settings['rate']);
      return { ...run, figures: rate > 0.2 ? {} : { error: 1 / rate } };
    });
    expect(bestRate(done, 'poisson2', 'adam')).toBe(0.1);
    expect(searchEdges(done)).toEqual({ searches: 1, atEdge: 0 });
  });
});

describe('the claims of the study mnist', () => {
  const stored = storedResults('mnist');
  /** The claim that compares tuned methods, if the search of Adam has these losses, by ascending rate. */
  const tuned = (losses: readonly number[]): string => {
    const rates = [0.01, 0.02, 0.04, 0.08];
    const results = changed(stored, (run) => {
      const at = rates.indexOf(Number(run.settings['rate']));
      const isAdam = run.part === 'search' && run.settings['method'] === 'adam';
      return isAdam ? { ...run, figures: { ...run.figures, testLoss: losses[at] } } : run;
    });
    return claimsOf(results).find(({ claim }) => claim.startsWith('The board beats Adam'))!.ours;
  };

  it('name the searches whose best rate is the smallest or the largest', () => {
    expect(tuned([3, 1, 2, 4])).not.toMatch(/largest that was tried for .*adam/);
    expect(tuned([3, 2, 1, 0.5])).toMatch(/largest that was tried for .*adam/);
    expect(tuned([0.5, 2, 3, 4])).toMatch(/largest that was tried for .*adam/);
  });
});

describe('a study of tables on a board that is too small', () => {
  it('is refused before anything is written', () => expectRefused('runtime'));

  // Both studies load the digits, which takes a second.
  it.each(['mnist', 'where-curvature-helps'])(
    '%s is refused before anything is written',
    { tags: 'long' },
    (study) => expectRefused(study),
  );

  async function expectRefused(study: string): Promise<void> {
    const out = join(temporaryDirectory(), 'small');
    const { exitCode, stderr } = await runCommand(
      ...['study', study, '--quick', '--device', 'emulator:ideal-8', '--out', out],
    );
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('TOO_LARGE')]);
    expect(stderr).not.toContain('--resume');
    expect(existsSync(out)).toBe(false);
  }
});

describe('the comparison with the board', () => {
  it('shows no difference if the ranges overlap or the factor is printed as × 1.0', () => {
    const spread = (geometricMean: number) => ({ geometricMean, min: geometricMean, max: geometricMean });
    const verdicts = [0.9, 0.99, 1.01, 1.04, 1.06].map((factor) =>
      verdictOf(spread(factor), spread(1), factor),
    );
    expect(verdicts).toEqual(['lower', 'lower', 'overlap', 'overlap', 'higher']);
    expect(verdictOf({ geometricMean: 2, min: 0.5, max: 4 }, spread(1), 2)).toBe('overlap');
  });
});
