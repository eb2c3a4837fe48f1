import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, ThermolinkError } from '../../src/errors.js';
import { jobValue } from '../../src/farm/messages.js';
import { Tokens } from '../../src/hub/tokens.js';
import { isingChain } from '../../src/learning/quantum/variational-energy.js';
import { openPty } from '../../src/transport/pty.js';
import { resolveUsb } from '../../src/transport/serial-devices.js';
import { listSerialPorts } from '../../src/transport/serial-listing.js';
import { openSerialPort } from '../../src/transport/serial-port.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { withHub } from '../hub/shared-board.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { LINUX } from '../support/serial-listings.js';
import * as board from './board-scenarios.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
const releases: (() => Promise<unknown>)[] = [];

beforeAll(() => {
  const files = {
    'A.csv': '4,1\n1,3\n',
    'b.csv': '1\n2\n',
    'asymmetric.csv': '2,1\n0,2\n',
    'indefinite.csv': '1,2\n2,1\n',
    taken: 'not a link',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content);
  const rows = Array.from({ length: 9 }, (_, i) => Array.from({ length: 9 }, (_, j) => (i === j ? 2 : 0)));
  writeFileSync(file('large.csv'), rows.map((row) => row.join(',')).join('\n'));
  writeFileSync(file('b9.csv'), '1\n'.repeat(9));
});

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** Runs a command line with --json, and makes an error of its report. */
async function command(...args: string[]): Promise<void> {
  const { stdout } = await runCommand(...args, '--json');
  const { error } = JSON.parse(stdout) as {
    error?: { code: ErrorCode; message: string; hint: string | null };
  };
  if (error)
    throw new ThermolinkError(error.code, error.message, error.hint === null ? {} : { hint: error.hint });
}

const solve = (matrix: string, ...more: string[]): Promise<void> =>
  command('solve', '--matrix', file(matrix), '--rhs', file('b.csv'), ...more);
const digits = fewDigits();
const train = (...options: string[]): Promise<void> =>
  command('train', 'mnist', '--data', digits, '--train-size', '512', ...options);

/** Opens a pseudo-terminal that is open already. */
async function busyPort(): Promise<unknown> {
  const pty = await openPty();
  releases.push(() => pty.close());
  const first = await openSerialPort({ path: pty.path });
  releases.push(() => first.close());
  return openSerialPort({ path: pty.path });
}

/** Runs a command with a TCP port at which nothing listens. */
async function nobodyListens(): Promise<unknown> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no address');
  return command('info', '--device', `tcp://127.0.0.1:${address.port}`);
}

const usb = (serialNumber?: string): Promise<string> =>
  resolveUsb(
    { vendorId: '0403', productId: '6001', ...(serialNumber === undefined ? {} : { serialNumber }) },
    async () => LINUX,
  );

/** One way to get each code, by calls and commands of users. */
const SCENARIOS: Readonly<Record<ErrorCode, () => Promise<unknown>>> = {
  BAD_ARGUMENT: () => solve('A.csv', '--tolerance', 'x'),
  BAD_FILE: () => solve('missing.csv'),
  BAD_CALIBRATION: () => solve('A.csv', '--calibration', file('A.csv')),
  BAD_MATRIX: () => solve('asymmetric.csv'),
  NOT_POSITIVE_DEFINITE: () => solve('indefinite.csv'),
  TOO_LARGE: () =>
    command('solve', '--matrix', file('large.csv'), '--rhs', file('b9.csv'), '--device', 'emulator:ideal-8'),
  BAD_DATASET: () => train('--data', file('nowhere')),
  BAD_CHECKPOINT: () => train('--out', file('no-run'), '--resume'),
  BAD_DEVICE_URI: () => command('info', '--device', '/dev/ttyUSB0'),
  UNKNOWN_PROFILE: () => command('info', '--device', 'emulator:nope'),
  MISSING_PACKAGE: () =>
    listSerialPorts({ platform: 'win32', loadPackage: () => Promise.reject(new Error('not found')) }),
  PORT_NOT_FOUND: () => command('info', '--device', `serial:${file('no-port')}`),
  PORT_AMBIGUOUS: () => usb(),
  PORT_DENIED: () => usb('A9014QZT'),
  PORT_BUSY: busyPort,
  CANNOT_CONNECT: nobodyListens,
  CANNOT_LISTEN: () => openPty({ link: file('taken') }),
  NO_ANSWER: () => board.openOn(() => undefined),
  NOT_A_BOARD: () => board.openOn((port) => port.onData((bytes) => void port.write(bytes))),
  VERSION_MISMATCH: () => board.openOn(board.refusing('version')),
  BUSY: () => board.openOn(board.refusing('busy')),
  NOT_ALLOWED: () =>
    withHub((hub) => command('info', '--device', hub.uri()), {
      tokens: Tokens.single('a-token-that-nobody-has', 'test'),
    }),
  LINK_LOST: () => board.openOn((port) => port.onData(() => void port.close())),
  OUTCOME_UNKNOWN: () => board.onDeadWire('toDevice', (device) => device.acknowledge({ timeoutMs: 60_000 })),
  REPLAY_MISMATCH: async () => {
    await command('ping', '--device', 'emulator:ideal-8', '--record', file('ping.mcap'));
    await command('info', '--device', `replay:${file('ping.mcap')}`);
  },
  SESSION_LOST: board.forgottenSession,
  DEVICE_REFUSED: board.startAfterStop,
  DEVICE_FAULT: board.faultDuringRun,
  DIGEST_MISMATCH: board.alteredUpload,
  TRACE_DEVIATES: async () => {
    await command('ping', '--device', 'emulator:ideal-8', '--count', '1', '--record', file('session.mcap'));
    await command('trace', 'verify', file('session.mcap'), '--device', 'emulator:ideal-64');
  },
  OVERLOAD: board.alwaysOverloaded,
  SAMPLES_LOST: board.lostSampleBlock,
  RUN_ENDED: board.stopDuringRun,
  TOLERANCE_NOT_MET: () => solve('A.csv', '--tolerance', '1e-15'),
  SAMPLER_STUCK: async () => {
    const problem = isingChain({ sites: 4, chains: 8 });
    const parameters = new Float64Array(problem.parameterCount).fill(20, 0, 4);
    const state = { spins: new Float64Array(32).fill(1) };
    return problem.evaluate({ parameters, state, step: 1, totalSteps: 2, seed: 1 });
  },
  DIVERGED: () => train('--optimizer', 'sgd', '--momentum', '0', '--rate', '1e300'),
  UNSUPPORTED: () => solve('A.csv', '--device', 'emulator:ideal-crossbar'),
  TIMEOUT: () => board.onDeadWire('toHost', (device) => device.readStatus({ timeoutMs: 100 })),
  JOB_ABANDONED: async () =>
    jobValue({
      ...{ key: '0'.repeat(64), board: null, worker: 'w', deliveries: 6, seconds: 0 },
      outcome: { is: 'failed', code: 'JOB_ABANDONED', message: 'The job ended 5 workers or boards.' },
    }),
  ABORTED: board.closedDevice,
};

describe('every code of the table', () => {
  it('has a scenario, and every scenario has an existing code', () => {
    expect(Object.keys(SCENARIOS).sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  it.each(Object.entries(SCENARIOS))('%s is produced, with a sentence', async (code, scenario) => {
    const error = await scenario().then(
      () => new Error('nothing was thrown'),
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(ThermolinkError);
    const { code: produced, message } = error as ThermolinkError;
    expect(produced).toBe(code);
    expect(message).toMatch(/^\S.*[.!?]$/);
  });

  it.each(Object.entries(ERROR_CODES))('%s tells its meaning, causes and remedies', (_, entry) => {
    expect(entry.meaning).toMatch(/^\S.*[^.]$/);
    expect(entry.causes.length).toBeGreaterThan(0);
    expect(entry.remedy).toMatch(/^[A-Z].*\.$/);
  });
});
