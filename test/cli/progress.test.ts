import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Progress, type ProgressOptions } from '../../src/cli/output/progress.js';
import { columnCount } from '../../src/cli/output/text-width.js';
import { anyCharacters } from '../support/law.js';

/** Progress on a terminal or in a file. The tests set the time. */
function setUp(isTTY: boolean, options: Partial<ProgressOptions> = {}, columns = 80) {
  const time = { ms: 5000 };
  const writes: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => writes.push(text) };
  const progress = new Progress({ label: 'train', total: 200, stream, clock: () => time.ms, ...options });
  return { progress, time, writes };
}

/** The text on the lines of a terminal after all output. */
function screen(writes: readonly string[]): string[] {
  const lines = [''];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor.
  const commands = /(\r|\n|\x1b\[K)/;
  for (const part of writes.join('').split(commands)) {
    if (part === '\n') lines.push('');
    else if (part === '\r') lines[lines.length - 1] = `\r${lines[lines.length - 1]}`;
    else if (part === '\x1b[K') lines[lines.length - 1] = lines[lines.length - 1].replace(/\r.*$/s, '');
    else if (part !== '') {
      const old = lines[lines.length - 1].replace('\r', '');
      lines[lines.length - 1] = `${part}\r${[...old].slice([...part].length).join('')}`;
    }
  }
  return lines.map((line) => line.replace('\r', ''));
}

describe('on a terminal', () => {
  it('shows fraction, time passed, time left and the suffix on one line', () => {
    const { progress, time, writes } = setUp(true);
    progress.update(0);
    time.ms += 30_000;
    progress.update(50, 'loss 0.25');
    expect(screen(writes)).toEqual([
      `train  25 % ${'█'.repeat(6)}${'░'.repeat(18)} 0:30, 1:30 left  loss 0.25`,
    ]);
    time.ms += 90_000;
    progress.update(199);
    expect(screen(writes)[0]).toContain(' 99 %');
    progress.clear();
    progress.update(200);
    progress.finish('done');
    expect(screen(writes)).toEqual([`train 100 % ${'█'.repeat(24)} 2:00  done`, '']);
  });

  it('redraws at a rate that the eye can follow', () => {
    const { progress, time, writes } = setUp(true, { total: 1000 });
    for (let step = 0; step < 1000; step++) {
      time.ms += 1;
      progress.update(step);
    }
    expect(writes.length).toBeLessThanOrEqual(14);
  });

  it('lines above the bar stay, and the bar comes back', () => {
    const { progress, time, writes } = setUp(true);
    progress.update(10);
    progress.print('epoch 1: 93.0 %');
    expect(screen(writes)).toEqual(['epoch 1: 93.0 %', '']);
    time.ms += 1;
    progress.update(20);
    progress.finish();
    progress.finish();
    progress.update(30);
    progress.print('late');
    expect(screen(writes)).toEqual(['epoch 1: 93.0 %', expect.stringMatching(/^train {2}10 %/), '']);
  });

  it('never fills the line and never breaks it, for any numbers, texts and widths', () => expectFits(15));

  it(
    'never fills the line and never breaks it, for many more numbers, texts and widths',
    { tags: 'long' },
    () => expectFits(100),
  );

  function expectFits(numRuns: number): void {
    const anyNumber = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(Number.NaN, -1, 0, Number.POSITIVE_INFINITY),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyNumber, anyCharacters, anyNumber)),
        anyNumber,
        anyNumber,
        fc.integer({ min: 0, max: 300 }),
        (updates, total, initial, columns) => {
          const { progress, time, writes } = setUp(true, { total, initial }, columns);
          for (const [done, suffix, ms] of updates) {
            time.ms += ms;
            progress.update(done, suffix);
          }
          progress.finish();
          expect(writes.at(-1)).toBe('\n');
          for (const text of writes.slice(0, -1)) {
            expect([text[0], text.slice(-3)]).toEqual(['\r', '\x1b[K']);
            // No control character gets through.
            expect(text.slice(1, -3)).toMatch(/^\P{Cc}*$/u);
            expect(columnCount(text.slice(1, -3))).toBeLessThan(Math.max(2, columns || 80));
            expect(text).not.toContain('NaN');
          }
        },
      ),
      { numRuns },
    );
  }
});

describe.each([true, false])('before long work (terminal: %s)', (isTTY) => {
  it('is drawn at once, and again with the time that passed', () => {
    const { progress, time, writes } = setUp(isTTY);
    progress.show(0, 'step 1 of 200');
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatch(/ 0 %.*0:00, -:-- left.*step 1 of 200/);
    for (let second = 0; second < 60; second++) {
      time.ms += 1000;
      progress.refresh();
    }
    // Outside a terminal each drawing stays: a line every half minute.
    expect(writes).toHaveLength(isTTY ? 61 : 3);
    expect(writes.at(-1)).toMatch(/1:00, -:-- left.*step 1 of 200/);
    progress.finish();
    progress.show(5);
    progress.refresh();
    expect(writes.join('')).not.toContain('5 of 200');
  });
});

describe('in a file or pipe', () => {
  it('writes a plain line every five seconds, and the last one', () => {
    const { progress, time, writes } = setUp(false);
    for (let step = 1; step <= 120; step++) {
      time.ms += 100;
      progress.update(step, 'loss 0.5');
    }
    progress.finish();
    expect(writes).toEqual([
      'train: 25 % (50 of 200), 0:05, 0:15 left, loss 0.5\n',
      'train: 50 % (100 of 200), 0:10, 0:10 left, loss 0.5\n',
      'train: 60 % (120 of 200), 0:12, 0:08 left, loss 0.5\n',
    ]);
  });

  it('counts the remaining time from the point where it resumed', () => {
    const { progress, time, writes } = setUp(false, { initial: 100 });
    time.ms += 5000;
    progress.update(150);
    expect(writes).toEqual(['train: 75 % (150 of 200), 0:05, 0:05 left\n']);
  });
});

it('is silent when asked', () => {
  const { progress, time, writes } = setUp(true, { silent: true });
  time.ms += 1e6;
  progress.update(5, 'x');
  progress.print('y');
  progress.clear();
  progress.finish();
  expect(writes).toEqual([]);
});
