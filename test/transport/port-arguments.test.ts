import { expect, it } from 'vitest';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { openPty } from '../../src/transport/pty.js';
import { openSerialPort } from '../../src/transport/serial-port.js';
import { openTcpPort } from '../../src/transport/tcp-port.js';

/** JavaScript lets a program pass any value. */
const any = (value: unknown): never => value as never;

it.each<[string, () => unknown, RegExp]>([
  ['no TCP address', () => openTcpPort(any(undefined)), /^address is missing/],
  ['a URI for a TCP address', () => openTcpPort(any('tcp://a:1')), /^address is the text/],
  ['no host', () => openTcpPort({ host: '', port: 7000 }), /^address\.host is the text ""/],
  ['port 0', () => openTcpPort({ host: 'a', port: 0 }), /^address\.port is 0; .* from 1 to 65535/],
  [
    'a port in a text',
    () => openTcpPort({ host: 'a', port: any('7000') }),
    /^address\.port is the text "7000"/,
  ],
  [
    'a controller for a signal',
    () => openTcpPort({ host: 'a', port: 1 }, { signal: any(new AbortController()) }),
    /^signal is an object of type AbortController/,
  ],
  ['a path for a serial address', () => openSerialPort(any('/dev/ttyACM0')), /^address is the text/],
  ['no path', () => openSerialPort(any({})), /^address\.path is missing/],
  ['half a baud', () => openSerialPort({ path: '/dev/x', baudRate: 0.5 }), /^address\.baudRate is 0\.5/],
  ['a link for the options of a pty', () => openPty(any('/tmp/board')), /^options is the text/],
  ['an empty link', () => openPty({ link: '' }), /^options\.link is the text ""/],
  ['a number for a name', () => memoryPortPair(any(7)), /^name is 7/],
])('%s is refused by the name of the argument', async (_, open, message) => {
  await expect((async () => open())()).rejects.toMatchObject({
    code: 'BAD_ARGUMENT',
    message: expect.stringMatching(message),
  });
});
