import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: 'coverage/results.json' }]]
      : ['default'],
  },
});
