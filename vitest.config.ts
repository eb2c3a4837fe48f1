import { defineConfig } from 'vitest/config';

const LONG = 'test/**/*.long.test.ts';

/** What both sets of tests share. */
const shared = {
  testTimeout: 60_000,
  // A worker keeps the modules that it has loaded for its next file: loading them anew for each takes a third of the time.
  isolate: false,
};

export default defineConfig({
  test: {
    // Some tests wait for processes and clocks; one more worker than the cores keeps both busy.
    maxWorkers: 3,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'coverage/results.json' }]]
      : ['default'],
    projects: [
      { test: { ...shared, name: 'quick', include: ['test/**/*.test.ts'], exclude: [LONG] } },
      { test: { ...shared, name: 'long', include: [LONG] } },
    ],
  },
});
