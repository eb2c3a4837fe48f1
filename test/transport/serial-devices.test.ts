import { describe, expect, it } from 'vitest';
import { parseDeviceUri } from '../../src/connect.js';
import { groupOfPort, listLinuxSerialPorts } from '../../src/transport/linux-serial-ports.js';
import {
  bestCandidates,
  lastingPlaceOf,
  resolveUsb,
  serialDevices,
} from '../../src/transport/serial-devices.js';
import { listSerialPorts } from '../../src/transport/serial-listing.js';
import { serialTransport } from '../../src/transport/serial-port.js';
import type { SerialListing, SerialRow } from '../../src/transport/serial-row.js';
import { thrown } from '../cli/support/thrown.js';
import { type FakeTty, fakeSysfs } from '../support/fake-sysfs.js';
import { LINUX, MACOS, WINDOWS } from '../support/serial-listings.js';

const CONSOLE: FakeTty = { name: 'tty1' };
const EMPTY_SOCKET: FakeTty = { name: 'ttyS1', device: 'platform/serial8250', type: '0' };
const ONBOARD: FakeTty = { name: 'ttyS0', device: 'pnp0/00:00/00:00:0/00:00:0.0', type: '4' };
const ADAPTER: FakeTty = {
  name: 'ttyUSB0',
  device: 'pci0000:00/usb1/1-1/1-1:1.0/ttyUSB0',
  usbFolder: 'pci0000:00/usb1/1-1',
  usb: {
    idVendor: '0403',
    idProduct: '6001',
    serial: 'A50285BI',
    manufacturer: 'FTDI',
    product: 'FT232R USB UART',
  },
};
const BOARD: FakeTty = {
  name: 'ttyACM0',
  device: 'pci0000:00/usb1/1-2/1-2:1.0',
  usbFolder: 'pci0000:00/usb1/1-2',
  usb: { idVendor: '1209', idProduct: '7abc', serial: 'TL-0007', product: 'thermolink ideal-64' },
};
/** A device without a serial number. Only its link by-path distinguishes it from equal devices. */
const CLONE: FakeTty = {
  name: 'ttyUSB10',
  device: 'pci0000:00/usb1/1-3/1-3:1.0/ttyUSB10',
  usbFolder: 'pci0000:00/usb1/1-3',
  usb: { idVendor: '1a86', idProduct: '7523', product: 'USB Serial' },
};
const MACHINE = [CONSOLE, EMPTY_SOCKET, ONBOARD, CLONE, ADAPTER, BOARD];

const mayOpenAll = (): Promise<boolean> => Promise.resolve(true);
const mayOpenNone = (): Promise<boolean> => Promise.resolve(false);

const summary = (listing: SerialListing): string[] =>
  serialDevices(listing).map(({ path, verdict, score, uri }) => `${path} | ${verdict} | ${score} | ${uri}`);

describe('verdicts', () => {
  it.each<[string, () => SerialListing | Promise<SerialListing>, string[]]>([
    [
      'Linux without udev',
      () => listLinuxSerialPorts({ root: fakeSysfs(MACHINE), mayOpen: mayOpenAll }),
      [
        '/dev/ttyACM0 | ours | 100 | serial:?usb=1209:7abc:TL-0007',
        '/dev/ttyUSB0 | unknown | 20 | serial:?usb=0403:6001:A50285BI',
        '/dev/ttyUSB10 | unknown | 20 | serial:/dev/ttyUSB10',
        '/dev/ttyS0 | unknown | 0 | serial:/dev/ttyS0',
      ],
    ],
    [
      'Linux with udev',
      () =>
        listLinuxSerialPorts({
          root: fakeSysfs([ONBOARD, { ...CLONE, link: 'usb-1a86_USB_Serial-if00-port0' }]),
          mayOpen: mayOpenAll,
        }),
      [
        '/dev/ttyUSB10 | unknown | 20 | serial:/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0',
        '/dev/ttyS0 | unknown | 0 | serial:/dev/ttyS0',
      ],
    ],
    [
      'Linux without permission',
      () => listLinuxSerialPorts({ root: fakeSysfs([BOARD]), mayOpen: mayOpenNone }),
      ['/dev/ttyACM0 | no permission | 100 | serial:?usb=1209:7abc:TL-0007'],
    ],
    [
      'macOS: call-out paths',
      () => MACOS,
      [
        '/dev/cu.usbmodem1101 | ours | 100 | serial:?usb=1209:7abc:TL-0007',
        '/dev/cu.usbserial-A50285BI | unknown | 20 | serial:?usb=0403:6001:A50285BI',
        '/dev/cu.debug-console | unknown | 0 | serial:/dev/cu.debug-console',
        '/dev/cu.Bluetooth-Incoming-Port | unknown | 0 | serial:/dev/cu.Bluetooth-Incoming-Port',
      ],
    ],
    [
      'Windows: a serial number that Windows made up does not count',
      () => WINDOWS,
      [
        'COM4 | ours | 100 | serial:?usb=1209:7abc:TL-0007',
        'COM10 | unknown | 20 | serial:COM10',
        'COM11 | unknown | 20 | serial:?usb=0403:6001:A50285BI',
        'COM1 | unknown | 0 | serial:COM1',
      ],
    ],
  ])('%s', async (_, list, expected) => {
    expect(summary(await list())).toEqual(expected);
  });

  it.each<[string, SerialListing, string, RegExp]>([
    ['no permission, Linux', LINUX, '/dev/ttyUSB1', /usermod -aG uucp/],
    ['no permission, no group', only({ access: 'denied' }), '/dev/ttyUSB0', /udev rule/],
    ['busy', only({ access: 'allowed', holders: ['minicom (pid 7)'] }), '/dev/ttyUSB0', /minicom \(pid 7\)/],
    [
      'busy with ModemManager',
      only({ holders: ['ModemManager (pid 7)'] }),
      '/dev/ttyUSB0',
      /wait.*devices\.md/,
    ],
    ['a modem', only({ vendorId: '2c7c', productId: '0125' }), '/dev/ttyUSB0', /not a board/],
    ['COM10', WINDOWS, 'COM10', /\\\\\.\\COM10; here COM10 is right/],
    ['Bluetooth', MACOS, '/dev/cu.Bluetooth-Incoming-Port', /Bluetooth/],
  ])('advice on %s', (_, listing, path, advice) => {
    expect(serialDevices(listing).find((device) => device.path === path)?.advice).toMatch(advice);
  });

  it('every shown URI leads to its own port', () => {
    const odd = only({ vendorId: '0403', productId: '6001', serialNumber: 'a:b +c%' });
    for (const listing of [LINUX, MACOS, WINDOWS, odd])
      for (const { path, uri, vendorId, productId, serialNumber } of serialDevices(listing))
        expect(parseDeviceUri(uri)).toEqual(
          serialNumber === undefined
            ? { kind: 'serial', path }
            : { kind: 'usb', usb: { vendorId, productId, serialNumber } },
        );
  });

  it('two channels of one device have different paths', () => {
    const channel = { vendorId: '0403', productId: '6010', serialNumber: 'FT1' };
    const rows = [0, 1].map((i) => ({ path: `/dev/ttyUSB${i}`, ...channel }));
    expect(serialDevices({ platform: 'linux', rows }).map(({ uri }) => uri)).toEqual([
      'serial:/dev/ttyUSB0',
      'serial:/dev/ttyUSB1',
    ]);
  });
});

describe('none of several equal ports is guessed', () => {
  const paths = (listing: SerialListing): string[] =>
    bestCandidates(serialDevices(listing)).map(({ path }) => path);

  it('a port that names a board is preferred to the usual chips', () =>
    expect(paths(MACOS)).toEqual(['/dev/cu.usbmodem1101']));

  it('two ports with the same chip are both named', () =>
    expect(paths(LINUX)).toEqual(['/dev/ttyUSB0', '/dev/ttyUSB1']));

  it('a modem is not a candidate, and neither is a port that is not on USB', () => {
    expect(paths(only({ vendorId: '12d1', productId: '1001' }))).toEqual([]);
    expect(paths(only({}))).toEqual([]);
    expect(paths({ platform: 'linux', rows: [] })).toEqual([]);
  });
});

describe('a board by its USB identity', () => {
  it('is found with capital and with small hexadecimal digits', async () => {
    expect(
      await resolveUsb({ vendorId: '403', productId: '6001', serialNumber: 'a50285bi' }, async () => LINUX),
    ).toBe('/dev/ttyUSB0');
    expect(await resolveUsb({ vendorId: '1A86', productId: '7523' }, async () => WINDOWS)).toBe('COM10');
  });

  it('that is missing gives an error that lists the existing ports', async () => {
    const error = await thrown(() => resolveUsb({ vendorId: '10c4', productId: 'ea60' }, async () => MACOS));
    expect(error.code).toBe('PORT_NOT_FOUND');
    expect(error.message).toMatch(
      /10c4:ea60; there is .*cu\.usbmodem1101 \(1209:7abc, serial number TL-0007\)/,
    );
    const none = await thrown(() =>
      resolveUsb({ vendorId: '0403', productId: '6001', serialNumber: 'X' }, async () => only({})),
    );
    expect(none.message).toMatch(/0403:6001:X; there is none on USB/);
  });

  it('that several ports have gives an error that names them all, and says whether the serial number helps', async () => {
    const told = await thrown(() => resolveUsb({ vendorId: '0403', productId: '6001' }, async () => LINUX));
    expect(told.code).toBe('PORT_AMBIGUOUS');
    expect(told.message).toMatch(/^2 ports .*ttyUSB0.*A50285BI.*ttyUSB1.*A9014QZT/);
    expect(told.hint).toMatch(/serial number/);
    const rows = LINUX.rows.slice(1).map((row) => ({ ...row, serialNumber: undefined }));
    const equal = await thrown(() =>
      resolveUsb({ vendorId: '0403', productId: '6001' }, async () => ({ platform: 'linux', rows })),
    );
    expect(equal.hint).toMatch(/path/);
  });

  it('that the user may not open gives an error that says what to do', async () => {
    const error = await thrown(() =>
      resolveUsb({ vendorId: '0403', productId: '6001', serialNumber: 'A9014QZT' }, async () => LINUX),
    );
    expect(error.code).toBe('PORT_DENIED');
    expect(error.hint).toMatch(/usermod/);
  });
});

describe('the place where a board is looked for after its port was lost', () => {
  const CH340 = { vendorId: '1a86', productId: '7523', product: 'USB Serial' };
  const BY_ID = '/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0';
  const BY_PATH = '/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0';
  const listOf =
    (rows: readonly SerialRow[], platform: NodeJS.Platform = 'linux') =>
    () =>
      Promise.resolve({ platform, rows });
  const placeOf = (path: string, ...rows: SerialRow[]) => lastingPlaceOf(path, listOf(rows));

  it('is its USB identity, in place of a path, if no other port has the same', async () => {
    const rows = [
      { path: '/dev/ttyUSB0', vendorId: '0403', productId: '6001', serialNumber: 'A5' },
      { path: '/dev/ttyUSB1', vendorId: '0403', productId: '6010', serialNumber: 'FT1' },
      { path: '/dev/ttyUSB2', vendorId: '0403', productId: '6010', serialNumber: 'FT1' },
      { path: '/dev/ttyS0' },
    ];
    const paths = [...rows.map(({ path }) => path), '/dev/gone'];
    const found = await Promise.all(paths.map((path) => lastingPlaceOf(path, listOf(rows))));
    expect(found).toEqual([
      { kind: 'usb', usb: { vendorId: '0403', productId: '6001', serialNumber: 'A5' } },
      ...paths.slice(1).map((path) => ({ kind: 'serial', path })),
    ]);
  });

  it('is its path if the ports cannot be listed', async () => {
    const list = () => Promise.reject(new Error('no list'));
    expect(await lastingPlaceOf('/dev/ttyUSB0', list)).toEqual({ kind: 'serial', path: '/dev/ttyUSB0' });
  });

  it('is the same port for each of its paths', async () => {
    const row = { ...CH340, path: '/dev/ttyUSB0', serialNumber: '5', stablePath: BY_ID, placePath: BY_PATH };
    const usb = { vendorId: '1a86', productId: '7523', serialNumber: '5' };
    for (const path of [row.path, BY_ID, BY_PATH])
      expect(await placeOf(path, row)).toEqual({ kind: 'usb', usb });
    const windows = { platform: 'win32', rows: [{ ...row, path: 'COM12' }] } as const;
    for (const path of ['COM12', 'com12', String.raw`\\.\COM12`])
      expect(await lastingPlaceOf(path, async () => windows)).toEqual({ kind: 'usb', usb });
  });

  it('is the socket if there is no serial number, so an equal device in another socket is not taken for it', async () => {
    const board = { ...CH340, path: '/dev/ttyUSB0', stablePath: BY_ID, placePath: BY_PATH };
    const other = { ...CH340, path: '/dev/ttyUSB1', placePath: `${BY_PATH}-other` };
    const place = { kind: 'serial', path: BY_PATH };
    for (const rows of [[board], [board, other], [other, board]])
      for (const path of [board.path, BY_ID, BY_PATH]) expect(await placeOf(path, ...rows)).toEqual(place);
    // The same holds for two devices that have the same number from the factory.
    const alike = [board, other].map((row) => ({ ...row, serialNumber: '0001' }));
    expect(await placeOf('/dev/ttyUSB0', ...alike)).toEqual(place);
    expect(serialDevices({ platform: 'linux', rows: [board] })[0]?.uri).toBe(`serial:${BY_PATH}`);
  });

  it('is the kind if there is no link to the socket; there is no guess between two equal devices', async () => {
    const board = { ...CH340, path: '/dev/ttyUSB0', stablePath: BY_ID };
    const place = await placeOf(BY_ID, board);
    const usb = { vendorId: '1a86', productId: '7523' };
    expect(place).toEqual({ kind: 'usb', usb });
    const back = { ...board, path: '/dev/ttyUSB3' };
    expect(await resolveUsb(usb, listOf([back]))).toBe('/dev/ttyUSB3');
    const second = { ...CH340, path: '/dev/ttyUSB4' };
    expect((await thrown(() => resolveUsb(usb, listOf([back, second])))).code).toBe('PORT_AMBIGUOUS');
    // A second device was there from the start, so the link by-id could lead to either of them.
    expect(await placeOf('/dev/ttyUSB0', board, second)).toEqual({ kind: 'serial', path: '/dev/ttyUSB0' });
  });

  it('is the link for channels of one device; the links move with the device', async () => {
    const channel = (i: number): SerialRow => ({
      path: `/dev/ttyUSB${i}`,
      vendorId: '0403',
      productId: '6010',
      serialNumber: 'FT1',
      stablePath: `/dev/serial/by-id/usb-FTDI_FT1-if0${i}-port0`,
      placePath: `${BY_PATH}-${i}`,
    });
    expect(await placeOf('/dev/ttyUSB1', channel(0), channel(1))).toEqual({
      kind: 'serial',
      path: '/dev/serial/by-id/usb-FTDI_FT1-if01-port0',
    });
  });

  it('the address of a host controller does not count as a serial number', () => {
    const row = { ...CH340, path: '/dev/ttyUSB0', serialNumber: '0000:00:14.0' };
    expect(serialDevices({ platform: 'linux', rows: [row] })[0]?.serialNumber).toBeUndefined();
  });

  it('the links of udev by place are listed, always the same one', async () => {
    const placeLinks = ['pci-0000:00:14.0-usbv2-0:3:1.0-port0', 'pci-0000:00:14.0-usb-0:3:1.0-port0'];
    const { rows } = await listLinuxSerialPorts({ root: fakeSysfs([{ ...CLONE, placeLinks }]) });
    expect(rows.map(({ placePath }) => placePath)).toEqual([`/dev/serial/by-path/${placeLinks[1]}`]);
  });

  it('stays a USB identity', async () => {
    const usb = { vendorId: '0403', productId: '6001' };
    expect(await serialTransport.rediscover?.({ kind: 'usb', usb, baudRate: 9600 })).toEqual({
      kind: 'usb',
      usb,
      baudRate: 9600,
    });
  });

  it('keeps the path and the settings of a port that is not on USB', async () => {
    const address = { kind: 'serial', path: '/dev/nothing', baudRate: 9600, dtr: false } as const;
    expect(await serialTransport.rediscover?.(address)).toEqual(address);
  });
});

describe('Linux: who holds a port', () => {
  const list = (...processes: Parameters<typeof fakeSysfs>[1] & object): Promise<SerialListing> =>
    listLinuxSerialPorts({ root: fakeSysfs([ADAPTER, BOARD], processes), mayOpen: mayOpenAll });

  it('a process that has opened or locked the port; other processes do not count', async () => {
    const { rows, hasModemManager } = await list(
      { id: 71, comm: 'minicom', opens: ['/dev/ttyUSB0', 'socket:[12]', '/dev/null'] },
      { id: 72, comm: 'node', locks: ['ttyACM0'] },
      { id: 73, comm: 'bash', opens: ['/dev/tty1'] },
      { id: process.pid, comm: 'thermolink', opens: ['/dev/ttyACM0'] },
    );
    expect(rows.map(({ path, holders }) => [path, holders])).toEqual([
      ['/dev/ttyACM0', ['node (pid 72)']],
      ['/dev/ttyUSB0', ['minicom (pid 71)']],
    ]);
    expect(hasModemManager).toBe(false);
    expect(serialDevices({ platform: 'linux', rows }).map(({ verdict }) => verdict)).toEqual([
      'busy',
      'busy',
    ]);
  });

  it('finds ModemManager, although it can’t see its open files', async () => {
    expect((await list({ id: 5, comm: 'ModemManager' })).hasModemManager).toBe(true);
  });

  it('names the group only if joining it helps', async () => {
    const root = fakeSysfs([ADAPTER, { ...BOARD, mode: 0o600 }]);
    const { rows } = await listLinuxSerialPorts({ root, mayOpen: mayOpenNone });
    expect(rows.map(({ group }) => group)).toEqual([undefined, 'dialout']);
  });

  it('names the group of the port itself, and no group if it is the group of root', async () => {
    for (const [group, expected] of [
      ['uucp', 'uucp'],
      ['root', undefined],
    ] as const) {
      const root = fakeSysfs([ADAPTER], [], group);
      expect((await listLinuxSerialPorts({ root })).rows.map((row) => row.group)).toEqual([expected]);
      expect(await groupOfPort('/dev/ttyUSB0', { root })).toBe(expected);
      expect(await groupOfPort('/dev/none', { root })).toBeUndefined();
    }
  });

  it('a machine without sysfs has no ports', async () => {
    expect((await listLinuxSerialPorts({ root: '/nonexistent' })).rows).toEqual([]);
  });
});

describe('asking the system', () => {
  it('needs neither udevadm nor a package on Linux', async () => {
    const searchPath = process.env['PATH'];
    process.env['PATH'] = '';
    try {
      const loadPackage = (): Promise<never> => Promise.reject(new Error('it was loaded'));
      expect((await listSerialPorts({ platform: 'linux', loadPackage })).platform).toBe('linux');
    } finally {
      process.env['PATH'] = searchPath;
    }
  });

  it('uses serialport elsewhere, and says so when it is missing', async () => {
    const loadPackage = async () => ({ SerialPort: { list: async () => MACOS.rows } });
    expect(await listSerialPorts({ platform: 'darwin', loadPackage })).toEqual(MACOS);
    const missing = (): Promise<never> => Promise.reject(new Error('Cannot find package'));
    const error = await thrown(() => listSerialPorts({ platform: 'win32', loadPackage: missing }));
    expect(error.code).toBe('MISSING_PACKAGE');
    expect(error.hint).toMatch(/npm install serialport/);
  });

  it('a driver that hangs or fails ends in an error', async () => {
    const hangs = async () => ({ SerialPort: { list: () => new Promise<never>(() => undefined) } });
    const slow = await thrown(() => listSerialPorts({ platform: 'win32', loadPackage: hangs, timeoutMs: 1 }));
    expect(slow.code).toBe('TIMEOUT');
    const fails = async () => ({ SerialPort: { list: () => Promise.reject(new Error('SetupDi')) } });
    const failed = await thrown(() => listSerialPorts({ platform: 'win32', loadPackage: fails }));
    expect(failed.code).toBe('CANNOT_CONNECT');
  });
});

function only(row: Partial<SerialRow>): SerialListing {
  return { platform: 'linux', rows: [{ path: '/dev/ttyUSB0', ...row }] };
}
