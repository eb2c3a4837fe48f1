import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files whose long tests take more than a minute on two cores, the longest first. */
const LONGEST = [
  'farm/demonstration',
  'traces/verify/power',
  'device-contract/rough-line',
  'conformance/conformance',
  'docs/documents',
  'cli/table-study',
  'hub/attack/attack',
  'algorithms/solve-limits',
  'lucidac/solver',
  'learning/training/train-problem',
  'console/page-growth',
  'cli/train-pinn',
  'console/page',
  'cli/stopped-process',
  'algorithms/qp',
  'reference-firmware/fuzz',
  'hub/attack/tls-attack',
  'web/try-page',
  'cli/demo',
].map((name) => `test/${name}.test.ts`);

/** Begins with the longest files: a long file that begins last keeps one core busy and the other one idle. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need system packages: `npm run test:hil` has a configuration of its own.
    exclude: [...configDefaults.exclude, 'test/hil/**'],
    testTimeout: 60_000,
    // Hooks compile the C device. On a busy machine this takes longer than the default time limit.
    hookTimeout: 120_000,
    tags: [
      {
        name: 'long',
        description:
          'Needs more than about a second of processor time. `npm test` leaves it out, `npm run test:long` runs nothing else;  ' +
          'beside it stands a quick test of the same kind.',
        timeout: 600_000,
      },
    ],
    // A worker keeps the modules that it has loaded for its next file: loading them anew for each takes a
    // third of the time.
    isolate: false,
    // Transformed modules stay in node_modules, by a hash of their text: all tests then start in two thirds
    // of the processor time.
    experimental: { fsModuleCache: true },
    // Tests make much garbage that lives shortly: with a larger young generation they take a tenth less
    // processor time.
    execArgv: ['--max-semi-space-size=32'],
    // Some tests wait for processes and clocks; one more worker than the cores keeps both busy.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: process.env['CI'] ? ['default', 'json'] : ['default'],
    outputFile: { json: 'coverage/results.json' },
  },
});
