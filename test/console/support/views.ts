import type { BoardView, HubEvent, LinkCounters } from '../../../src/hub/api.js';

/** 2026-12-01, 12:00 UTC: tests of the page have a clock of their own. */
export const BEGIN_MS = Date.UTC(2026, 11, 1, 12);

/** A board of eight cells at rest, with the changes of a test. */
export function boardView(changes: Partial<BoardView> = {}): BoardView {
  return {
    name: 'left',
    uri: 'tcp://127.0.0.1:7000',
    health: 'good',
    problem: null,
    state: 'idle',
    identity: {
      model: 'prototype-8',
      serialNumber: '0001',
      firmwareVersion: '1.1',
      bootEpoch: 7,
      cells: 8,
      rows: 0,
      banks: 2,
      tauNs: 1000,
      fullScaleMicrovolts: 1_000_000,
    },
    lease: null,
    queue: [],
    run: null,
    recording: { on: false, sinceMs: null, bytes: 0, hasTrace: false, problem: null },
    ...changes,
  };
}

/** Counters of a link that has worked for `seconds` without loss. */
export function countersAfter(seconds: number, changes: Partial<LinkCounters> = {}): LinkCounters {
  return {
    bytesToBoard: 2000 * seconds,
    bytesToHost: 9000 * seconds,
    frames: 120 * seconds,
    framesFaulty: 0,
    retransmissions: 0,
    sampleFramesLost: 0,
    samplesLost: 0,
    sessions: 1,
    runs: seconds,
    overloads: 0,
    watchdogTrips: 0,
    stops: 0,
    refusals: 0,
    faults: 0,
    leases: 1,
    ...changes,
  };
}

/** Voltages of `cells` cells at the time `seconds`. Each cell has a wave of another phase. */
export function wave(cells: number, seconds: number): number[] {
  return Array.from(
    { length: cells },
    (_, cell) => 0.2 * Math.cos(cell) + 0.05 * Math.sin(5 * seconds + cell),
  );
}

/** A covariance in V² whose entries change their sign from one cell to the next. */
export function covarianceOf(cells: number, scale: number): number[][] {
  return Array.from({ length: cells }, (_, i) =>
    Array.from(
      { length: cells },
      (_, j) => (scale * (-0.6) ** Math.abs(i - j)) / (1 + 0.2 * Math.abs(i - j)),
    ),
  );
}

/** The events of a busy board in one second: ten readings, moments, its counters and a note of a training. */
export function busySecond(board: string, cells: number, second: number): HubEvent[] {
  const timeMs = BEGIN_MS + 1000 * second;
  const run = Math.floor(second / 30) + 1;
  const samples = 2000 * ((second % 30) + 1);
  const readings = Array.from(
    { length: 10 },
    (_, i): HubEvent => ({
      type: 'voltages',
      timeMs: timeMs + 100 * i,
      board,
      run,
      sample: samples + 200 * i,
      tick: 4 * (samples + 200 * i),
      volts: wave(cells, second + i / 10),
    }),
  );
  const error = 1 / Math.sqrt(samples);
  const shown = Math.min(cells, 32);
  const expected = covarianceOf(shown, 1e-4);
  return [
    ...readings,
    {
      type: 'moments',
      timeMs,
      board,
      run,
      samples,
      meanVolts: wave(cells, 0).map((volts, cell) => volts + 0.2 * error * Math.sin(9 * cell)),
      expectedMeanVolts: wave(cells, 0),
      varianceVolts2: Array.from({ length: cells }, () => 1e-4),
      covarianceVolts2: expected.map((row, i) =>
        row.map((value, j) => value * (1 + error * Math.cos(3 * i + 5 * j))),
      ),
      expectedCovarianceVolts2: expected,
    },
    { type: 'link', timeMs: timeMs + 999, board, counters: countersAfter(second + 1) },
    {
      type: 'note',
      timeMs,
      board,
      note: {
        training: 'mnist seed 1',
        step: second,
        values: { trainLoss: 2.3 * Math.exp(-second / 60) + 0.05, testAccuracy: 1 - Math.exp(-second / 40) },
        timeMs,
        owner: 'ada',
      },
    },
  ];
}
