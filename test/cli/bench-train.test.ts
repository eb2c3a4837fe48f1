import { expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';

const PARTS = ['gradientMs', 'curvatureMs', 'mapMs', 'uploadMs', 'boardMs', 'readoutMs', 'otherMs'];

// test/learning/training/trainer.test.ts has the quick test of the parts of a step.
it('bench train tells the time of each part of a step, with a board and without one', {
  tags: 'long',
}, async () => {
  const options = ['--data', fewDigits(), '--steps', '8', '--batch', '8', '--json'];
  const { stdout, stderr, exitCode } = await runCommand('bench', 'train', ...options);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  const { device, steps, timing } = JSON.parse(stdout);
  expect({ device, steps }).toEqual({ device: 'emulator:ideal-crossbar', steps: 8 });
  for (const name of ['tngd', 'control']) {
    const { parts, stepMs, processorMs, garbageShare } = timing[name];
    expect(Object.keys(parts)).toEqual(PARTS);
    const sum = PARTS.reduce((total, part) => total + parts[part], 0);
    // Medians of parts add up to the median of the whole only roughly.
    expect(sum / stepMs).toBeGreaterThan(0.3);
    expect(sum / stepMs).toBeLessThan(2);
    expect(processorMs).toBeGreaterThan(0);
    expect(garbageShare).toBeGreaterThanOrEqual(0);
    expect(garbageShare).toBeLessThan(1);
  }
  const { tngd, control } = timing;
  for (const part of ['curvatureMs', 'mapMs', 'uploadMs', 'boardMs', 'readoutMs']) {
    expect(tngd.parts[part]).toBeGreaterThan(0);
    expect(control.parts[part]).toBe(0);
  }
  expect(tngd.uploadBytes).toBeGreaterThan(0);
  expect(control.uploadBytes).toBe(0);
  expect(timing.ratio).toBeCloseTo(tngd.stepMs / control.stepMs, 12);
});
