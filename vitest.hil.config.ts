import { configDefaults, defineConfig } from 'vitest/config';
import type { TestCase } from 'vitest/node';
import common from './vitest.config.js';

const skipped: string[] = [];
/** Says at the end what did not run, and why. */
const skips = {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state !== 'skipped') return;
    const why =
      result.note ??
      (test.tags.includes('long') ? 'long: npm run test:hil -- --tags-filter=long' : 'skipped');
    skipped.push(`${test.fullName}: ${why}`);
  },
  onTestRunEnd(): void {
    if (skipped.length > 0) console.log(`\nSkipped:\n  ${skipped.join('\n  ')}`);
  },
};

/**
 * `npm run test:hil`: firmware for microcontrollers in emulators, which needs system packages that `npm test`
 * does without.
 */
export default defineConfig({
  test: {
    ...common.test,
    // Emulated processors are slow, and slower on a machine that does other things too.
    testTimeout: 300_000,
    include: ['test/hil/**/*.test.ts', 'test/device-contract/{contract,link-faults}.test.ts'],
    exclude: configDefaults.exclude,
    env: { THERMOLINK_TEST_HIL: '1' },
    reporters: [...(process.env['CI'] ? ['default', 'json'] : ['default']), skips],
    outputFile: { json: 'coverage/results-hil.json' },
  },
});
