import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { EmulatedDevice } from '../../emulator/index.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { runProblemOnce } from '../../src/cli/commands/study/problem-run.js';
import { runStudy, type StudyRequest } from '../../src/cli/commands/study/run-study.js';
import { shareOut } from '../../src/cli/commands/study/share-out.js';
import type { Study, StudyMethod } from '../../src/cli/commands/study/studies.js';
import { StudyProgress } from '../../src/cli/commands/study/study-progress.js';
import { runTable } from '../../src/cli/commands/study/table/run-table.js';
import type { TableRun, TableStudy } from '../../src/cli/commands/study/table/table-study.js';
import { ThermolinkError } from '../../src/errors.js';
import { heatPinn, type PinnProblem } from '../../src/learning/pinn/pinn-problem.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';
import { thrown } from './support/thrown.js';

const root = temporaryDirectory();
let counter = 0;
let out = '';
beforeEach(() => {
  out = join(root, `study ${counter++}`);
});

const BOARD = 'emulator:ideal-1024';
const STEPS = 4;
const METHODS: readonly StudyMethod[] = [
  {
    ...{ label: 'board', name: 'lm', options: { rank: 2, runs: 1, ticks: 64 }, usesBoard: true },
    ...{ meaning: 'with a board', steps: STEPS, stepCost: 3, role: 'board' },
  },
  {
    ...{ label: 'adam', name: 'adam', options: { rate: 0.01, clip: Infinity }, usesBoard: false },
    ...{ meaning: 'first order', steps: STEPS, stepCost: 1, role: 'digital' },
  },
];

/** A study of a tiny heat equation; `watch` is called before each step is evaluated. */
function tinyStudy(watch: () => void = () => undefined): Study {
  return {
    ...{ name: 'tiny', title: 'Tiny', error: 'e', settingsFrom: 'None.', logSteps: true },
    tasksOf: () => {
      const problem = heatPinn({ hidden: [3] });
      const watched: PinnProblem = {
        ...problem,
        evaluate: (point) => {
          watch();
          return problem.evaluate(point);
        },
      };
      return [{ name: 'heat', title: 'Heat', problem: watched, measure: 'relativeError', methods: METHODS }];
    },
  };
}

const requestOf = (uris: readonly string[], study = tinyStudy()): StudyRequest => ({
  ...{ study, seeds: 2, out, quick: false, quiet: true, uris },
});
const neverAborted = new AbortController().signal;

/** All files of trainings in a directory, without fields that depend on the clock. */
function filesIn(directory: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, file);
    if (file.endsWith('weights.safetensors')) found[file] = readFileSync(path);
    if (!/metrics\.jsonl$|summary\.json$/.test(file)) continue;
    const texts = readFileSync(path, 'utf8').split(/\n(?={)/);
    found[file] = texts
      .filter((text) => text.trim() !== '')
      .map((text) => ({ ...(JSON.parse(text) as object), timing: undefined }));
  }
  return found;
}

describe('a study on several boards', () => {
  it('writes the same files as a study on one board', { tags: 'long' }, async () => {
    const one = await runStudy(requestOf([BOARD]), neverAborted);
    const expected = filesIn(out);
    expect(Object.keys(expected)).toHaveLength(2 * METHODS.length * 3);
    out = `${out} two`;
    const several = await runStudy(requestOf([BOARD, BOARD]), neverAborted);
    expect(filesIn(out)).toEqual(expected);
    const labels = ({ trainings }: typeof one) =>
      trainings.map(({ method, seed, records }) => [method, seed, records.length]);
    expect(labels(several)).toEqual(labels(one));
  });

  it('can be continued after an abort, and then has the same files', {
    tags: ['long'],
  }, async () => {
    await runStudy(requestOf([BOARD]), neverAborted);
    const expected = filesIn(out);
    out = `${out} aborted`;
    const abort = new AbortController();
    let evaluations = 0;
    const study = tinyStudy(() => {
      if (++evaluations === 2 * STEPS - 1) abort.abort();
    });
    const error = await thrown(() => runStudy(requestOf([BOARD, BOARD], study), abort.signal));
    expect(error.code).toBe('ABORTED');
    expect(filesIn(out)).not.toEqual(expected);
    await runStudy(requestOf([BOARD, BOARD]), neverAborted);
    expect(filesIn(out)).toEqual(expected);
  });

  it('continues without a failed board, and ends with the error of the last board', {
    tags: ['long'],
  }, async () => {
    const expected = await runStudy(requestOf([BOARD]), neverAborted);
    const files = filesIn(out);
    const served = async () => {
      const profile = findProfile('ideal-1024')!;
      const server = new BoardServer(new EmulatedDevice({ profile, dieSeed: 1 }));
      const { uri, close } = await listenTcp(server, { host: '127.0.0.1', port: 0 });
      const end = async (): Promise<void> => {
        await Promise.all([server.close(), close()]);
      };
      return { uri, end };
    };
    for (const others of [[BOARD], []]) {
      out = `${out} ${others.length}`;
      const board = await served();
      let evaluations = 0;
      let ending: Promise<void> | undefined;
      const study = tinyStudy(() => {
        if (++evaluations === 3) ending = board.end();
      });
      const run = runStudy({ ...requestOf([board.uri, ...others], study), retry: false }, neverAborted);
      if (others.length === 0) expect((await thrown(() => run)).code).toBe('LINK_LOST');
      else {
        expect((await run).trainings.map(({ seed }) => seed)).toEqual(
          expected.trainings.map(({ seed }) => seed),
        );
        expect(filesIn(out)).toEqual(files);
      }
      await ending;
    }
  });

  it('refuses boards of two models before anything is trained', async () => {
    const uris = ['emulator:ideal-8', 'emulator:prototype-8'];
    const error = await thrown(() => runStudy(requestOf(uris), neverAborted));
    expect([error.code, error.message]).toEqual(['BAD_ARGUMENT', 'The boards are ideal-8 and prototype-8.']);
  });

  it('refuses boards of two models with 1,024 cells too', { tags: 'long' }, async () => {
    const error = await thrown(() => runStudy(requestOf([BOARD, 'emulator:prototype-1024']), neverAborted));
    expect([error.code, error.message]).toEqual([
      'BAD_ARGUMENT',
      'The boards are ideal-1024 and prototype-1024.',
    ]);
  });
});

describe('a study of tables on several boards', () => {
  const SIZES = [64, 96, 128];
  /** A search for the best number of ticks on seed 0, and then trainings that take this number. */
  function tables(): TableStudy {
    return {
      ...{ name: 'tables', title: 'Tables', about: [], settingsFrom: 'None.', modelled: 'Nothing.' },
      ...{
        charts: () => [],
        claims: () => [],
        sharing: { first: 'search', needs: () => ({ cells: 1, rows: 1 }), settingsOf: (run) => run },
      },
      parts: ['search', 'reported'].map((name) => ({ name, title: name, columns: [] })),
      runs: ({ seeds }) => [
        ...SIZES.map((ticks) => ({ part: 'search', settings: { ticks }, seed: 0 })),
        ...seeds.flatMap((seed) => [1, 2].map((rank) => ({ part: 'reported', settings: { rank }, seed }))),
      ],
      measure: async ({ part, settings, seed }, lab) => {
        const errorOf = ({ figures }: TableRun): number => figures['error'];
        const searched = lab.done.toSorted((a, b) => errorOf(a) - errorOf(b));
        if (part === 'reported') expect(searched).toHaveLength(SIZES.length);
        const ticks = Number(settings['ticks'] ?? searched[0].settings['ticks']);
        const { figures } = await runProblemOnce({
          ...{ problem: heatPinn({ hidden: [3] }), measure: 'relativeError', steps: 2, seed },
          ...{ optimizer: 'lm', options: { rank: Number(settings['rank'] ?? 2), runs: 1, ticks } },
          ...{ solver: createAnalogSolver(await lab.board()), signal: lab.signal },
        });
        return { figures: { ...figures, taken: ticks } };
      },
    };
  }
  const tablesOn = (uris: readonly string[], study = tables()) => {
    mkdirSync(out, { recursive: true });
    return runTable({ study, scale: { quick: true, seeds: [1, 2] }, out, uris, quiet: true }, neverAborted);
  };

  it('finds the same results as on one board, the search first, and stores them in the same order', {
    tags: 'long',
  }, async () => {
    const one = await tablesOn([BOARD]);
    const stored = readFileSync(join(out, 'runs.json'), 'utf8');
    expect(one).toHaveLength(SIZES.length + 4);
    out = `${out} two`;
    expect(await tablesOn([BOARD, BOARD])).toEqual(one);
    expect(readFileSync(join(out, 'runs.json'), 'utf8')).toBe(stored);
  });

  it('refuses boards of two models before a run', { tags: 'long' }, async () => {
    const error = await thrown(() => tablesOn([BOARD, 'emulator:prototype-1024']));
    expect(error.code).toBe('BAD_ARGUMENT');
    expect(existsSync(join(out, 'runs.json'))).toBe(false);
  });

  it('leaves no files if boards of two models are refused: noise', { tags: 'long' }, () =>
    expectNoFiles('noise'),
  );
  it('leaves no files if boards of two models are refused: pinn', { tags: 'long' }, () =>
    expectNoFiles('pinn'),
  );

  async function expectNoFiles(name: string): Promise<void> {
    const devices = ['--device', BOARD, '--device', 'emulator:prototype-1024'];
    const { stderr, exitCode } = await runCommand('study', name, '--quick', '--out', out, ...devices);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('The boards are')]);
    expect(stderr).not.toContain('--resume');
    expect(existsSync(out)).toBe(false);
  }

  it('is refused if its runs measure times', async () => {
    const twice = ['--device', BOARD, '--device', BOARD];
    const { stderr, exitCode } = await runCommand('study', 'runtime', '--quick', '--out', out, ...twice);
    expect([exitCode > 0, stderr]).toEqual([true, expect.stringContaining('takes one board')]);
  });
});

describe('work that is shared out', () => {
  const pieces = [0, 1, 2, 3, 4, 5, 6];
  const lost = new ThermolinkError('LINK_LOST', 'gone');
  const isLost = (error: unknown): error is ThermolinkError => error === lost;
  const shared = (
    work: (piece: number, worker: string, isAbandoned: boolean, ended: AbortSignal) => Promise<void>,
    isFor: (piece: number, worker: string) => boolean = () => true,
  ) => {
    const leftOut: [string, number][] = [];
    const ended = shareOut(['a', 'b', 'c'], pieces, neverAborted, {
      ...{ isFor, isOfWorker: isLost, leftOut: (worker, _, piece) => leftOut.push([worker, piece]) },
      work: (piece, worker, how) => work(piece, worker, how.isAbandoned, how.ended),
    });
    return { ended, leftOut };
  };

  it('is done piece by piece: each piece once, by a worker that may do it, and one piece at a time per worker', async () => {
    const done: number[] = [];
    const busy = new Set<string>();
    let most = 0;
    const isFor = (piece: number, worker: string): boolean => piece < 3 || worker === 'b';
    const { ended } = shared(async (piece, worker) => {
      expect(busy.has(worker)).toBe(false);
      expect(piece < 3 || worker === 'b').toBe(true);
      busy.add(worker);
      most = Math.max(most, busy.size);
      await new Promise(setImmediate);
      busy.delete(worker);
      done.push(piece);
    }, isFor);
    await ended;
    expect(done.toSorted((a, b) => a - b)).toEqual(pieces);
    expect(most).toBe(3);
  });

  it('of a failed worker goes to another worker, even the last piece; if all workers fail, the last error ends the work', async () => {
    const done: number[] = [];
    const { ended, leftOut } = shared(async (piece, worker, isAbandoned) => {
      await new Promise(setImmediate);
      if (piece === 6 && !isAbandoned) {
        // The other workers have nothing left to do.
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
        throw lost;
      }
      expect(isAbandoned).toBe(piece === 6);
      done.push(piece);
      expect(worker).toBeDefined();
    });
    await ended;
    expect(done.toSorted((a, b) => a - b)).toEqual(pieces);
    expect(leftOut.map(([, piece]) => piece)).toEqual([6]);
    const all = shared(async () => {
      throw lost;
    });
    await expect(all.ended).rejects.toBe(lost);
    expect(all.leftOut).toHaveLength(2);
  });

  it('ends with an error that another worker would get too, after all workers have stopped', async () => {
    const going = new Set<number>();
    const { ended } = shared(async (piece, _, __, signal) => {
      going.add(piece);
      await new Promise(setImmediate);
      if (piece === 1) throw new Error('bad');
      while (!signal.aborted) await new Promise(setImmediate);
      going.delete(piece);
    });
    await expect(ended).rejects.toThrow('bad');
    expect([...going]).toEqual([1]);
  });
});

it('the progress of a study on two boards shows the finished work and halves the remaining time', () => {
  let nowMs = 0;
  const lines: string[] = [];
  const trainings = ['a1', 'a2', 'a3'].map((label) => ({ label, kind: 'a', steps: 10, stepCost: 1 }));
  const stream = { write: (text: string) => lines.push(text) };
  const progress = new StudyProgress(trainings, { silent: false, boards: 2, stream, clock: () => nowMs });
  try {
    progress.begin(0, 0);
    progress.begin(1, 0);
    nowMs = 1000;
    progress.step(0, 5);
    progress.step(1, 5);
    // A board takes 200 ms for a step. Two boards share the 5 + 5 + 10 = 20 steps that are left.
    expect(progress.leftMs).toBeCloseTo(2000);
    progress.step(1, 10);
    progress.end(1);
    progress.begin(2, 0);
    expect(lines.at(-1)).toContain('1 of 3 trainings done: a3, step 1 of 10');
  } finally {
    progress.finish();
  }
});
