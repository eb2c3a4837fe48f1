import { describe, expect, it } from 'vitest';
import type { Port } from '../../firmware-protocol/port.js';
import { openWebSerialPort } from '../../src/web/serial-port.js';
import { FakeSerialPort } from '../support/fake-web-serial.js';
import { describePortContract, type StalledPort, within } from './port-contract.js';

const PICO = { usbVendorId: 0x2e8a, usbProductId: 0x000a };
const FTDI = { usbVendorId: 0x0403, usbProductId: 0x6001 };

async function pair() {
  const serial = new FakeSerialPort();
  const page = await openWebSerialPort(serial);
  const ends: [Port, Port] = [serial.board, page];
  return {
    ends,
    async release() {
      await page.close();
      await serial.board.close();
    },
  };
}

async function readAll(port: Port, bytes: number): Promise<void> {
  let count = 0;
  await new Promise<void>((resolve) => {
    port.onData((chunk) => {
      count += chunk.length;
      if (count >= bytes) resolve();
    });
  });
}

describePortContract({
  name: 'web serial',
  open: pair,
  stalled: {
    async 'board to page'(): Promise<StalledPort> {
      const { ends, release } = await pair();
      return { port: ends[0], read: (bytes) => readAll(ends[1], bytes), release };
    },
    async 'page to board'(): Promise<StalledPort> {
      const { ends, release } = await pair();
      return { port: ends[1], read: (bytes) => readAll(ends[0], bytes), release };
    },
  },
  noticesClose: ['a board does not learn that a page closes its port', true],
});

describe('a port on Web Serial', () => {
  it.each([
    [FTDI, undefined, 'web-serial:0403:6001', 256, 576],
    [FTDI, 921_600, 'web-serial:0403:6001', 1843, 4608],
    [PICO, undefined, 'web-serial:2e8a:000a', 8192, 65_536],
    [PICO, 115_200, 'web-serial:2e8a:000a', 256, 576],
    [{}, undefined, 'web-serial', 256, 576],
  ])('of %o at %s Bd', async (info, baudRate, name, frameBytesMax, inFlightBytesMax) => {
    const serial = new FakeSerialPort(info);
    const port = await openWebSerialPort(serial, { baudRate });
    expect(port).toMatchObject({ name, frameBytesMax, inFlightBytesMax });
    expect(serial.opened).toMatchObject({ baudRate: baudRate ?? 115_200, flowControl: 'none' });
    // The default of browsers would lose bytes.
    expect(serial.opened!.bufferSize).toBeGreaterThan(inFlightBytesMax);
    expect(serial.signals).toEqual([]);
    await port.close();
    expect(serial.closes).toBe(1);
  });

  it('sets the requested modem lines, if the port has some', async () => {
    const serial = new FakeSerialPort();
    const port = await openWebSerialPort(serial, { dtr: false, rtscts: true });
    expect(serial.signals).toEqual([{ dataTerminalReady: false }]);
    expect(serial.opened!.flowControl).toBe('hardware');
    await port.close();
    serial.hasLines = false;
    await (await openWebSerialPort(serial, { dtr: true })).close();
  });

  it('continues after a fault of the line', async () => {
    const serial = new FakeSerialPort();
    const port = await openWebSerialPort(serial);
    for (const [i, fault] of (
      ['BreakError', 'BufferOverrunError', 'FramingError', 'ParityError'] as const
    ).entries()) {
      const byte = new Promise<void>((resolve) => {
        port.onData((bytes) => {
          expect([...bytes]).toEqual([i]);
          resolve();
        });
      });
      serial.failLine(fault);
      await serial.board.write(Uint8Array.of(i));
      await within(byte, `byte after ${fault}`);
      expect(port.closed).toBe(false);
    }
    await port.close();
  });

  it('ends with the reason when it is unplugged, also in the middle of a write', async () => {
    const serial = new FakeSerialPort(PICO);
    const port = await openWebSerialPort(serial);
    port.onData(() => undefined);
    const told = new Promise<Error | undefined>((resolve) => port.onClose(resolve));
    const writing = port.write(new Uint8Array(1 << 20));
    serial.unplug();
    await expect(within(writing, 'rejection')).rejects.toMatchObject({ code: 'LINK_LOST', retryable: true });
    expect(await within(told, 'word of the end')).toBeInstanceOf(Error);
    await within(port.close(), 'close');
  });

  it('reports that this page has it open, or that the browser can’t open it', async () => {
    const serial = new FakeSerialPort(PICO);
    const port = await openWebSerialPort(serial);
    await expect(openWebSerialPort(serial)).rejects.toMatchObject({ code: 'PORT_BUSY', retryable: true });
    await port.close();
    const held = new FakeSerialPort(PICO, async () => {
      throw new DOMException('Failed to open serial port.', 'NetworkError');
    });
    await expect(openWebSerialPort(held)).rejects.toMatchObject({
      code: 'CANNOT_CONNECT',
      message: 'The browser cannot open web-serial:2e8a:000a.',
      hint: expect.stringContaining('other programs'),
    });
  });

  it('ends a wait at its deadline or by its signal, and closes a port that opens later', async () => {
    const ends = [
      { options: { timeoutMs: 1 }, abort: undefined, code: 'NO_ANSWER' },
      { options: {}, abort: new AbortController(), code: 'ABORTED' },
    ];
    for (const { options, abort, code } of ends) {
      let open: () => void = () => undefined;
      const serial = new FakeSerialPort(PICO, () => new Promise((resolve) => (open = resolve)));
      const opening = openWebSerialPort(serial, { ...options, signal: abort?.signal });
      abort?.abort();
      await expect(within(opening, 'end of the wait')).rejects.toMatchObject({ code });
      open();
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
      expect(serial.closes).toBe(1);
    }
    const aborted = new FakeSerialPort();
    await expect(openWebSerialPort(aborted, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(aborted.opened).toBeUndefined();
  });

  it.each<[string, unknown, object]>([
    ['a promise of a port', Promise.resolve(new FakeSerialPort()), {}],
    ['no port', undefined, {}],
    ['a rate of no whole number', new FakeSerialPort(), { baudRate: 9600.5 }],
    ['a level that is no flag', new FakeSerialPort(), { dtr: 1 }],
    ['flow control that is no flag', new FakeSerialPort(), { rtscts: 'hardware' }],
    ['a deadline of 0', new FakeSerialPort(), { timeoutMs: 0 }],
  ])('refuses %s', async (_, serial, options) => {
    await expect(openWebSerialPort(serial as FakeSerialPort, options)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
    });
  });
});
