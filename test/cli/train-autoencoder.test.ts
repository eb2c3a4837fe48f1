import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';

const directory = mkdtempSync(join(tmpdir(), 'thermolink-autoencoder-'));
afterAll(() => rmSync(directory, { recursive: true }));
const images = join(directory, 'images');

/** Images of 8 × 8 pixels: a bright bar. Two numbers give its place and slope. */
function idx(count: number, first: number): [images: Buffer, labels: Buffer] {
  const pixels = Buffer.alloc(16 + count * 64);
  pixels.set([0, 0, 8, 3]);
  for (const [i, size] of [count, 8, 8].entries()) pixels.writeUInt32BE(size, 4 + 4 * i);
  const labels = Buffer.alloc(8 + count);
  labels.set([0, 0, 8, 1]);
  labels.writeUInt32BE(count, 4);
  for (let e = 0; e < count; e++) {
    const [place, slope] = [3.5 + 3 * Math.sin(first + e), Math.cos(2.3 * (first + e))];
    labels[8 + e] = e % 2;
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 8; x++)
        pixels[16 + e * 64 + y * 8 + x] = 255 * Math.exp(-((x - place - slope * (y - 3.5)) ** 2));
  }
  return [pixels, labels];
}

beforeAll(() => {
  mkdirSync(images);
  for (const [name, count, first] of [
    ['train', 256, 0],
    ['t10k', 64, 1000],
  ] as const) {
    const [pixels, labels] = idx(count, first);
    writeFileSync(join(images, `${name}-images-idx3-ubyte`), pixels);
    writeFileSync(join(images, `${name}-labels-idx1-ubyte`), labels);
  }
});

const SMALL = ['--data', images, '--hidden', '8,2,8', '--batch', '64'];

describe('thermolink train autoencoder', () => {
  it('learns by factors that a board inverts, and draws its inputs and outputs', {
    tags: 'long',
  }, async () => {
    const out = join(directory, 'run');
    const device = ['--device', 'emulator:ideal-64'];
    // Two inversions of each factor, in steps 0 and 2.
    const short = [...SMALL, '--steps', '6', '--damping', '1'];
    const { exitCode, stderr } = await runCommand('train', 'autoencoder', ...short, ...device, '--out', out);
    expect(exitCode, stderr).toBe(0);
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
    expect(summary.ticks).toBeGreaterThan(0);
    const losses = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const [first, last] = [losses[0], losses[5]].map((line) => JSON.parse(line).loss);
    expect(last).toBeLessThan(first);
    const svg = readFileSync(join(out, 'curves.svg'), 'utf8');
    for (const text of ['read', 'put out', 'Unexplained share']) expect(svg).toContain(text);
  });

  it('with a digital solver in place of the board, the training ends near the board’s result', {
    tags: 'long',
  }, async () => {
    const { stdout } = await runCommand(
      'train',
      'autoencoder',
      ...SMALL,
      '--steps',
      '30',
      '--preset',
      'exact',
      '--json',
    );
    expect(JSON.parse(stdout).unexplainedShare).toBeLessThan(0.9);
  });

  it('names layers that are too large for the board', async () => {
    const { exitCode, stderr } = await runCommand(
      'train',
      'autoencoder',
      ...SMALL,
      '--device',
      'emulator:ideal-8',
    );
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/TOO_LARGE/);
  });
});
