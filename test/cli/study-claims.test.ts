import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bestRate,
  rateOf,
  SEARCH,
  searchEdges,
  searchRuns,
} from '../../src/cli/commands/study/curvature-map/rate-search.js';
import { claimsOf } from '../../src/cli/commands/study/results-page.js';
import { RUNTIME } from '../../src/cli/commands/study/runtime.js';
import { isAtEdge } from '../../src/cli/commands/study/setting-search.js';
import type { TableResults } from '../../src/cli/commands/study/table/table-report.js';
import type { TableRun } from '../../src/cli/commands/study/table/table-study.js';
import { runCommand } from '../support/command-line.js';

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

  it('take bits and RC of the cost model into every figure', () => {
    const halved = claimsOf({ ...stored, options: { ...stored.options, bits: 4, rc: 2e-6 } });
    expect(claimsOf(stored)[2].ours).toContain('171 kB: 4.27 ms over USB 2');
    expect(halved[2].ours).toContain('85.5 kB: 2.14 ms over USB 2');
    expect(halved[2].ours).toContain('runs for 1.17 µs');
  });

  it('call a step “about 100 times faster” from a factor of 70 on, and in part from 30 on', () => {
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

  it('claims at most a part over first order while a best rate is at an edge', () => {
    const edges = searchEdges(ofPoisson.runs);
    expect(edges.atEdge).toBeGreaterThan(0);
    const never = changed(ofPoisson, (run) => {
      if (!['adam', 'momentum'].includes(String(run.settings['method'])) || run.part === SEARCH) return run;
      const { stepsToTarget: _, ...figures } = run.figures;
      return { ...run, figures };
    });
    const [steps] = claimsOf(never);
    expect(steps.verdict).toBe('holds in part');
    expect(steps.ours).toContain(`In ${edges.atEdge} of ${edges.searches} searches`);
  });

  it('widens a search of rates until five values are tried', () => {
    const done: TableRun[] = [];
    for (const run of searchRuns('poisson2', 'adam', false)) {
      const rate = rateOf(run.settings, done);
      // The least error is at a rate of 0.12, and a rate above 0.2 diverges.
      done.push({ ...run, figures: rate > 0.2 ? {} : { error: Math.abs(Math.log(rate / 0.12)) } });
    }
    expect(done).toHaveLength(5);
    expect(bestRate(done, 'poisson2', 'adam')).toBe(0.12);
    expect(searchEdges(done)).toEqual({ searches: 1, atEdge: 0 });
    expect(isAtEdge([0.01, 0.03].map((value) => ({ value, error: value })))).toBe(true);
  });
});
