import { configDefaults, defineConfig } from 'vitest/config';
import common from './vitest.config.js';

/**
 * `npm run test:hil`: firmware for microcontrollers in emulators, which needs system packages
 * that `npm test` does without.
 */
export default defineConfig({
  test: {
    ...common.test,
    include: ['test/hil/**/*.test.ts', 'test/device-contract/{contract,link-faults}.test.ts'],
    env: { THERMOLINK_TEST_HIL: '1' },
    exclude: configDefaults.exclude,
    outputFile: { json: 'coverage/results-hil.json' },
  },
});
