import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import type { Port } from '../../firmware-protocol/port.js';
import { parseDeviceUri } from '../../src/connect.js';
import { ThermolinkError } from '../../src/errors.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { openPty } from '../../src/transport/pty.js';
import { openSerialPort } from '../../src/transport/serial-port.js';
import { openTcpPort } from '../../src/transport/tcp-port.js';
import { HIL_DEVICES } from '../hil/devices.js';
import { make, makeExample, missingTools, SANITIZED } from '../reference-firmware/build.js';
import { spawnDevice } from '../reference-firmware/device-process.js';

/** A board that the suites are run against, and how to open it. */
export interface DeviceUnderTest {
  readonly name: string;
  /** The missing tools or files to run it, or undefined. */
  readonly missing: () => string | undefined;
  /** Powers a board on; it stays until `end`. */
  readonly start: () => Promise<RunningDevice>;
  /**
   * The name of the emulator's profile whose ideal model (docs/reference/device-model.md) the device computes
   * bit for bit.
   */
  readonly profile: string | undefined;
  /** There is only one board; every `start` returns it. */
  readonly onlyOne?: boolean;
  /**
   * Largest number of samples of a run on a line with faults. It is for emulated microcontrollers, which are
   * slow.
   */
  readonly samplesMax?: number;
}

export interface RunningDevice {
  /** `tcp://…` or `serial:…`. */
  readonly uri: string;
  /** Whether the board learns that a client has gone, and accepts further clients to tell them BUSY. */
  readonly hangsUp: boolean;
  readonly open: () => Promise<Port>;
  /** Powers the board off. Fails when the board reported a problem. */
  readonly end: () => Promise<void>;
}

/**
 * A serial port that was closed a moment ago may still be locked: closing it does not wait for a read that
 * another thread of this process is about to return from.
 */
const REOPEN_MS = 20;
const REOPEN_TRIES = 100;

async function openUri(uri: string): Promise<Port> {
  const address = parseDeviceUri(uri);
  if (address.kind === 'tcp') return openTcpPort(address);
  if (address.kind !== 'serial') throw new Error(`${uri}: the suite needs tcp:// or serial:PATH`);
  for (let tries = 1; ; tries++)
    try {
      return await openSerialPort(address);
    } catch (error) {
      if (!(error instanceof ThermolinkError) || error.code !== 'PORT_BUSY' || tries === REOPEN_TRIES)
        throw error;
      await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    }
}

const running = (uri: string, end: () => Promise<void>): RunningDevice => ({
  uri,
  hangsUp: uri.startsWith('tcp:'),
  open: () => openUri(uri),
  end,
});

/** The ideal board of this profile, in every program that computes it and over every transport. */
export function idealDevices(profile: string): readonly DeviceUnderTest[] {
  const emulator = (): EmulatedDevice => new EmulatedDevice({ profile: findProfile(profile)!, dieSeed: 1 });
  /** The C device is built with the sanitizers, so that the suite also finds the errors that they detect. */
  async function startC(...args: readonly string[]): Promise<RunningDevice> {
    const program = make('thermolink-device', ...SANITIZED);
    const board = await spawnDevice(program, '--profile', profile, ...args);
    return running(board.uri, async () => {
      const { code, errors } = await board.end();
      if (code !== 0 || errors !== '') throw new Error(`the C device ended with ${code}: ${errors}`);
    });
  }
  return [
    {
      name: 'the emulator over TCP',
      missing: () => undefined,
      profile,
      async start() {
        const server = new BoardServer(emulator());
        const { uri, close } = await listenTcp(server, { host: '127.0.0.1', port: 0 });
        return running(uri, async () => {
          const closing = close();
          await server.close();
          await closing;
        });
      },
    },
    {
      name: 'the emulator over a pseudo-terminal',
      missing: () => undefined,
      profile,
      async start() {
        const server = new BoardServer(emulator());
        const pty = await openPty();
        server.addLine(pty);
        return running(`serial:${pty.path}`, () => server.close());
      },
    },
    { name: 'the C device over TCP', missing: missingTools, profile, start: () => startC() },
    {
      name: 'the C device over a pseudo-terminal',
      missing: missingTools,
      profile,
      async start() {
        const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
        const board = await startC('--pty', path.join(directory, 'board'));
        return { ...board, end: () => board.end().finally(() => rmSync(directory, { recursive: true })) };
      },
    },
  ];
}

/** The board of docs/how-to/build-a-board.md: the firmware on hardware that is not the device model. */
const exampleOverPty = (name: string, cells?: number): DeviceUnderTest => ({
  name,
  missing: missingTools,
  profile: undefined,
  async start() {
    const program = makeExample({ cells });
    const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
    const board = await spawnDevice(program, path.join(directory, 'board'));
    return running(board.uri, async () => {
      // Like a board that is switched off, the program does not end by itself.
      board.kill();
      rmSync(directory, { recursive: true });
    });
  },
});
const example = exampleOverPty('the example board over a pseudo-terminal');
const smallExample = exampleOverPty('an example board of three cells', 3);

/** `npm run test:hil` runs the suites against microcontrollers in emulators, and nothing else. */
const hil = process.env['THERMOLINK_TEST_HIL'] !== undefined;

/** Only the board that the environment names (docs/how-to/build-a-board.md, "How to test it"). */
const yours = process.env['THERMOLINK_TEST_DEVICE'];

/**
 * A suite of all devices has quick tests on these devices only: both programs and both transports occur once.
 */
const QUICK = ['the emulator over a pseudo-terminal', 'the C device over TCP'];
/** The options of a suite on a device. Most devices of this machine belong to the long tests. */
export const optionsOn = ({ name }: DeviceUnderTest) =>
  hil || yours !== undefined || QUICK.includes(name) ? {} : ({ tags: 'long' } as const);

export const DEVICES: readonly DeviceUnderTest[] =
  yours === undefined
    ? hil
      ? [...HIL_DEVICES, smallExample]
      : [...idealDevices('ideal-8'), example]
    : [
        {
          name: yours,
          missing: () => undefined,
          profile: process.env['THERMOLINK_TEST_PROFILE'],
          onlyOne: true,
          start: () => Promise.resolve(running(yours, () => Promise.resolve())),
        },
      ];
