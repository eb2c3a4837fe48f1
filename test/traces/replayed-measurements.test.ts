import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { runCommand } from '../support/command-line.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
const QUICK = ['--samples', '1000', '--crosspoints', '2'];

/** Measures a board with `--record`, and then its recording. Returns both results without their time. */
async function measuredTwice(words: readonly string[], out: string, result = ''): Promise<unknown[]> {
  const trace = file(`${out}.mcap`);
  const measure = async (name: string, ...device: string[]): Promise<unknown> => {
    const { exitCode, stderr } = await runCommand(...words, '--out', file(name), ...device);
    expect(exitCode, stderr).toBe(0);
    const { measuredAt: _, ...rest } = JSON.parse(readFileSync(path.join(file(name), result), 'utf8'));
    return rest;
  };
  return [
    await measure(`board-${out}`, '--device', 'emulator:prototype-8?die=3', '--record', trace),
    await measure(`replay-${out}`, '--device', `replay:${trace}`),
  ];
}

describe('a recorded measurement', () => {
  it('gives the same from its recording: characterize', { tags: 'long' }, async () => {
    const words = ['characterize', ...QUICK];
    const [board, replay] = await measuredTwice(words, 'whole', 'characterization.json');
    expect(replay).toEqual(board);
  });

  it('gives the same from its recording: extract', { tags: 'long' }, async () => {
    const [board, replay] = await measuredTwice(['extract', ...QUICK], 'profile.json');
    expect(replay).toEqual(board);
  });
});
