import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type GivenOptions,
  refuseInertOptions,
  usesBoard,
} from '../../src/cli/commands/train/inert-options.js';
import {
  OPTIMIZER_DEFAULTS,
  OPTIMIZER_NAMES,
  type OptimizerName,
} from '../../src/learning/optimizers/registry.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';

afterEach(() => void vi.unstubAllEnvs());

describe('an option that would have no effect', () => {
  it.each([
    [['--optimizer', 'adam', '--device', 'emulator:ideal-64'], '--device', 'tngd, tngd-adam, lm and kfac'],
    [['--optimizer', 'sgd', '--device', 'emulator:ideal-64'], '--device', 'tngd, tngd-adam, lm and kfac'],
    [['--optimizer', 'ngd', '--device', 'emulator:ideal-64'], '--device', 'tngd, tngd-adam, lm and kfac'],
    [['--preset', 'control', '--device', 'emulator:ideal-64'], '--device', 'tngd, tngd-adam, lm and kfac'],
    [
      ['--optimizer', 'adam', '--curvature-examples', '4'],
      '--curvature-examples',
      'tngd, tngd-adam, ngd, cg and lm',
    ],
    [['--optimizer', 'sgd', '--damping', '1'], '--damping', 'tngd, tngd-adam, ngd, cg and kfac'],
    [['--preset', 'control', '--damping', '1'], '--damping', 'tngd, tngd-adam, ngd, cg and kfac'],
    [['--optimizer', 'ngd', '--time', '2'], '--time', 'tngd and tngd-adam'],
    [['--optimizer', 'adam', '--x0', 'keep'], '--x0', 'tngd and tngd-adam'],
    [['--optimizer', 'adam', '--delay', '1'], '--delay', 'tngd and tngd-adam'],
    [['--optimizer', 'adam', '--momentum', '0.5'], '--momentum', 'kfac, sgd and sign-sgd'],
    [['--optimizer', 'adam', '--log-file', 'x.log'], '--log-file', 'tngd, tngd-adam, lm and kfac'],
    [
      ['--optimizer', 'kfac', '--curvature-examples', '4'],
      '--curvature-examples',
      'tngd, tngd-adam, ngd, cg and lm',
    ],
    [['--optimizer', 'ngd', '--ticks', '9'], '--ticks', 'tngd and lm'],
    [['--momentum', '0.5'], '--momentum', 'kfac, sgd and sign-sgd'],
  ])('%j is wrong usage, and the error names the users of the option', async (options, flag, users) => {
    const chosenBy = options[0] === flag ? '--optimizer tngd' : options.slice(0, 2).join(' ');
    const { stderr, stdout, exitCode } = await runCommand('train', 'mnist', ...options);
    expect(stderr).toBe(
      `thermolink: BAD_ARGUMENT: ${flag} does nothing with ${chosenBy}. It is an option of ${users}.\n`,
    );
    expect([stdout, exitCode]).toEqual(['', 2]);
  });

  it.each([
    [
      ['--preset', 'exact'],
      /--preset exact does nothing with --optimizer tngd.*kfac, or of tngd with --ticks/,
    ],
    [
      ['--preset', 'exact', '--optimizer', 'kfac', '--device', 'x:'],
      /--device does nothing with --preset exact/,
    ],
    [['--optimizer', 'lbfgs'], /kfac.*sgd/],
    [['--time', '0'], /--time 0 and --x0 keep the board stays at zero/],
    [['--time', '0', '--x0', 'zero', '--optimizer', 'tngd-adam'], /--x0 zero the board stays at zero/],
    [['--time', '0', '--x0', 'gradient', '--damping', '1'], /--damping does nothing with --time 0/],
    [['--time', '0', '--x0', 'gradient', '--curvature-examples', '4'], /--curvature-examples does nothing/],
  ])('%j is wrong usage', async (options, message) => {
    const { stderr, exitCode } = await runCommand('train', 'mnist', ...options);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });

  it.each<[OptimizerName, GivenOptions]>([
    ['tngd', { time: 0, initial: 'gradient' }],
    ['tngd', { time: 0, delay: 1, damping: 0.5, curvatureExamples: 4 }],
    ['tngd', { device: 'emulator:ideal-64', logLevel: 'info', curvatureExamples: 4 }],
    ['ngd', { curvatureExamples: 4, damping: 0.1 }],
    ['sgd', { momentum: 0.5, device: undefined }],
  ])('is not found among these options of %s: %j', (name, given) => {
    expect(() => refuseInertOptions(name, name, given)).not.toThrow();
  });

  it('is never found among the default settings of an optimizer', () => {
    for (const name of OPTIMIZER_NAMES) {
      const settings: Partial<Record<string, unknown>> = OPTIMIZER_DEFAULTS[name];
      expect(() => refuseInertOptions(name, name, settings)).not.toThrow();
      expect(usesBoard(name)).toBe(['tngd', 'tngd-adam', 'lm', 'kfac'].includes(name));
    }
  });

  it('is not the device of the environment, which is a default', async () => {
    vi.stubEnv('THERMOLINK_DEVICE', 'emulator:nope');
    const data = ['--data', fewDigits(), '--train-size', '128'];
    const { exitCode } = await runCommand('train', 'mnist', ...data, '--optimizer', 'adam', '--json');
    expect(exitCode).toBe(0);
  });
});
