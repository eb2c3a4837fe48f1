/**
 * The optional package serialport, with fixes for three faults of version 13 in reading and writing on Linux
 * and macOS:
 * - After a hang-up `read` returns no bytes; the binding tries again without end, until memory is full
 *   (serialport/bindings-cpp issue 162). Here a hang-up is the end of the port.
 * - While it waits for bytes, the poller forgets a write that waits for room. The write then hangs until a
 *   byte comes.
 * - A close does not wait for a read in progress, which keeps the file and its lock for a moment longer. A
 *   program that opens the port right after the close finds it busy.
 */
import { read as readFile, write as writeFile } from 'node:fs';
import { promisify } from 'node:util';
import { ThermolinkError } from '../errors.js';

const readBytes = promisify(readFile);
const writeBytes = promisify(writeFile);

const FLAGS = { readable: 1, writable: 2 } as const;
type Readiness = keyof typeof FLAGS;

/** Loads serialport when a port is used; tests give another `load`. Errors: MISSING_PACKAGE. */
export async function loadSerialPort<T = typeof import('serialport')>(
  load: () => Promise<T> = () => import('serialport') as Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new ThermolinkError(
      'MISSING_PACKAGE',
      'Serial ports need the package serialport, which does not load.',
      { cause, hint: 'Run `npm install serialport@13`.', data: { package: 'serialport' } },
    );
  }
}

/** The parts of an open port of the binding that are used here, on Linux and macOS. */
interface UnixPort {
  readonly fd: number | null;
  readonly poller: {
    once(event: Readiness, callback: (error: Error | null) => void): unknown;
    poll(flags: number): void;
  };
  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }>;
  write(buffer: Buffer): Promise<void>;
  close(): Promise<void>;
}

interface Binding<Options, OpenPort> {
  open(options: Options): Promise<OpenPort>;
}

/**
 * Returns a binding whose open ports have the three fixes that are listed above. Ports on Windows are of
 * another kind and stay unchanged.
 */
export function mendedBinding<Options, OpenPort, B extends Binding<Options, OpenPort>>(binding: B): B {
  return {
    ...binding,
    async open(options: Options): Promise<OpenPort> {
      const port = await binding.open(options);
      if (isUnixPort(port)) mend(port);
      return port;
    },
  };
}

function isUnixPort(port: unknown): port is UnixPort {
  return typeof port === 'object' && port !== null && 'poller' in port && 'fd' in port;
}

function mend(port: UnixPort): void {
  /** Calls of the system that are in progress; none of them blocks. */
  const calls = new Set<Promise<unknown>>();
  let closing = false;
  const openFile = (): number => {
    // The stream expects this error from a call during which the port was closed.
    if (closing || port.fd === null) throw Object.assign(new Error('Port is not open'), { canceled: true });
    return port.fd;
  };
  /** Returns the result of `call`; undefined if the file is not ready. */
  const attempt = async <T>(call: (fd: number) => Promise<T>): Promise<T | undefined> => {
    const result = call(openFile());
    calls.add(result);
    try {
      return await result;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR') return undefined;
      throw error;
    } finally {
      calls.delete(result);
    }
  };
  const close = port.close.bind(port);
  port.close = async () => {
    closing = true;
    await Promise.allSettled(calls);
    await close();
  };
  const waiting = new Set<Readiness>();
  const ready = (event: Readiness): Promise<void> => {
    // Polling after a close would crash the process.
    openFile();
    return new Promise((resolve, reject) => {
      waiting.add(event);
      port.poller.once(event, (error) => {
        waiting.delete(event);
        if (error) reject(error);
        else resolve();
      });
      // `once` polls only for its own event. Events that other calls wait for must be added again.
      port.poller.poll([...waiting].reduce((flags, name) => flags | FLAGS[name], 0));
    });
  };
  port.read = async (buffer, offset, length) => {
    for (;;) {
      const read = await attempt((fd) => readBytes(fd, buffer, offset, length, null));
      if (read?.bytesRead === 0) throw new Error('the line hung up');
      if (read) return read;
      await ready('readable');
    }
  };
  port.write = async (buffer) => {
    for (let written = 0; written < buffer.length; ) {
      const write = await attempt((fd) => writeBytes(fd, buffer, written));
      if (write) written += write.bytesWritten;
      else await ready('writable');
    }
  };
}
