import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';

let directory: string;
const file = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  const files: Record<string, string> = {
    'A.csv': '4,1\n1,3\n',
    'b.csv': '1\n2\n',
    'b3.csv': '1\n2\n3\n',
    'ragged.csv': '1,2\n3\n',
    'text.csv': 'hello,world\n1,2\n',
    'nan.csv': '1,nan\nnan,1\n',
    'infinite.csv': '1,inf\ninf,1\n',
    'wide.csv': '1,2,3\n4,5,6\n',
    'asymmetric.csv': '2,1\n0,2\n',
    'indefinite.csv': '1,2\n2,1\n',
    'zero.csv': '0,0\n0,0\n',
    'tiny.csv': '4e-200,1e-200\n1e-200,3e-200\n',
    'empty.csv': '',
    'truncated.npy': '\u0093NUMPY',
    'large.csv': Array.from({ length: 9 }, (_, i) =>
      Array.from({ length: 9 }, (_, j) => (i === j ? 2 : 0)).join(','),
    ).join('\n'),
    'b9.csv': '1\n'.repeat(9),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content, 'latin1');
  mkdirSync(file('directory.csv'));
});

afterAll(() => rmSync(directory, { recursive: true }));

const solve = (matrix: string, rhs = 'b.csv', ...more: string[]): Promise<CommandResult> =>
  runCommand('solve', '--matrix', file(matrix), '--rhs', file(rhs), ...more);

/** The progress line of a training before it failed: `tngd: loading the data …`. */
const PHASES = /^[a-z-]+: (?:[^\n]* …|[\d,]+ training and [^\n]*)\n/gm;

/** One paragraph with the code, and nothing else. */
function expectError({ stdout, stderr, exitCode }: CommandResult, code: string, status = 1): void {
  expect(stderr.replace(PHASES, '')).toMatch(new RegExp(`^thermolink: ${code}: [^\\n]+\\n$`));
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect(stdout).toBe('');
  expect(exitCode).toBe(status);
}

describe('thermolink solve', () => {
  it('prints the solution with its error', async () => {
    const { stdout, exitCode } = await solve('A.csv');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/x\[0\] +0\.09\d+ +±/);
    expect(stdout).toContain('emulator:ideal-8');
  });

  it('--json has every field of the contract, and the answer is right', async () => {
    const { stdout } = await solve('A.csv', 'b.csv', '--json', '--tolerance', '1e-3');
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining([
        'solution',
        'standardError',
        'quantizationError',
        'relativeResidual',
        'passes',
        'samples',
        'boardSeconds',
        'timing',
      ]),
    );
    const [x, y] = result.solution;
    const error = Math.hypot(x - 1 / 11, y - 7 / 11) / Math.hypot(1 / 11, 7 / 11);
    expect(error).toBeLessThan(1e-3);
    expect(result.timing.hostSeconds).toBeGreaterThan(0);
  });

  it('the same seed gives the same digits, another seed gives other digits', async () => {
    const digits = async (seed: string) =>
      JSON.parse((await solve('A.csv', 'b.csv', '--json', '--seed', seed)).stdout).solution;
    expect(await digits('5')).toEqual(await digits('5'));
    expect(await digits('5')).not.toEqual(await digits('6'));
  });

  it.each([
    ['missing.csv', 'BAD_FILE'],
    ['directory.csv', 'BAD_FILE'],
    ['empty.csv', 'BAD_FILE'],
    ['truncated.npy', 'BAD_FILE'],
    ['ragged.csv', 'BAD_MATRIX'],
    ['text.csv', 'BAD_MATRIX'],
    ['nan.csv', 'BAD_MATRIX'],
    ['infinite.csv', 'BAD_MATRIX'],
    ['wide.csv', 'BAD_MATRIX'],
    ['asymmetric.csv', 'BAD_MATRIX'],
    ['tiny.csv', 'BAD_MATRIX'],
    ['indefinite.csv', 'NOT_POSITIVE_DEFINITE'],
    ['zero.csv', 'NOT_POSITIVE_DEFINITE'],
  ])('%s ends in one paragraph: %s', async (matrix, code) => {
    expectError(await solve(matrix), code);
  });

  it('the error of a matrix that is not square names the file', async () => {
    expect((await solve('wide.csv')).stderr).toContain('wide.csv holds a ');
  });

  it.each([
    ['b3.csv', 'BAD_MATRIX'],
    ['A.csv', 'BAD_MATRIX'],
    ['missing.csv', 'BAD_FILE'],
  ])('right-hand side %s: %s', async (rhs, code) => {
    const result = await solve('A.csv', rhs);
    expectError(result, code);
    expect(result.stderr).toContain(rhs);
  });

  it('a matrix too large for the board names both sizes', async () => {
    const result = await solve('large.csv', 'b9.csv', '--device', 'emulator:ideal-8');
    expectError(result, 'TOO_LARGE');
    expect(result.stderr).toMatch(/\b9\b.*\b8\b/);
  });

  it('a tolerance beyond the board ends in TOLERANCE_NOT_MET', async () => {
    expectError(await solve('A.csv', 'b.csv', '--tolerance', '1e-15'), 'TOLERANCE_NOT_MET');
  });

  it.each(['0', '-1', 'nan', '1', 'x'])('--tolerance %s is wrong usage', async (tolerance) => {
    expectError(await solve('A.csv', 'b.csv', '--tolerance', tolerance), 'BAD_ARGUMENT', 2);
  });

  it('with --json an error is JSON on standard output', async () => {
    const { stdout, stderr, exitCode } = await solve('indefinite.csv', 'b.csv', '--json');
    expect(exitCode).toBe(1);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'NOT_POSITIVE_DEFINITE', retryable: false });
  });
});

describe('devices', () => {
  it.each([
    ['emulator:nope', 'UNKNOWN_PROFILE'],
    ['emulator:', 'UNKNOWN_PROFILE'],
    ['nonsense', 'BAD_DEVICE_URI'],
    ['gopher:ideal-8', 'BAD_DEVICE_URI'],
    ['emulator:ideal-8?die=-1', 'BAD_DEVICE_URI'],
    ['emulator:ideal-8?dye=1', 'BAD_DEVICE_URI'],
  ])('%s: %s', async (uri, code) => {
    expectError(await runCommand('info', '--device', uri), code);
  });

  async function withVariable<T>(uri: string, work: () => Promise<T>): Promise<T> {
    process.env['THERMOLINK_DEVICE'] = uri;
    try {
      return await work();
    } finally {
      delete process.env['THERMOLINK_DEVICE'];
    }
  }

  it('THERMOLINK_DEVICE names the device, and --device overrides it', async () => {
    await withVariable('emulator:ideal-64', async () => {
      expect(JSON.parse((await runCommand('info', '--json')).stdout).identity.cells).toBe(64);
      const other = await runCommand('info', '--json', '--device', 'emulator:ideal-8');
      expect(JSON.parse(other.stdout).identity.cells).toBe(8);
    });
  });

  it.each([
    ['nonsense', 'BAD_DEVICE_URI', () => runCommand('ping')],
    ['tcp://127.0.0.1:1', 'CANNOT_CONNECT', () => runCommand('info')],
    ['emulator:ideal-8', 'TOO_LARGE', () => solve('large.csv', 'b9.csv')],
  ])('an error about the device of THERMOLINK_DEVICE names this variable: %s', async (uri, code, command) => {
    const result = await withVariable(uri, command);
    expectError(result, code);
    expect(result.stderr).toContain('in the environment variable THERMOLINK_DEVICE; --device overrides it.');
  });

  it('an error about the device of --device, or about the problem, does not name THERMOLINK_DEVICE', async () => {
    const result = await withVariable('nonsense', () => runCommand('ping', '--device', 'gopher:x'));
    expect(result.stderr).not.toContain('THERMOLINK_DEVICE');
    const other = await withVariable('emulator:ideal-8', () => solve('indefinite.csv'));
    expect(other.stderr).not.toContain('THERMOLINK_DEVICE');
  });

  it('info prints identity, sizes, limits, state and the counters of both ends', async () => {
    const { stdout, stderr } = await runCommand('info', '--device', 'emulator:ideal-64?die=7');
    expect(stderr).toBe('');
    for (const line of [
      /^board\n {2}device +emulator:ideal-64\?die=7\n {2}model +ideal-64\n {2}serial number +die 7\n/,
      /\nsizes\n {2}cells +64\n {2}coupling arrays +dense 64 × 64, factored 64 × 64\n {2}program banks +2\n/,
      /\nlimits\n {2}couplings +16 bit/,
      / ADC +16 bit, ±2 V_fs/,
      / rails +±1\.25 V_fs, V_fs = 1 V\n/,
      / noise +κ up to 0\.0\d+ V_fs², meaningful from 1e-8 V_fs²\n/,
      / payload of a frame +at most \d/,
      /\nstate\n {2}state +idle\n {2}fault +none\n {2}boot +1\n/,
      / banks with a program +none\n/,
      /counters +board, since boot +host, this session\n/,
      / framesReceived +[1-9]\d* +[1-9]\d*\n/,
      / watchdogTrips +0\n/,
    ])
      expect(stdout).toMatch(line);
    const json = JSON.parse((await runCommand('info', '--json', '--device', 'emulator:ideal-64')).stdout);
    expect(Object.keys(json)).toEqual(['device', 'identity', 'status', 'counters', 'link', 'roundTripMs']);
    expect(json.link.counters.framesReceived).toBeGreaterThan(0);
    expect(json.counters).toMatchObject({ framesFaulty: 0, watchdogTrips: 0 });
  });
});

describe('thermolink train', () => {
  const digits = fewDigits();

  it('stores metrics, summary, curves and a checkpoint; resumes; refuses to overwrite', {
    tags: 'long',
  }, async () => {
    const out = file('run');
    const args = ['train', 'mnist', '--data', digits, '--train-size', '512', '--out', out];
    const first = await runCommand(...args, '--json');
    expect(first.exitCode).toBe(0);
    const summary = JSON.parse(first.stdout);
    expect(summary).toMatchObject({ iterations: 4, overloadRetries: 0 });
    expect(summary.testAccuracy).toBeGreaterThan(0.2);
    expect(summary.boardSeconds).toBeGreaterThan(0);
    expect(Object.keys(summary.timing)).toEqual(['hostSeconds', 'breakdown']);
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')).testAccuracy).toBe(
      summary.testAccuracy,
    );
    const metrics = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(metrics.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(readFileSync(join(out, 'curves.svg'), 'utf8')).toMatch(/^<\?xml[\s\S]*<\/svg>\n$/);
    expectError(await runCommand(...args), 'BAD_ARGUMENT', 2);
    const resumed = await runCommand(...args, '--json', '--resume');
    expect(JSON.parse(resumed.stdout).testAccuracy).toBe(summary.testAccuracy);
    expectError(await runCommand(...args, '--resume', '--seed', '9'), 'BAD_CHECKPOINT');
  });

  it.each([
    [['--epochs', '-1']],
    [['--batch', '0']],
    [['--train-size', '1e3']],
    [['--train-size', '70000']],
    [['--seed', '-1']],
    [['--rate', 'NaN']],
    [['--momentum', '0.5']],
    [['--optimizer', 'sgd', '--momentum', '1']],
    [['--damping', '-0.1']],
    [['--clip', '0']],
    [['--x0', 'hold']],
    [['--optimizer', 'sdg']],
    [['--optimizer', 'adam', '--preset', 'control']],
    [['--resume']],
    [['--nonsense']],
  ])('%j is wrong usage', async (options) => {
    const result = await runCommand('train', 'mnist', '--data', digits, ...options);
    expectError(result, 'BAD_ARGUMENT', 2);
  });

  it('missing data is a clear error', async () => {
    expectError(await runCommand('train', 'mnist', '--data', file('nowhere')), 'BAD_DATASET');
  });

  it('a network larger than the board is refused before anything is sent', async () => {
    const board = ['--device', 'emulator:ideal-64'];
    const result = await runCommand('train', 'mnist', '--data', digits, '--train-size', '512', ...board);
    expectError(result, 'TOO_LARGE');
    expect(result.stderr).toMatch(/7,?750.*64/);
  });
});

describe('help', () => {
  it.each([
    'train mnist',
    'train ising',
    'train heisenberg',
    'train poisson',
    'train heat',
    'train burgers',
    'solve',
    'info',
    'demo',
  ])('%s --help has an example', async (command) => {
    const { stdout, exitCode } = await runCommand(...command.split(' '), '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}(printf|thermolink)/);
  });

  it('no command, and an unknown one, are wrong usage', async () => {
    expect((await runCommand()).exitCode).toBe(2);
    expect((await runCommand('sovle')).exitCode).toBe(2);
  });
});
