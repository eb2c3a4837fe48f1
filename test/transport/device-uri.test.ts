import { describe, expect, it } from 'vitest';
import { parseDeviceUri } from '../../src/connect.js';

function refusal(uri: string): { code: string; message: string; hint: string } {
  try {
    parseDeviceUri(uri);
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  }
  throw new Error(`${uri} was taken`);
}

describe('device URIs', () => {
  it.each([
    ['emulator:ideal-64', { kind: 'emulator', profile: 'ideal-64', dieSeed: 1 }],
    ['emulator:ideal-64?die=4294967295', { kind: 'emulator', profile: 'ideal-64', dieSeed: 4294967295 }],
    ['tcp://127.0.0.1:7000', { kind: 'tcp', host: '127.0.0.1', port: 7000 }],
    ['tcp://board.lab/:7000', undefined],
    ['tcp://board.lab:7000/', { kind: 'tcp', host: 'board.lab', port: 7000 }],
    ['tcp://[::1]:7000', { kind: 'tcp', host: '::1', port: 7000 }],
    ['lucidac://192.168.1.21', { kind: 'lucidac', host: '192.168.1.21', port: 5732 }],
    ['lucidac://lucidac.lab:7/', { kind: 'lucidac', host: 'lucidac.lab', port: 7 }],
    ['lucidac://[::1]', { kind: 'lucidac', host: '::1', port: 5732 }],
    ['lucidac://', undefined],
    ['lucidac://host:0', undefined],
    ['lucidac:host', undefined],
    ['lucidac://host?die=1', undefined],
    ['serial:/dev/ttyACM0', { kind: 'serial', path: '/dev/ttyACM0' }],
    ['serial:COM10', { kind: 'serial', path: 'COM10' }],
    [String.raw`serial:\\.\COM10`, { kind: 'serial', path: 'COM10' }],
    ['serial:/tmp/my board', { kind: 'serial', path: '/tmp/my board' }],
    [
      'serial:/dev/ttyUSB0?baud=921600&dtr=0&rtscts=1',
      { kind: 'serial', path: '/dev/ttyUSB0', baudRate: 921600, dtr: false, rtscts: true },
    ],
    ['serial:/tmp/a%3Fb%25', { kind: 'serial', path: '/tmp/a?b%' }],
    ['serial:?usb=CAFE:4011', { kind: 'usb', usb: { vendorId: 'CAFE', productId: '4011' } }],
    [
      'serial:?usb=303a:1001:34:85:18:AA&baud=115200',
      {
        kind: 'usb',
        usb: { vendorId: '303a', productId: '1001', serialNumber: '34:85:18:AA' },
        baudRate: 115200,
      },
    ],
  ])('%s', (uri, address) => {
    if (address === undefined) expect(refusal(uri).code).toBe('BAD_DEVICE_URI');
    else expect(parseDeviceUri(uri)).toEqual(address);
  });

  it.each([
    ['/dev/ttyACM0', 'serial:/dev/ttyACM0'],
    ['COM3', 'serial:COM3'],
    ['ideal-64', ' is emulator:ideal-64.'],
    ['Ideal-64?die=3', ' is emulator:ideal-64?die=3.'],
    ['emulator://ideal-64', ' is emulator:ideal-64.'],
    ['emulator:///ideal-64?die=3', ' is emulator:ideal-64?die=3.'],
    ['emulator:/home/me/board.json', ' is emulator:file=/home/me/board.json.'],
    ['emulator:///home/me/board.json', ' is emulator:file=/home/me/board.json.'],
    ['emulator:/home/a%20b.json?die=3', ' is emulator:file=/home/a%20b.json?die=3.'],
    ['emulator:board.json', ' is emulator:file=board.json.'],
    ['emulator://board.json', ' is emulator:file=board.json.'],
    ['my board.json', ' is emulator:file=my%20board.json.'],
    ['emulator:file=a#1.json?die=2', ' is emulator:file=a%231.json?die=2.'],
    ['127.0.0.1:7000', ' is tcp://127.0.0.1:7000.'],
    ['localhost:7000', ' is tcp://localhost:7000.'],
    ['board.lab:7000/', ' is tcp://board.lab:7000.'],
    ['http://[::1]:7000/', ' is tcp://[::1]:7000.'],
    ['ttyUSB0', ' is serial:/dev/ttyUSB0.'],
    [' /dev/ttyUSB0 ', ' is serial:/dev/ttyUSB0.'],
    ['dev/ttyACM1?baud=9600', ' is serial:/dev/ttyACM1?baud=9600.'],
    ['serial:ttyACM0', ' is serial:/dev/ttyACM0.'],
    ['/dev/ttyUSB0:115200', ' is serial:/dev/ttyUSB0?baud=115200.'],
    ['COM3:9600', ' is serial:COM3?baud=9600.'],
    ['com10', ' is serial:COM10.'],
    [String.raw`\\.\COM10`, ' is serial:COM10.'],
    ['/tmp/my board#1', ' is serial:/tmp/my%20board%231.'],
    ['serial:/tmp/board#1?dtr=0', ' is serial:/tmp/board%231?dtr=0.'],
    ['./line?1', ' is serial:./line%3F1.'],
    ['0403:6001', ' is serial:?usb=0403:6001.'],
    ['usb=0403:6001:A 5', ' is serial:?usb=0403:6001:A%205.'],
    ['board#1', 'a # is written %23'],
    ['board', 'not a URI'],
    ['usb:1234', 'no transport usb'],
    ['emulator:ideal-64?dye=1', 'unknown parameter dye (there is die, faults)'],
    ['emulator:ideal-64?die=-1', 'die=-1'],
    ['emulator:ideal-64?die=1&die=2', 'die is given twice'],
    ['tcp:127.0.0.1:7000', 'tcp://HOST:PORT'],
    ['tcp://127.0.0.1', 'tcp://HOST:PORT'],
    ['tcp://127.0.0.1:70000', 'tcp://HOST:PORT'],
    ['tcp://user@host:1', 'tcp://HOST:PORT'],
    ['tcp://127.0.0.1:0', 'port 0'],
    ['tcp://127.0.0.1:1?baud=9600', 'unknown parameter baud'],
    ['serial:', 'needs a path'],
    ['serial:/dev/ttyS0?baud=0', 'baud=0'],
    ['serial:/dev/ttyS0?dtr=2', 'dtr=2'],
    ['serial:/dev/ttyS0?usb=1234:5678', 'exclude each other'],
    ['serial:?usb=12:34', 'four hexadecimal digits'],
    ['serial:/dev/%zz', '%25'],
  ])('%s is refused with a reason', (uri, reason) => {
    const { code, message, hint } = refusal(uri);
    expect(code).toBe('BAD_DEVICE_URI');
    expect(message).toContain(reason);
    expect(hint).toContain('tcp://HOST:PORT');
  });

  it('the error of an unknown profile names the existing profiles', () => {
    const { code, hint } = refusal('emulator:huge');
    expect(code).toBe('UNKNOWN_PROFILE');
    expect(hint).toContain('ideal-64');
  });
});
