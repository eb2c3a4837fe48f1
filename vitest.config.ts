import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Some tests wait for processes and clocks; one more than the cores keeps both busy.
    maxWorkers: 3,
    testTimeout: 60_000,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'coverage/results.json' }]]
      : ['default'],
  },
});
