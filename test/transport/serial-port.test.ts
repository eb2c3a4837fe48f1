import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { openPty, type PtyPort } from '../../src/transport/pty.js';
import { serialLimits } from '../../src/transport/serial-limits.js';
import { openSerialPort } from '../../src/transport/serial-port.js';
import { serialUri } from '../../src/transport/serial-uri.js';
import { within } from './port-contract.js';

async function withPty(test: (pty: PtyPort) => Promise<void>): Promise<void> {
  const pty = await openPty();
  try {
    await test(pty);
  } finally {
    await within(pty.close(), 'close');
  }
}

describe('the frames and bytes in flight on a serial line', () => {
  it.each([
    // 20 ms of 11,520 bytes a second are less than the smallest frame. The bytes in flight are those of 50
    // ms.
    [115_200, 256, 576],
    [921_600, 1843, 4608],
    [9600, 256, 256],
    [12_000_000, 8192, 60_000],
    [undefined, 8192, 65_536],
  ])('at %s Bd: frames of %i bytes, %i in flight', (baudRate, frameBytesMax, inFlightBytesMax) => {
    expect(serialLimits(baudRate)).toEqual({ frameBytesMax, inFlightBytesMax });
  });

  it('are bounded by the requested rate, and are not bounded on a pty without a rate', () =>
    withPty(async ({ path }) => {
      const slow = await openSerialPort({ path, baudRate: 115_200 });
      expect(slow).toMatchObject({ frameBytesMax: 256, inFlightBytesMax: 576 });
      await slow.close();
      const fast = await openSerialPort({ path });
      expect(fast).toMatchObject({ frameBytesMax: 8192, inFlightBytesMax: 65_536 });
      await fast.close();
    }));
});

describe('serial port', () => {
  it('opens a pty, which has no modem lines', () =>
    withPty(async ({ path }) => {
      for (const dtr of [true, false]) {
        const port = await within(openSerialPort({ path, dtr, rtscts: true }), 'opening');
        await port.close();
      }
    }));

  it('can be opened again after a close, as a new object', () =>
    withPty(async (pty) => {
      for (let round = 0; round < 3; round++) {
        const port = await within(openSerialPort({ path: pty.path }), 'opening');
        const heard = new Promise<Uint8Array>((resolve) => pty.onData(resolve));
        await port.write(Uint8Array.of(round));
        expect(await within(heard, 'byte')).toEqual(Uint8Array.of(round));
        await port.close();
      }
    }));

  it('reports that another program holds it', () =>
    withPty(async ({ path }) => {
      const port = await openSerialPort({ path });
      await expect(within(openSerialPort({ path }), 'refusal')).rejects.toMatchObject({
        code: 'PORT_BUSY',
        retryable: true,
      });
      await port.close();
    }));

  it('reports that it does not exist', async () => {
    await expect(openSerialPort({ path: '/dev/thermolink-none' })).rejects.toMatchObject({
      code: 'PORT_NOT_FOUND',
      hint: expect.stringContaining('thermolink devices'),
    });
  });

  it('reports that a file is not a serial port', async () => {
    await expect(openSerialPort({ path: '/dev/null' })).rejects.toMatchObject({ code: 'CANNOT_CONNECT' });
  });

  it('is not opened after a cancel', () =>
    withPty(async ({ path }) => {
      const controller = new AbortController();
      const opening = openSerialPort({ path }, { signal: controller.signal });
      controller.abort();
      await expect(within(opening, 'abort')).rejects.toMatchObject({ code: 'ABORTED' });
    }));

  it('notices an unplug in the middle of a stream, and does not loop without end', () =>
    withPty(async (pty) => {
      const port = await openSerialPort({ path: pty.path });
      let bytes = 0;
      const closed = new Promise<void>((resolve) => port.onClose(() => resolve()));
      await within(
        new Promise<void>((resolve, reject) => {
          port.onData((chunk) => {
            // The hang-up happens while the port reads.
            if (bytes === 0) resolve();
            bytes += chunk.length;
          });
          void (async () => {
            while (!pty.closed) await pty.write(new Uint8Array(4096).fill(1));
          })().catch((error) => (pty.closed ? undefined : reject(error)));
        }),
        'first byte',
      );
      await within(pty.close(), 'close of the pty');
      await within(closed, 'word of the unplug', 2000);
      await expect(port.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'LINK_LOST' });
    }));

  it('continues to write when there is room, also after it has waited for bytes', () =>
    withPty(async (pty) => {
      const port = await openSerialPort({ path: pty.path });
      const count = 1 << 20;
      let heard = 0;
      const byte = new Promise<void>((resolve) => port.onData(() => resolve()));
      // Nobody reads the pty yet, so this write waits for room.
      const writing = port.write(new Uint8Array(count).fill(7));
      await within(pty.write(Uint8Array.of(1)), 'write');
      await within(byte, 'byte');
      // By now the port waits for the next byte, which never comes.
      for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
      const all = new Promise<void>((resolve) => {
        pty.onData((chunk) => {
          heard += chunk.length;
          if (heard === count) resolve();
        });
      });
      await within(Promise.all([writing, all]), 'last byte');
      await port.close();
    }));

  it('says how to get the package when it is missing', async () => {
    vi.resetModules();
    vi.doMock('serialport', () => {
      throw new Error('not here');
    });
    try {
      const { openSerialPort: open } = await import('../../src/transport/serial-port.js');
      await expect(open({ path: '/dev/ttyACM0' })).rejects.toMatchObject({
        code: 'MISSING_PACKAGE',
        hint: expect.stringContaining('npm install serialport'),
      });
    } finally {
      vi.doUnmock('serialport');
      vi.resetModules();
    }
  });

  it('has a URI for any path', () => {
    expect(serialUri('/dev/ttyACM0')).toBe('serial:/dev/ttyACM0');
    expect(serialUri('/tmp/a?b#c%d')).toBe('serial:/tmp/a%3Fb%23c%25d');
  });
});

describe('pty', () => {
  it('does not echo and does not change bytes', () =>
    withPty(async (pty) => {
      const port = await openSerialPort({ path: pty.path });
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      let back = 0;
      port.onData((chunk) => (back += chunk.length));
      const heard: number[] = [];
      const done = new Promise<void>((resolve) => {
        pty.onData((chunk) => {
          heard.push(...chunk);
          if (heard.length === 256) resolve();
        });
      });
      await port.write(all);
      await within(done, 'last byte');
      expect(heard).toEqual([...all]);
      expect(back).toBe(0);
      await port.close();
    }));

  it.runIf(process.platform === 'linux')('that a client has opened exclusively counts as in use', () =>
    withPty(async (pty) => {
      const { default: koffi } = await import('koffi');
      const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request)');
      const [TIOCEXCL, TIOCNXCL] = [0x540c, 0x540d];
      const file = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY);
      expect(ioctl(file, TIOCEXCL)).toBe(0);
      expect(pty.hasClient()).toBe(true);
      expect(ioctl(file, TIOCNXCL)).toBe(0);
      expect(pty.hasClient()).toBe(true);
      closeSync(file);
      expect(pty.hasClient()).toBe(false);
    }),
  );

  it.runIf(process.platform === 'linux')(
    'tells whether another process has it open, and does not change the terminal',
    () =>
      withPty(async (pty) => {
        const heard: number[] = [];
        pty.onData((chunk) => heard.push(...chunk));
        for (let client = 0; client < 3; client++) {
          expect(pty.hasClient()).toBe(false);
          const port = await openSerialPort({ path: pty.path });
          const back: number[] = [];
          port.onData((chunk) => back.push(...chunk));
          expect(pty.hasClient()).toBe(true);
          // A terminal that is not raw would change, echo or keep these bytes.
          await port.write(Uint8Array.of(client, 3, 4, 10, 13, 127));
          await vi.waitFor(() => expect(heard).toHaveLength(6 * (client + 1)));
          expect(pty.hasClient()).toBe(true);
          await pty.write(Uint8Array.of(10, 13, 200));
          await vi.waitFor(() => expect(back).toEqual([10, 13, 200]));
          await port.close();
        }
        expect(pty.hasClient()).toBe(false);
        expect(heard.slice(12)).toEqual([2, 3, 4, 10, 13, 127]);
        // A serial port would make the terminal raw, so it is opened as a file.
        const file = openSync(pty.path, constants.O_WRONLY | constants.O_NOCTTY);
        writeSync(file, Uint8Array.of(3, 10, 13));
        closeSync(file);
        expect(pty.hasClient()).toBe(false);
        await vi.waitFor(() => expect(heard.slice(18)).toEqual([3, 10, 13]));
        expect(pty.closed).toBe(false);
      }),
  );

  it.runIf(process.platform === 'linux')('is raw again after the question, whatever its settings were', () =>
    withPty(async (pty) => {
      const heard: number[] = [];
      pty.onData((chunk) => heard.push(...chunk));
      for (const isThere of [true, false]) {
        execFileSync('stty', ['-F', pty.path, 'sane']);
        const before = isThere ? openSync(pty.path, constants.O_WRONLY | constants.O_NOCTTY) : undefined;
        expect(pty.hasClient()).toBe(isThere);
        const file = before ?? openSync(pty.path, constants.O_WRONLY | constants.O_NOCTTY);
        heard.length = 0;
        // A terminal that is not raw sends 13, 10 for 10.
        writeSync(file, Uint8Array.of(3, 10, 13, 4));
        closeSync(file);
        await vi.waitFor(() => expect(heard).toEqual([3, 10, 13, 4]));
      }
    }),
  );

  it('says how to get the package when it is missing', async () => {
    vi.resetModules();
    vi.doMock('koffi', () => {
      throw new Error('not here');
    });
    try {
      const { openPty: open } = await import('../../src/transport/pty.js');
      await expect(open()).rejects.toMatchObject({
        code: 'MISSING_PACKAGE',
        hint: expect.stringContaining('over TCP'),
      });
    } finally {
      vi.doUnmock('koffi');
      vi.resetModules();
    }
  });
});
