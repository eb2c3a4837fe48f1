import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../repository/files.js';
import { type ProgramTable, recordedRun } from './program.js';
import { CALCULUS } from './programs/calculus.js';
import { CONTROL_AND_PROGRAMS } from './programs/control.js';
import { MEASURING } from './programs/measuring.js';
import { OPTIMIZERS } from './programs/optimizers.js';
import { PARTS } from './programs/parts.js';
import { PROBLEMS } from './programs/problems.js';
import { RARE_PATHS } from './programs/rare-paths.js';
import { RARE_TRAINING } from './programs/rare-training.js';
import { SAMPLING } from './programs/sampling.js';
import { SOLVING } from './programs/solving.js';
import { THRESHOLDS } from './programs/thresholds.js';
import { differences, type Recorded, textOf } from './recorded-value.js';

const FOLDER = path.join(ROOT, 'test/recorded-results/results');
const PROGRAMS: ProgramTable = {
  ...SOLVING,
  ...SAMPLING,
  ...CALCULUS,
  ...CONTROL_AND_PROGRAMS,
  ...MEASURING,
  ...OPTIMIZERS,
  ...PROBLEMS,
  ...RARE_PATHS,
  ...RARE_TRAINING,
  ...PARTS,
  ...THRESHOLDS,
};
const LINES_MAX = 40;

/** These programs take more than half of the processor time of all programs. Each has a quick one like it. */
const LONG: ReadonlySet<string> = new Set([
  ...['threshold-off-under-noise-damped', 'threshold-fluctuations-damped', 'threshold-conditions'],
  ...[
    'solve-fails',
    'solve-damped',
    'solve-damped-unlike-units',
    'off-under-noise',
    'invert-damped',
    'qp-hard',
  ],
  ...['characterize-spu', 'characterize-prototype', 'characterize-crossbar', 'characterize-harsh'],
  ...['calibrate-prototype', 'calibrate-cells-alone', 'calibrate-resumed', 'extract-prototype'],
  ...['extract-harsh', 'extract-crossbar', 'calibrate-crossbar', 'compare-boards', 'broken-boards'],
  ...['threshold-silent-cells', 'characterize-silent-cell', 'overload-for-ever', 'train-tngd-delayed'],
  ...['kfac-long', 'burgers-trained'],
  ...['calibration-records', 'overload-solve', 'solve-by-ideal-sampler', 'train-convolution', 'burgers'],
  ...['threshold-fluctuations', 'solve-harsh', 'solve-imperfect-damped', 'training-files'],
]);

describe('recorded results', () => {
  const names = Object.keys(PROGRAMS);
  it.each(names.filter((name) => !LONG.has(name)))('%s', expectRecorded);
  it.each(names.filter((name) => LONG.has(name)))('%s', { tags: 'long' }, expectRecorded);

  async function expectRecorded(name: string): Promise<void> {
    const file = path.join(FOLDER, `${name}.json`);
    const fresh = await recordedRun(PROGRAMS[name]);
    const stored = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const changes = stored === undefined ? ['it is new'] : differences(JSON.parse(stored) as Recorded, fresh);
    const text = changes.length === 0 ? stored : `${textOf(fresh)}\n`;
    const shown = [...changes.slice(0, LINES_MAX), ...(changes.length > LINES_MAX ? ['…'] : [])].join('\n');
    await expect(
      text,
      `${changes.length} changes in ${name}:\n${shown}\nIs that meant? Then say in the commit what changed and why, and ` +
        'write the results anew: npx vitest run test/recorded-results -u (docs/decisions/0080).',
    ).toMatchFileSnapshot(file);
  }

  it('the long ones are programs', () => {
    expect([...LONG].filter((name) => !(name in PROGRAMS))).toEqual([]);
  });

  it('has no file of a removed program', () => {
    const files = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));
    expect(files.filter((name) => !(name in PROGRAMS))).toEqual([]);
  });
});
