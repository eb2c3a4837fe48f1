import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CLASSIFIER_FIGURES, TrainingDisplay } from '../../src/cli/commands/train/training-display.js';
import { type StepRecord, ZERO_TIMING } from '../../src/learning/record.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(isTTY: boolean, silent = false) {
  const writes: string[] = [];
  const stream = { isTTY, columns: 120, write: (text: string) => writes.push(text) };
  const display = new TrainingDisplay({ label: 'tngd', silent, figures: CLASSIFIER_FIGURES, stream });
  return { display, writes, last: () => writes.at(-1) };
}

function record(step: number, loss: number, accuracy: number): StepRecord {
  return {
    step,
    epoch: 0,
    loss,
    accuracy,
    uploadBytes: 0,
    boardSeconds: 0,
    ticks: 0,
    overloadRetries: 0,
    repeats: 0,
    clampedCodes: 0,
    timing: ZERO_TIMING,
  };
}

describe.each([true, false])('a training shown (terminal: %s)', (isTTY) => {
  it('shows the present work at once, until the first step', () => {
    const { display, last } = setUp(isTTY);
    display.phase('loading the data');
    expect(last()).toContain('tngd: loading the data …');
    display.phase('connecting to serial:/dev/ttyUSB0');
    expect(last()).toContain('tngd: connecting to serial:/dev/ttyUSB0 …');
    display.start(0, 468);
    expect(last()).toContain(' 0 %');
    expect(last()).toContain('step 1 of 468');
    void display.finish();
  });

  it('shows that time passes while a step takes long, and nothing after its end', () => {
    const { display, writes, last } = setUp(isTTY);
    display.start(0, 468);
    vi.advanceTimersByTime(31_000);
    expect(last()).toMatch(/0:3[01], -:-- left/);
    expect(writes.length).toBeLessThan(isTTY ? 65 : 3);
    void display.finish();
    const { length } = writes;
    vi.advanceTimersByTime(60_000);
    expect(writes).toHaveLength(length);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shows the means of the steps so far, as means, and short numbers only', () => {
    const { display, writes } = setUp(isTTY);
    display.start(0, 400);
    for (const [step, loss] of [3, 2, 1].entries()) display.update(record(step, loss, loss / 10), 400);
    void display.finish();
    expect(writes.join('')).toContain('running means: loss 2.00, accuracy 20.0 %');
    const huge = setUp(isTTY);
    huge.display.start(0, 400);
    huge.display.update(record(0, 123_456_789_012.3456, 0), 400);
    void huge.display.finish();
    expect(huge.writes.join('')).toContain('running means: loss 1.23e11, accuracy 0.0 %');
  });

  it('gives the newest step a weight of 5 % in the means after twenty steps', () => {
    const { display, writes } = setUp(isTTY);
    display.start(0, 400);
    for (let step = 0; step < 100; step++) display.update(record(step, 1, 0), 400);
    display.update(record(100, 3, 1), 400);
    void display.finish();
    expect(writes.join('')).toContain('loss 1.10, accuracy 5.0 %');
  });

  it('says that it tests after the last step', () => {
    const { display, last, writes } = setUp(isTTY);
    display.start(0, 2);
    display.update(record(0, 1, 0.5), 2);
    display.update(record(1, 1, 0.5), 2);
    expect(last()).toMatch(/100 %.*testing/);
    void display.finish();
    expect(writes.slice(-3).join('')).toMatch(/100 %.*running means/);
  });

  it('is silent when asked', () => {
    const { display, writes } = setUp(isTTY, true);
    display.phase('loading the data');
    display.start(0, 2);
    display.update({ ...record(0, 1, 0.5), clampedCodes: 7 }, 2);
    vi.advanceTimersByTime(60_000);
    void display.finish();
    expect(writes).toEqual([]);
  });
});
