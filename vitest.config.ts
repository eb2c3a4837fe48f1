import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: more workers only make the timings of the progress bars noisy.
    maxWorkers: 2,
    testTimeout: 60_000,
    reporters: ['default'],
  },
});
