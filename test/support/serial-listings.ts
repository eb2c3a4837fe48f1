import type { SerialListing } from '../../src/transport/serial-row.js';

/** Rows of `SerialPort.list()` on macOS: dial-in paths, ids in four lower-case digits. */
export const MACOS: SerialListing = {
  platform: 'darwin',
  rows: [
    { path: '/dev/tty.debug-console' },
    { path: '/dev/tty.Bluetooth-Incoming-Port' },
    {
      path: '/dev/tty.usbserial-A50285BI',
      manufacturer: 'FTDI',
      serialNumber: 'A50285BI',
      vendorId: '0403',
      productId: '6001',
    },
    {
      path: '/dev/tty.usbmodem1101',
      manufacturer: 'Thermolink Laboratories',
      serialNumber: 'TL-0007',
      vendorId: '1209',
      productId: '7abc',
    },
  ],
};

/**
 * Rows as `SerialPort.list()` gives them on Windows: ids as in the registry. Windows makes up a serial number
 * for an adapter without a serial number.
 */
export const WINDOWS: SerialListing = {
  platform: 'win32',
  rows: [
    {
      path: 'COM1',
      manufacturer: '(Standard port types)',
      friendlyName: 'Communications Port (COM1)',
    },
    {
      path: 'COM10',
      manufacturer: 'wch.cn',
      serialNumber: '5&3B0E2D7A&0&2',
      friendlyName: 'USB-SERIAL CH340 (COM10)',
      vendorId: '1A86',
      productId: '7523',
    },
    {
      path: 'COM11',
      manufacturer: 'FTDI',
      serialNumber: 'A50285BI',
      friendlyName: 'USB Serial Port (COM11)',
      vendorId: '0403',
      productId: '6001',
    },
    {
      path: 'COM4',
      manufacturer: 'Microsoft',
      serialNumber: 'TL-0007',
      friendlyName: 'thermolink board (COM4)',
      vendorId: '1209',
      productId: '7ABC',
    },
  ],
};

const FTDI = { manufacturer: 'FTDI', product: 'FT232R USB UART', vendorId: '0403', productId: '6001' };

/** A Linux machine with two equal adapters. The user has no right to open one of them. */
export const LINUX: SerialListing = {
  platform: 'linux',
  hasModemManager: true,
  rows: [
    { path: '/dev/ttyS0', access: 'denied', group: 'dialout', holders: [] },
    { path: '/dev/ttyUSB0', ...FTDI, serialNumber: 'A50285BI', access: 'allowed', holders: [] },
    { path: '/dev/ttyUSB1', ...FTDI, serialNumber: 'A9014QZT', access: 'denied', group: 'uucp', holders: [] },
  ],
};
