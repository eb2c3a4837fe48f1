import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellAt, divergingColor, largestSize } from '../../src/console/charts/scales.js';
import { boardNameOf, hashOf } from '../../src/console/state/board-address.js';
import {
  BoardState,
  CURVES_MAX,
  DISTANCE,
  NOTE_ROWS_MAX,
  RATE,
  RATE_ROWS_MAX,
  TRAININGS_MAX,
  VOLTAGE_ROWS_MAX,
} from '../../src/console/state/board-state.js';
import { connectionText, retryMs } from '../../src/console/state/connection-text.js';
import { ConsoleState, INCIDENTS_MAX } from '../../src/console/state/console-state.js';
import { relativeDistance } from '../../src/console/state/distance.js';
import { PooledMoments } from '../../src/console/state/pooled-moments.js';
import { Ring } from '../../src/console/state/ring.js';
import { durationText, formatSquareVolts, formatVolts, stateText } from '../../src/console/state/texts.js';
import { EVENT, type HubEvent, type HubEventOf } from '../../src/hub/api.js';
import { BEGIN_MS, boardView, busySecond, countersAfter } from './support/views.js';

const hello = (...boards: ReturnType<typeof boardView>[]): HubEvent => ({
  type: 'hello',
  timeMs: BEGIN_MS,
  version: '0.1.0',
  owner: 'ada',
  right: 'stop',
  boards,
});

describe('a ring buffer', () => {
  it('holds the newest rows in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 40 }), (capacity, count) => {
        const ring = new Ring(2, capacity);
        const rows = Array.from({ length: count }, (_, i) => [i, -i]);
        for (const row of rows) ring.push(row);
        const kept = rows.slice(-capacity);
        expect(Array.from(ring.column(0))).toEqual(kept.map(([first]) => first));
        expect(Array.from(ring.column(1))).toEqual(kept.map(([, second]) => second));
        expect(ring.last(1)).toBe(kept.at(-1)?.[1] ?? Number.NaN);
      }),
      { seed: 103, numRuns: 60 },
    );
  });

  it('has a gap if a row is short', () => {
    const ring = new Ring(3, 2);
    ring.push([1]);
    expect(ring.column(2)).toEqual(new Float64Array([Number.NaN]));
  });
});

describe('the state of the page', () => {
  it('is tested with events of the form that the server promises', () => {
    for (const event of [hello(boardView()), ...busySecond('left', 40, 3)]) EVENT.parse(event);
  });

  it('is bounded for any events', () => {
    const state = new ConsoleState();
    state.apply(hello(boardView()));
    for (let second = 0; second < 1.1 * RATE_ROWS_MAX; second++)
      for (const event of busySecond('left', 4, second)) state.apply(event);
    for (let i = 0; i < 3 * INCIDENTS_MAX; i++)
      state.apply({
        type: 'incident',
        timeMs: BEGIN_MS,
        board: null,
        what: 'refused',
        owner: null,
        text: `${i}`,
      });
    const board = state.boards.get('left')!;
    const note = { timeMs: BEGIN_MS, owner: 'ada' };
    for (let i = 0; i < 1.1 * NOTE_ROWS_MAX; i++)
      board.takeNote({ ...note, training: 'long', step: i, values: { [`v${i % 50}`]: i } });
    const { names, rows } = board.trainings.get('long')!;
    expect([names.length, rows.length]).toEqual([CURVES_MAX, NOTE_ROWS_MAX]);
    for (let i = 0; i < 3 * TRAININGS_MAX; i++)
      board.takeNote({ ...note, training: `${i % 9}`, step: i, values: { loss: i } });
    expect(board.voltages!.length).toBe(VOLTAGE_ROWS_MAX);
    expect(board.rates.length).toBe(RATE_ROWS_MAX);
    expect(board.trainings.size).toBe(TRAININGS_MAX);
    expect(state.incidents).toHaveLength(INCIDENTS_MAX);
    expect(state.incidents[0].text).toBe(`${3 * INCIDENTS_MAX - 1}`);
  });

  it('keeps the state of a board after a new greeting of the server, and forgets boards that are gone', () => {
    const state = new ConsoleState();
    state.apply(hello(boardView(), boardView({ name: 'right' })));
    for (const event of busySecond('left', 4, 0)) state.apply(event);
    state.apply(hello(boardView({ state: 'safe' })));
    expect([...state.boards.keys()]).toEqual(['left']);
    expect(state.boards.get('left')!.view.state).toBe('safe');
    expect(state.boards.get('left')!.voltages!.length).toBe(10);
    expect(state.boards.get('left')!.trainings.size).toBe(1);
  });

  it('ignores unknown events, and events of unknown boards', () => {
    const state = new ConsoleState();
    state.apply(hello(boardView()));
    state.apply({ type: 'weather', timeMs: BEGIN_MS } as never);
    for (const event of busySecond('nowhere', 4, 0)) state.apply(event);
    expect(state.boards.size).toBe(1);
  });

  it('knows the actions that a right includes', () => {
    const state = new ConsoleState();
    expect(state.may('observe')).toBe(false);
    state.apply(hello(boardView()));
    expect([state.may('observe'), state.may('stop'), state.may('drive')]).toEqual([true, true, false]);
  });
});

describe('the state of a board', () => {
  it('does not connect the lines of two runs', () => {
    const board = new BoardState(boardView());
    const reading = { type: 'voltages', board: 'left', sample: 0, tick: 0 } as const;
    board.takeVoltages({ ...reading, timeMs: 1, run: 1, volts: [1] });
    board.takeVoltages({ ...reading, timeMs: 2, run: 2, volts: [2] });
    expect(Array.from(board.voltages!.column(1))).toEqual([1, Number.NaN, 2]);
  });

  it('shows one minute of voltages, both of one run and of many runs with one reading each', () => {
    for (const runLength of [1, 1_000_000]) {
      const board = new BoardState(boardView());
      for (let i = 0; i < 2000; i++)
        board.takeVoltages({
          ...{ type: 'voltages', board: 'left', sample: 0, tick: 0, timeMs: BEGIN_MS + 100 * i },
          ...{ run: Math.floor(i / runLength), volts: [i] },
        });
      const times = board.newestVoltages(0);
      expect(times.at(-1)! - times[0]).toBeGreaterThanOrEqual(59_900);
      expect(times.at(-1)! - times[0]).toBeLessThanOrEqual(60_000);
      expect(board.newestVoltages(1).at(-1)).toBe(1999);
    }
  });

  it('makes rates of counters: the increase divided by its time', () => {
    const board = new BoardState(boardView());
    const link = (timeMs: number, counters: ReturnType<typeof countersAfter>): void =>
      board.takeCounters({ type: 'link', timeMs, board: 'left', counters });
    link(1000, countersAfter(1));
    link(3000, countersAfter(3, { retransmissions: 4, samplesLost: 2 }));
    expect(board.rates.last(RATE.bytesToBoard)).toBe(2000);
    expect(board.rates.last(RATE.trouble)).toBe(3);
    // A restarted server counts from zero.
    link(4000, countersAfter(1));
    expect(board.rates.last(RATE.bytesToBoard)).toBe(0);
  });

  it('has the distance between the moments of one run and their expected values', () => {
    const board = new BoardState(boardView());
    const moments = {
      type: 'moments',
      timeMs: 1,
      board: 'left',
      varianceVolts2: null,
      covarianceVolts2: null,
      expectedCovarianceVolts2: null,
    } as const;
    board.takeMoments({ ...moments, run: 1, samples: 10, meanVolts: [1, 1], expectedMeanVolts: [1, 0] });
    expect(board.distances.last(DISTANCE.mean)).toBe(1);
    expect(board.distances.last(DISTANCE.covariance)).toBeNaN();
    board.takeMoments({ ...moments, run: 2, samples: 10, meanVolts: [1, 1], expectedMeanVolts: null });
    expect(board.distances.length).toBe(0);
  });

  it('keeps the points of a training when another curve is added', () => {
    const board = new BoardState(boardView());
    const note = { training: 'a', timeMs: 1, owner: 'ada' };
    board.takeNote({ ...note, step: 1, values: { trainLoss: 3 } });
    board.takeNote({ ...note, step: 2, values: { trainLoss: 2, testAccuracy: 0.5 } });
    const { names, rows } = board.trainings.get('a')!;
    expect(names).toEqual(['trainLoss', 'testAccuracy']);
    expect(Array.from(rows.column(1))).toEqual([3, 2]);
    expect(Array.from(rows.column(2))).toEqual([Number.NaN, 0.5]);
  });
});

describe('the board in the address', () => {
  it('is the board of the link; any other text names no board', () => {
    for (const name of ['left', 'a/b', '50 %', '#/%', 'ü']) expect(boardNameOf(hashOf(name))).toBe(name);
    for (const hash of ['', '#', '#main', '#left', '#/%', '#/%ff']) expect(boardNameOf(hash)).toBeUndefined();
  });
});

describe('moments of runs of one program', () => {
  const none = { varianceVolts2: null, covarianceVolts2: null };
  const program = { expectedMeanVolts: [0.1, 0.2, 0.3], expectedCovarianceVolts2: [[1, 0, 0]] };

  /** Mean and sample covariance of samples, by their definitions. */
  function momentsOf(run: number, samples: readonly (readonly number[])[]): HubEventOf<'moments'> {
    const n = samples.length;
    const mean = [0, 1, 2].map((i) => samples.reduce((sum, sample) => sum + sample[i], 0) / n);
    const entry = (i: number, j: number): number =>
      samples.reduce((sum, sample) => sum + (sample[i] - mean[i]) * (sample[j] - mean[j]), 0) / (n - 1);
    const covariance = [0, 1, 2].map((i) => [0, 1, 2].map((j) => entry(i, j)));
    return {
      ...{ type: 'moments', timeMs: run, board: 'left', run, samples: n, meanVolts: mean, ...program },
      ...(n > 1
        ? { varianceVolts2: covariance.map((row, i) => row[i]), covarianceVolts2: covariance }
        : none),
    };
  }

  it('are those of all their samples', () => {
    const volt = fc.integer({ min: -999, max: 999 }).map((code) => code / 1000);
    const run = fc.array(fc.tuple(volt, volt, volt), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 5 }), ([first, ...others]) => {
        // The first run has at least two samples and therefore a variance. Nothing is added to moments
        // without one.
        const runs = [[...first, [0.5, 0.5, 0.5]], ...others];
        const pooled = new PooledMoments();
        runs.forEach((samples, i) => {
          // The moments that come before the end of a run must not count twice.
          pooled.take(momentsOf(i, samples.slice(0, Math.ceil(samples.length / 2))));
          pooled.take(momentsOf(i, samples));
        });
        const { shown } = pooled;
        const expected = momentsOf(0, runs.flat());
        expect([shown!.runs, shown!.samples]).toEqual([runs.length, expected.samples]);
        const numbers = (one: HubEventOf<'moments'>): readonly number[] => [
          ...one.meanVolts,
          ...one.varianceVolts2!,
          ...one.covarianceVolts2!.flat(),
        ];
        // With values below 1 V and 46 samples at most, rounding errors are far below 10⁻¹².
        for (const [i, value] of numbers(shown!).entries())
          expect(value).toBeCloseTo(numbers(expected)[i], 12);
      }),
      { seed: 104, numRuns: 60 },
    );
  });

  const [few, more] = [
    momentsOf(1, [
      [1, 2, 3],
      [2, 2, 2],
    ]),
    momentsOf(2, [
      [1, 0, 1],
      [3, 1, 0],
    ]),
  ];

  it('begin anew with another program, or if the program is unknown', () => {
    for (const changed of [
      { expectedMeanVolts: [0.1, 0.2, 0.4] },
      { expectedCovarianceVolts2: [[1, 0, 1]] },
      { expectedCovarianceVolts2: null },
      { expectedMeanVolts: null, expectedCovarianceVolts2: null },
    ]) {
      const board = new BoardState(boardView());
      board.takeMoments(few);
      board.takeMoments(more);
      expect(board.moments).toMatchObject({ runs: 2, samples: 4 });
      expect(Array.from(board.distances.column(DISTANCE.samples))).toEqual([2, 4]);
      board.takeMoments({ ...more, run: 3, ...changed });
      expect(board.moments).toMatchObject({ runs: 1, samples: 2, meanVolts: more.meanVolts });
      expect(board.distances.length).toBeLessThan(2);
    }
  });

  it('stay until the variances of the newest run have come', () => {
    const board = new BoardState(boardView());
    board.takeMoments(few);
    board.takeMoments({ ...more, ...none });
    expect(board.moments).toMatchObject({ run: 1, runs: 1, samples: 2 });
    expect(board.distances.length).toBe(1);
    board.takeMoments(more);
    expect(board.moments).toMatchObject({ run: 2, runs: 2, samples: 4 });
  });
});

describe('scales', () => {
  const colors = { negative: [0, 0, 255], zero: [255, 255, 255], positive: [255, 0, 0] } as const;

  it('give zero the middle colour, and give values at or beyond the limit the colours at the ends', () => {
    expect(divergingColor(0, 2, colors)).toEqual(colors.zero);
    expect(divergingColor(2, 2, colors)).toEqual(colors.positive);
    expect(divergingColor(-9, 2, colors)).toEqual(colors.negative);
    expect(divergingColor(1, 2, colors)).toEqual([255, 128, 128]);
  });

  it('find the largest size of finite values, and never zero', () => {
    expect(largestSize([1, -3], undefined, [Number.NaN, Number.POSITIVE_INFINITY])).toBe(3);
    expect(largestSize([0])).toBeGreaterThan(0);
  });

  it('find the entry under a pointer', () => {
    expect(cellAt(0.99, 0, 4)).toEqual({ row: 0, column: 3 });
    expect(cellAt(1, 0, 4)).toBeUndefined();
    expect(cellAt(-0.1, 0, 4)).toBeUndefined();
  });

  it('distance is relative to the expected value', () => {
    expect(relativeDistance([3, 4], [3, 0])).toBe(4 / 3);
    expect(relativeDistance([1], [0])).toBeNaN();
  });
});

describe('texts', () => {
  it('write numbers with units', () => {
    expect([0, 0.0123, 1, -0.000456, Number.NaN].map(formatVolts)).toEqual([
      '0 nV',
      '12.3 mV',
      '1.00 V',
      '-456 µV',
      '– V',
    ]);
    expect(formatSquareVolts(1e-4)).toBe('100 mV²');
    expect([0, 119_000, 120_000, 7_200_000].map((ms) => durationText(0, ms))).toEqual([
      '0 s',
      '119 s',
      '2 min',
      '2 h',
    ]);
  });

  it('show no state for a board that cannot be reached', () => {
    expect(stateText(boardView({ health: 'lost', state: 'running' })).text).toBe('not reached');
    expect(stateText(boardView({ health: 'opening', state: null })).text).toBe('being opened');
    expect(stateText(boardView({ state: 'running' }))).toEqual({ text: 'running', mark: 'good' });
  });

  it('tell that the server is gone and the time of the next attempt, at growing intervals', () => {
    expect([1, 2, 3, 4, 5, 6, 99].map(retryMs)).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
    expect(connectionText({ kind: 'lost', sinceMs: 0, retryMs: 4000 })).toContain('has not answered');
  });
});
