import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const out = join(temporaryDirectory(), 'out');
const NOWHERE = 'nats://127.0.0.1:9';

describe('a board that is named twice', () => {
  it.each([
    [['serve']],
    [['console', '--no-open']],
    [['farm', 'worker', '--nats', NOWHERE]],
    [['study', 'quantum', '--quick', '--out', out]],
    [['study', 'noise', '--quick', '--out', out]],
    [['train', 'mnist', '--blocks', 'layers', '--out', out]],
  ])('is refused by %j before anything is connected or stored', async (args) => {
    // No board is there: an attempt to connect would end in another error.
    const board = 'tcp://127.0.0.1:9';
    const { exitCode, stderr } = await runCommand(...args, '--device', board, '--device', board);
    expect(stderr).toContain(`names ${board} twice. Name each board once.`);
    expect(exitCode).toBe(2);
  });
});
