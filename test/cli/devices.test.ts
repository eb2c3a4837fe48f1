import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { type DevicesEnvironment, devicesCommand } from '../../src/cli/commands/devices/devices.js';
import { throwUsageErrors } from '../../src/cli/usage.js';
import { connect } from '../../src/connect.js';
import { type ErrorCode, ThermolinkError } from '../../src/errors.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { openPty } from '../../src/transport/pty.js';
import type { SerialListing } from '../../src/transport/serial-row.js';
import { captureOutput, runCommand } from '../support/command-line.js';
import { LINUX, MACOS, WINDOWS } from '../support/serial-listings.js';
import { thrown } from './support/thrown.js';

/** The answers of some ports. All other ports do not answer. */
type Peers = Readonly<Record<string, 'board' | ErrorCode>>;

/**
 * Runs `thermolink devices` on a machine with other ports than this one; `asked` are the URIs that were
 * opened.
 */
async function devices(listing: SerialListing, args: readonly string[] = [], peers: Peers = {}) {
  const asked: string[] = [];
  const stdout = await devicesWith(args, {
    list: async () => listing,
    connect: (uri, options) => {
      asked.push(uri);
      const peer = peers[uri.replace('serial:', '')] ?? 'NO_ANSWER';
      if (peer === 'board') return connect('emulator:ideal-8?die=7', options);
      return Promise.reject(new ThermolinkError(peer, `${uri}: ${peer}.`, { hint: `About ${peer}.` }));
    },
  });
  return { stdout, asked };
}

async function devicesWith(args: readonly string[], environment: DevicesEnvironment): Promise<string> {
  const program = new Command('thermolink');
  devicesCommand(environment).describe(program.command('devices'));
  throwUsageErrors(program);
  return (await captureOutput(() => program.parseAsync(['devices', ...args], { from: 'user' }))).stdout;
}

describe('thermolink devices', () => {
  it('macOS: a table, advice, and what to do next', async () => {
    expect((await devices(MACOS)).stdout).toMatchInlineSnapshot(`
      "  port                             verdict  what it is                                 --device
        ───────────────────────────────  ───────  ─────────────────────────────────────────  ──────────────────────────────────────
        /dev/cu.usbmodem1101             ours     Thermolink Laboratories 1209:7abc TL-0007  "serial:?usb=1209:7abc:TL-0007"
        /dev/cu.usbserial-A50285BI       unknown  FTDI FT232R 0403:6001 A50285BI             "serial:?usb=0403:6001:A50285BI"
        /dev/cu.debug-console            unknown  not on USB                                 serial:/dev/cu.debug-console
        /dev/cu.Bluetooth-Incoming-Port  unknown  not on USB                                 serial:/dev/cu.Bluetooth-Incoming-Port

      /dev/cu.usbmodem1101: Connect to it as "serial:?usb=1209:7abc:TL-0007".
      /dev/cu.usbserial-A50285BI: Boards and other devices have this chip; only the answer of the device tells which it is. Connect to it as "serial:?usb=0403:6001:A50285BI".
      /dev/cu.debug-console, /dev/cu.Bluetooth-Incoming-Port: Not on USB (Bluetooth, debug console): a board is there only if you connected it yourself.

      Try: thermolink info --device "serial:?usb=1209:7abc:TL-0007"
      "
    `);
  });

  it('Linux: two equal candidates are both named, and no port is opened', async () => {
    const { stdout, asked } = await devices(LINUX);
    expect(stdout).toContain(
      '2 ports look equally like a board (/dev/ttyUSB0 and /dev/ttyUSB1): ask them by --probe, or name one by --device.',
    );
    expect(stdout).toMatch(/ttyUSB1 +no permission/);
    expect(stdout).toContain('ModemManager runs');
    expect(asked).toEqual([]);
  });

  it('a port that is only perhaps a board is not called a board', async () => {
    const { stdout } = await devices({ ...LINUX, rows: LINUX.rows.slice(0, 2) });
    expect(stdout).toContain('The likeliest is /dev/ttyUSB0; to be sure, ask it: thermolink devices --probe');
    const denied = await devices({ ...LINUX, rows: LINUX.rows.slice(2) });
    expect(denied.stdout).toContain('The likeliest is /dev/ttyUSB1; first follow the advice about it above.');
  });

  it.each<[NodeJS.Platform, RegExp]>([
    ['linux', /dmesg/],
    ['win32', /Device Manager/],
    ['darwin', /driver/],
  ])(
    'no ports on %s: the advice names things to check, and the emulator, which needs no port',
    async (platform, check) => {
      const { stdout } = await devices({ platform, rows: [] });
      expect(stdout).toMatch(/^No serial ports\.\n/);
      expect(stdout).toMatch(check);
      expect(stdout).toContain('thermolink info --device emulator:ideal-64');
    },
  );

  it('--json has every field, and candidates that --device takes', async () => {
    const report = JSON.parse((await devices(WINDOWS, ['--json'])).stdout);
    expect(report).toMatchObject({ platform: 'win32', probed: false, notes: [] });
    expect(report.candidates).toEqual(['serial:?usb=1209:7abc:TL-0007']);
    expect(report.ports.map(({ path }: { path: string }) => path)).toEqual([
      'COM4',
      'COM10',
      'COM11',
      'COM1',
    ]);
    expect(report.ports[3]).toEqual({
      path: 'COM1',
      uri: 'serial:COM1',
      verdict: 'unknown',
      score: 0,
      name: '(Standard port types) Communications Port (COM1)',
      vendorId: null,
      productId: null,
      serialNumber: null,
      advice: expect.stringContaining('Not on USB'),
      board: null,
      finding: null,
    });
  });

  it('lists this machine, with or without ports', async () => {
    const { exitCode, stdout } = await runCommand('devices', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).ports).toBeInstanceOf(Array);
  });

  it('--help has examples; wrong usage is 2', async () => {
    expect((await runCommand('devices', '--help')).stdout).toMatch(/Examples:\n {2}thermolink devices\n/);
    expect((await runCommand('devices', '--prob')).exitCode).toBe(2);
  });
});

describe('thermolink devices --probe', () => {
  it('the board that answers HELLO is ours, whatever its chip', async () => {
    const { stdout } = await devices(LINUX, ['--probe'], { '/dev/ttyUSB0': 'board' });
    expect(stdout).toMatch(/ttyUSB0 +ours +ideal-8, .*firmware .*8 cells/);
    expect(stdout).toMatch(/Try: thermolink info --device "serial:\?usb=0403:6001:A50285BI"\n$/);
  });

  it('asks through a real serial port: a board behind a pseudo-terminal', async () => {
    const pty = await openPty();
    const board = new EmulatedDevice({ profile: findProfile('ideal-64')!, dieSeed: 3 });
    new ServedDevice(board, pty);
    try {
      const listing: SerialListing = { platform: 'linux', rows: [{ path: pty.path }] };
      const stdout = await devicesWith(['--probe', '--json'], { list: async () => listing, connect });
      const [port] = JSON.parse(stdout).ports;
      expect(port).toMatchObject({
        path: pty.path,
        verdict: 'ours',
        board: { model: 'ideal-64', cells: 64 },
      });
    } finally {
      await pty.close();
    }
  });

  it('does not open ports that are busy or not allowed', async () => {
    const held = { ...LINUX.rows[1], holders: ['minicom (pid 7)'] };
    const { stdout, asked } = await devices({ ...LINUX, rows: [held, LINUX.rows[2]] }, ['--probe']);
    expect(asked).toEqual([]);
    expect(stdout).toContain('minicom (pid 7)');
    expect(stdout).toContain('No board answered.');
  });

  it('two boards: both are named, and neither is chosen', async () => {
    const { stdout } = await devices(MACOS, ['--probe'], {
      '/dev/cu.usbmodem1101': 'board',
      '/dev/cu.usbserial-A50285BI': 'board',
    });
    expect(stdout).toContain(
      '2 boards answered (/dev/cu.usbmodem1101 and /dev/cu.usbserial-A50285BI): name the one you mean by --device.',
    );
  });

  it.each<[ErrorCode, SerialListing, string, string]>([
    ['NO_ANSWER', MACOS, '/dev/cu.usbmodem1101', 'unknown'],
    ['NOT_A_BOARD', MACOS, '/dev/cu.usbmodem1101', 'unknown'],
    ['VERSION_MISMATCH', MACOS, '/dev/cu.usbmodem1101', 'ours'],
    ['BUSY', MACOS, '/dev/cu.usbmodem1101', 'busy'],
    ['PORT_BUSY', MACOS, '/dev/cu.usbmodem1101', 'busy'],
    ['PORT_DENIED', MACOS, '/dev/cu.usbmodem1101', 'no permission'],
    ['PORT_DENIED', WINDOWS, 'COM4', 'busy'],
  ])('%s is a verdict, with its reason and advice', async (code, listing, path, verdict) => {
    const report = JSON.parse((await devices(listing, ['--probe', '--json'], { [path]: code })).stdout);
    expect(report.ports[0]).toMatchObject({ path, verdict, finding: `serial:${path}: ${code}.` });
    expect(report.ports[0].advice).toBe(`About ${code}.`);
    expect(report.candidates).toEqual([]);
  });

  it.each<ErrorCode>(['MISSING_PACKAGE', 'ABORTED'])('%s ends the command', async (code) => {
    const error = await thrown(() => devices(MACOS, ['--probe'], { '/dev/cu.usbmodem1101': code }));
    expect(error.code).toBe(code);
  });
});
