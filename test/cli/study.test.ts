import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { reportHtml } from '../../src/cli/commands/study/report-html.js';
import { runStudy, type StudyRequest } from '../../src/cli/commands/study/run-study.js';
import type { Study, StudyMethod } from '../../src/cli/commands/study/studies.js';
import { claimStudyDirectory } from '../../src/cli/commands/study/study-directory.js';
import { taskFigure } from '../../src/cli/commands/study/study-figure.js';
import { StudyProgress } from '../../src/cli/commands/study/study-progress.js';
import { resultsOf, type StudyResults, spreadOf } from '../../src/cli/commands/study/study-results.js';
import { heatPinn, type PinnProblem } from '../../src/learning/pinn/pinn-problem.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';
import { thrown } from './support/thrown.js';

const root = temporaryDirectory();
let counter = 0;
let out = '';

beforeEach(() => {
  out = join(root, `study ${counter++}`);
});

const LM: StudyMethod = {
  ...{ label: 'board', name: 'lm', options: { rank: 2, runs: 1, ticks: 64 }, usesBoard: true },
  ...{ meaning: 'with <a> board', steps: 4, stepCost: 3, role: 'board' },
};
const ADAM: StudyMethod = {
  ...{ label: 'adam', name: 'adam', options: { rate: 0.01, clip: Infinity }, usesBoard: false },
  ...{ meaning: 'first order', steps: 8, stepCost: 1, role: 'digital' },
};

/** Two methods on a tiny heat equation; takes milliseconds. */
function tinyStudy(problem: PinnProblem = heatPinn({ hidden: [3] }), methods = [LM, ADAM]): Study {
  const task = { name: 'heat', title: 'Heat <&> cold', problem, measure: 'relativeError', methods };
  return {
    ...{ name: 'tiny', title: 'A "tiny" <study>', error: 'e < 1', settingsFrom: 'None & nowhere.' },
    ...{ logSteps: true, tasksOf: () => [task] },
  };
}

const requestOf = (study: Study, seeds = 2): StudyRequest => ({
  ...{ study, seeds, out, quick: false, quiet: true, uris: ['emulator:ideal-crossbar'] },
});

async function resultsFrom(request: StudyRequest, signal = new AbortController().signal) {
  return resultsOf(request, await runStudy(request, signal));
}

const endings = ({ tasks }: StudyResults) =>
  tasks.flatMap(({ methods }) =>
    methods.flatMap(({ trainings }) => trainings.map(({ error, curve }) => ({ error, curve }))),
  );

describe('a study', () => {
  it('that is aborted continues at the same point and finds the same results', { tags: 'long' }, async () => {
    const whole = endings(await resultsFrom(requestOf(tinyStudy())));
    expect(whole.every(({ error }) => error! > 0)).toBe(true);
    out = `${out} aborted`;
    const abort = new AbortController();
    const problem = heatPinn({ hidden: [3] });
    let evaluations = 0;
    const interrupting: PinnProblem = {
      ...problem,
      evaluate: (point) => {
        // The abort comes after the second step of the second training.
        if (++evaluations === LM.steps + 3) abort.abort();
        return problem.evaluate(point);
      },
    };
    const error = await thrown(() => runStudy(requestOf(tinyStudy(interrupting)), abort.signal));
    expect(error.code).toBe('ABORTED');
    const finished = join(out, 'heat/board/seed-1/summary.json');
    const writtenMs = statSync(finished).mtimeMs;
    expect(existsSync(join(out, 'heat/adam/seed-1/checkpoint.bin'))).toBe(true);
    expect(existsSync(join(out, 'heat/adam/seed-1/summary.json'))).toBe(false);
    let resumed = 0;
    const counting: PinnProblem = {
      ...problem,
      evaluate: (point) => {
        resumed++;
        return problem.evaluate(point);
      },
    };
    expect(endings(await resultsFrom(requestOf(tinyStudy(counting))))).toEqual(whole);
    expect(statSync(finished).mtimeMs).toBe(writtenMs);
    // The step during which the study was aborted was finished and stored.
    expect(resumed).toBe(2 * (LM.steps + ADAM.steps) - (LM.steps + 3));
  });

  it('that has ended is used unchanged, takes further seeds, and writes a damaged summary again', {
    tags: 'long',
  }, async () => {
    const first = await resultsFrom(requestOf(tinyStudy(), 1));
    writeFileSync(join(out, 'heat/adam/seed-1/summary.json'), '{"cut');
    const more = await resultsFrom(requestOf(tinyStudy(), 2));
    expect(more.seeds).toEqual([1, 2]);
    expect(more.tasks[0].methods[0].trainings[0]).toEqual(first.tasks[0].methods[0].trainings[0]);
    expect(more.tasks[0].methods[1].trainings[0].error).toBe(first.tasks[0].methods[1].trainings[0].error);
  });

  it('continues when a method diverges, and reports it', async () => {
    const wild: StudyMethod = { ...ADAM, label: 'wild', name: 'sgd', options: { rate: 1e200 } };
    const request = requestOf(tinyStudy(undefined, [LM, wild, ADAM]), 1);
    const results = await resultsFrom(request);
    const [board, failed, adam] = results.tasks[0].methods;
    expect(failed.trainings[0]).toMatchObject({ error: null, failure: { code: 'DIVERGED' } });
    expect(failed.error).toBeUndefined();
    expect([board.error, adam.error].every((error) => error!.min > 0)).toBe(true);
    expect(reportHtml(results, [taskFigure(results.tasks[0], true)], 'x')).toContain('seed 1: DIVERGED');
  });

  it('compares by ranges over the seeds', async () => {
    const results = await resultsFrom(requestOf(tinyStudy()));
    const [board, adam] = results.tasks[0].methods;
    const errors = adam.trainings.map(({ error }) => error!);
    expect(adam.error).toEqual(spreadOf(errors));
    expect(adam.error!.geometricMean).toBeCloseTo(Math.sqrt(errors[0] * errors[1]), 12);
    const { factor, verdict } = adam.againstBoard!;
    expect(factor).toBe(adam.error!.geometricMean / board.error!.geometricMean);
    const [a, b] = [adam.error!, board.error!];
    expect(verdict).toBe(a.max < b.min ? 'lower' : a.min > b.max ? 'higher' : 'overlap');
  });
});

describe('the report of a study', () => {
  it('is one file without scripts or links, and its names are escaped', async () => {
    const results = await resultsFrom(requestOf(tinyStudy(), 1));
    const html = reportHtml(results, [taskFigure(results.tasks[0], true)], 'thermolink study <tiny>');
    expect(html).not.toMatch(/<script|<link|<img|@import|\bon\w+="|javascript:/i);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=|href=|url\(/);
    expect(html).not.toMatch(/<tiny>|<study>|<&>|<a>|<\?xml/);
    for (const text of [
      'A &quot;tiny&quot; &lt;study&gt;',
      'Heat &lt;&amp;&gt; cold',
      'ideal-crossbar',
      '<svg',
    ])
      expect(html).toContain(text);
    expect(html).toContain('Modelled');
  });
});

describe('the directory of a study', () => {
  const MARK = { study: 'pinn', quick: true };

  /** A study that began and ended. */
  function begun(...claim: Parameters<typeof claimStudyDirectory>): void {
    const { begin, release } = claimStudyDirectory(...claim);
    begin();
    release();
  }

  it('is used if it is new or empty, by one study at a time, and again by --resume', async () => {
    const { begin, release } = claimStudyDirectory(out, MARK, false);
    begin();
    expect((await thrown(() => claimStudyDirectory(out, MARK, true))).code).toBe('BUSY');
    release();
    begun(out, MARK, true);
    expect(readdirSync(out)).toEqual(['study.json']);
  });

  it('is left as it was by a study that did not begin', () => {
    claimStudyDirectory(out, MARK, false).release();
    expect(existsSync(out)).toBe(false);
    mkdirSync(out);
    claimStudyDirectory(out, MARK, false).release();
    expect(readdirSync(out)).toEqual([]);
  });

  it('is not continued on another board', async () => {
    begun(out, { ...MARK, board: 'emulator:a' }, false);
    const error = await thrown(() => claimStudyDirectory(out, { ...MARK, board: 'emulator:b' }, true));
    expect(error.message).toContain(
      'the quick study pinn on emulator:a, not the quick study pinn on emulator:b',
    );
  });

  it('has the settings of the study from the start', () => {
    begun(out, MARK, false, { seeds: 3, device: 'emulator:ideal-8' });
    const stored = JSON.parse(readFileSync(join(out, 'study.json'), 'utf8'));
    expect(stored).toMatchObject({ ...MARK, seeds: 3, device: 'emulator:ideal-8' });
  });

  it.each<[string, RegExp, () => void, string[]]>([
    ['holds a study', /already holds a study.*--resume/s, () => begun(out, MARK, false), []],
    ['holds other files', /no study wrote.*--out/s, () => fill('notes.txt', ''), []],
    ['does not exist', /no study to continue.*--resume/s, () => {}, ['--resume']],
    ['holds another study', /the full study quantum, not the quick study pinn/, other, ['--resume']],
    ['has a damaged mark', /BAD_FILE.*mark of a study/s, () => fill('study.json', '{"stu'), ['--resume']],
  ])('that %s is refused before anything is trained', async (_, message, prepare, options) => {
    prepare();
    const before = existsSync(out) ? readdirSync(out) : [];
    const { stdout, stderr, exitCode } = await runCommand(
      'study',
      'pinn',
      '--quick',
      '--out',
      out,
      ...options,
    );
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(exitCode).toBeGreaterThan(0);
    expect(existsSync(out) ? readdirSync(out) : []).toEqual(before);
  });

  function fill(name: string, content: string): void {
    mkdirSync(out);
    writeFileSync(join(out, name), content);
  }

  function other(): void {
    begun(out, { study: 'quantum', quick: false }, false);
  }
});

describe('the time left of a study', () => {
  it('is known at once after a resume, from the earlier measurements', () => {
    const training = { label: 'a2', kind: 'a', steps: 10, stepCost: 4 };
    const spent = new Map([['a', { ms: 3000, steps: 10, cost: 4 }]]);
    const progress = new StudyProgress([training], { silent: true, spent, clock: () => 0 });
    progress.begin(0, 4);
    expect(progress.leftMs).toBe(6 * 300);
    progress.finish();
  });

  it('is guessed from relative costs, then from measured steps', () => {
    let nowMs = 0;
    const lines: string[] = [];
    const trainings = [
      { label: 'a1', kind: 'a', steps: 10, stepCost: 4 },
      { label: 'b1', kind: 'b', steps: 10, stepCost: 1 },
      { label: 'a2', kind: 'a', steps: 10, stepCost: 4 },
    ];
    const stream = { write: (text: string) => lines.push(text) };
    const progress = new StudyProgress(trainings, { silent: false, stream, clock: () => nowMs });
    try {
      progress.begin(0, 0);
      expect(progress.leftMs).toBeNaN();
      nowMs = 4000;
      progress.step(0, 5);
      // A step of the kind a took 800 ms, so the guess for the kind b is 200 ms a step. The sum is 5 · 800 +
      // 10 · 200 + 10 · 800.
      expect(progress.leftMs).toBeCloseTo(14_000);
      nowMs = 8000;
      progress.step(0, 10);
      progress.end(0);
      progress.begin(1, 0);
      nowMs = 9000;
      progress.step(1, 2);
      // The measured time of a step of the kind b is 500 ms.
      expect(progress.leftMs).toBeCloseTo(8 * 500 + 8000);
      expect(lines.at(-1)).toContain('2 of 3 trainings: b1, step 1 of 10');
    } finally {
      progress.finish();
    }
  });
});

describe('thermolink study', () => {
  // The quick tests are those of runStudy above.
  it('writes data, pictures and a report, quickly', { tags: 'long' }, async () => {
    const { stdout, stderr, exitCode } = await runCommand(
      'study',
      'pinn',
      '--quick',
      '--seeds',
      '1',
      '--out',
      out,
    );
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/^Heat equation, 1 seed\n[\s\S]*Stored in /),
    ]);
    expect(stderr).toMatch(
      /^study: 0 %.*1 of 17 trainings: heat, board, search, rate 0.5, seed 0, step 1 of 20\n/,
    );
    expect(readdirSync(out).sort()).toEqual([
      'heat',
      'heat.svg',
      'report.html',
      'results.json',
      'search',
      'study.json',
    ]);
    const stored = readFileSync(join(out, 'results.json'), 'utf8');
    rmSync(join(out, 'report.html'));
    const again = await runCommand(
      'study',
      'pinn',
      '--quick',
      '--seeds',
      '1',
      '--out',
      out,
      '--resume',
      '--json',
    );
    expect(again).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(stored));
    expect(existsSync(join(out, 'report.html'))).toBe(true);
    // Every method beats the start, at which the error is about 1.
    for (const { error } of endings(JSON.parse(stored))) expect(error).toBeLessThan(0.6);
  });

  it('of quantum states finds the board ahead of Adam', { tags: 'long' }, async () => {
    const { stdout, exitCode } = await runCommand('study', 'quantum', '--quick', '--out', out, '--json');
    expect(exitCode).toBe(0);
    const [ising] = (JSON.parse(stdout) as StudyResults).tasks;
    const adam = ising.methods.find(({ name }) => name === 'adam')!;
    expect(adam.againstBoard).toMatchObject({ verdict: 'higher' });
  });

  it('refuses an unknown study, and invalid numbers', async () => {
    expect((await runCommand('study', 'alchemy')).exitCode).toBe(2);
    for (const seeds of ['0', '-1', 'NaN', '1e9'])
      expect((await runCommand('study', 'pinn', '--seeds', seeds)).stderr).toContain('--seeds');
  });

  it('names a board that is too small before anything is trained', async () => {
    const refused = await runCommand(
      'study',
      'pinn',
      '--quick',
      '--out',
      out,
      '--device',
      'emulator:ideal-8',
    );
    expect(refused.stderr).toMatch(/UNSUPPORTED|TOO_LARGE/);
    expect(existsSync(join(out, 'heat'))).toBe(false);
  });
});
