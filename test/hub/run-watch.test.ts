import { describe, expect, it } from 'vitest';
import type { Answer } from '../../firmware-protocol/messages/index.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import type { HubEvent } from '../../src/hub/api.js';
import { BankWatch } from '../../src/hub/expected-moments.js';
import { RunWatch } from '../../src/hub/run-watch.js';
import type { FieldValue, TraceMessage } from '../../src/traces/trace-message.js';
import { VirtualClock } from '../support/virtual-clock.js';

const BOARD = {
  fullScaleMicrovolts: 1_000_000,
  tickLog2: 6,
  driveBits: 12,
  driveRange: 2,
  adcBits: 12,
  tauNs: 1000,
} as unknown as Answer<'hello'>;

describe('the content of a bank', () => {
  /** A watch of one cell with the coupling code 64 and the drive `code`, whose writes were answered. */
  function watched() {
    const banks = new BankWatch();
    let requestId = 0;
    const write = (name: string, fields: Record<string, FieldValue>, isRefused = false): void => {
      requestId++;
      banks.ask({
        kind: 'command',
        name,
        requestId,
        fields: { bank: 0, ...fields },
      } as unknown as TraceMessage);
      banks.answer(requestId, isRefused);
    };
    const drive = (code: number, isRefused = false): void =>
      write('writeDrive', { firstCell: 0, codes: new Uint8Array(Int16Array.of(code).buffer) }, isRefused);
    const define = (cells: number, couplingBits: number, isRefused = false): void =>
      write('defineProgram', { mode: PROGRAM_MODE.dense, cells, rows: cells, couplingBits }, isRefused);
    define(1, 8);
    write('writeCouplings', { firstEntry: 0, codes: Uint8Array.of(64) });
    drive(100);
    const mean = (): number | undefined => banks.equilibriumOf(0, BOARD)?.meanVolts[0];
    return { banks, drive, define, mean };
  }

  it('has only the writes that the board accepted', () => {
    const { banks, drive, define, mean } = watched();
    const before = mean();
    expect(before).toBeGreaterThan(0);
    drive(200, true);
    define(7, 8, true);
    // No program has so many bits, so a board refuses this definition.
    define(1, 99, true);
    expect(mean()).toBe(before);
    expect(banks.cellsOf(0)).toBe(1);
    drive(200);
    expect(mean()).toBeCloseTo(2 * before!, 12);
  });

  it('is solved once, until the bank is written', () => {
    const { banks, drive } = watched();
    const first = banks.equilibriumOf(0, BOARD);
    expect(banks.equilibriumOf(0, BOARD)).toBe(first);
    drive(100);
    expect(banks.equilibriumOf(0, BOARD)).not.toBe(first);
    expect(banks.equilibriumOf(0, BOARD)).toEqual(first);
  });

  it('is unknown if the session ends before the answer', () => {
    const { banks, mean } = watched();
    const codes = Uint8Array.of(1, 0);
    banks.ask({
      name: 'writeDrive',
      requestId: 99,
      fields: { bank: 0, firstCell: 0, codes },
    } as unknown as TraceMessage);
    banks.lose();
    expect(mean()).toBeUndefined();
  });
});

it('moments are reported at the end of a run at most twice a second; those of the last run are always reported', async () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const watch = new RunWatch({
    clock,
    board: 'a',
    owner: () => 'local',
    identity: () => BOARD,
    isWatched: () => true,
    tell: (event: HubEvent) => {
      if (event.type === 'moments') told.push(`run ${event.run} at ${clock.nowMs()} ms`);
    },
  });
  const take = (message: object): void =>
    watch.take({ direction: 'toHost', kind: 'answer', requestId: 0, ...message } as unknown as TraceMessage);
  const ask = (name: string, fields: object, answer: object = {}): void => {
    take({ kind: 'command', name, requestId: 1, fields });
    take({ name, requestId: 1, fields: answer });
  };
  const wait = (ms: number): Promise<void> =>
    clock.run(new Promise<void>((resolve) => void clock.schedule(ms, resolve)));
  ask('defineProgram', { bank: 0, mode: PROGRAM_MODE.dense, cells: 1, rows: 1, couplingBits: 8 });
  const run = (runId: number): void => {
    const start = {
      bank: 0,
      burnInTicks: 1,
      sampleCount: 2,
      ticksPerSample: 1,
      statistics: 0,
      batchSamples: 0,
    };
    ask('start', start, { runId });
    const header = { runId, firstCell: 0, cellCount: 1, firstSample: 0, tick: 0 };
    take({ kind: 'event', name: 'sampleBlock', fields: {}, samples: { header, codes: Int16Array.of(1, 2) } });
    take({ kind: 'event', name: 'runEnded', fields: { runId, outcome: 0 } });
  };
  for (let i = 1; i <= 8; i++) {
    run(i);
    await wait(100);
  }
  await wait(1000);
  // Runs 1 and 6 are reported at their first samples and at their ends. After them, only the last run is
  // reported.
  expect([...new Set(told)]).toEqual(['run 1 at 0 ms', 'run 6 at 500 ms', 'run 8 at 1200 ms']);
  expect(told.length).toBeLessThanOrEqual(5);
});
