import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { parseDeviceUri } from '../../src/connect.js';
import { openTcpPort } from '../../src/transport/tcp-port.js';
import type { DeviceUnderTest, RunningDevice } from '../device-contract/devices.js';
import { spawnDevice } from '../reference-firmware/device-process.js';
import { ROOT } from '../repository/files.js';
import { makeMcu } from './firmware.js';

const CONNECT_TRIES = 200;
const CONNECT_MS = 20;

/** Connects to a board of `tcp://`. */
export async function openTcp(uri: string) {
  const address = parseDeviceUri(uri);
  if (address.kind !== 'tcp') throw new Error(`${uri} is no TCP address`);
  return openTcpPort(address);
}

/** A device that, like a serial line, does not notice that a client has left. */
const lineOver = (uri: string, end: () => Promise<void>): RunningDevice => ({
  uri,
  hangsUp: false,
  open: () => openTcp(uri),
  end,
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** The lm3s6965evb of QEMU with our firmware; its UART is a TCP port for one client after another. */
export async function startQemu(port?: number): Promise<{ uri: string; child: ChildProcess }> {
  const elf = path.join(makeMcu('lm3s'), 'thermolink-lm3s.elf');
  const at = port ?? (await freePort());
  const serial = `tcp:127.0.0.1:${at},server=on,wait=off,nodelay=on`;
  const args = [
    '-M',
    'lm3s6965evb',
    '-display',
    'none',
    '-monitor',
    'none',
    '-serial',
    serial,
    '-kernel',
    elf,
  ];
  const child = spawn('qemu-system-arm', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  for (let tries = 0; !(await answers(at)); tries++) {
    if (tries === CONNECT_TRIES || child.exitCode !== null)
      throw new Error('qemu-system-arm does not answer');
    await new Promise((resolve) => setTimeout(resolve, CONNECT_MS));
  }
  return { uri: `tcp://127.0.0.1:${at}`, child };
}

const qemu: DeviceUnderTest = {
  name: 'the firmware on a Cortex-M3 (QEMU, lm3s6965evb)',
  missing: () => undefined,
  profile: 'ideal-8',
  async start() {
    const { uri, child } = await startQemu();
    return lineOver(uri, () => {
      child.kill('SIGKILL');
      return Promise.resolve();
    });
  },
};

const pico = (name: string, target: string, kind: 'usb' | 'uart' | 'rc3'): DeviceUnderTest => ({
  name: `${name} (rp2040js)`,
  missing: () => undefined,
  // The voltages of a circuit follow no bit-exact model.
  profile: kind === 'rc3' ? undefined : 'ideal-64',
  samplesMax: 200,
  async start() {
    const bridge = path.join(ROOT, 'dist/test/hil/bridge-main.js');
    const uf2 = path.join(makeMcu(target), `thermolink-${target}.uf2`);
    const board = await spawnDevice(process.execPath, bridge, uf2, kind);
    return lineOver(board.uri, async () => {
      const { code, errors } = await board.end();
      if (code !== 0 || errors !== '') throw new Error(`the Pico ended with ${code}: ${errors}`);
    });
  },
});

export const HIL_DEVICES: readonly DeviceUnderTest[] = [
  qemu,
  pico('the firmware on a Pico over USB', 'pico', 'usb'),
  pico('the firmware on a Pico over UART', 'pico-uart', 'uart'),
  pico('rc-3, the firmware on a Pico with three RC cells', 'pico-rc3', 'rc3'),
];
