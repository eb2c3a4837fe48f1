/**
 * serialport's own reading and writing on Linux and macOS, with three faults of version 13 mended:
 * - after a hang-up `read` returns no bytes; the binding tries again at once and for ever, until memory is full
 *   (serialport/bindings-cpp issue 162). Here it is the end of the port.
 * - waiting for bytes makes the poller forget that a write waits for room, so that the write hangs until a byte comes.
 * - a close does not wait for a read in progress, which keeps the file and its lock for a moment longer: whoever opens the
 *   port right after finds it busy.
 */
import { read as readFile, write as writeFile } from 'node:fs';
import { promisify } from 'node:util';

const readBytes = promisify(readFile);
const writeBytes = promisify(writeFile);

const FLAGS = { readable: 1, writable: 2 } as const;
type Readiness = keyof typeof FLAGS;

/** What an open port of the binding has on these systems. */
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

/** The binding with open ports mended. On Windows ports are another kind and stay as they are. */
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
  /** Calls of the system in progress; none of them blocks. */
  const calls = new Set<Promise<unknown>>();
  let closing = false;
  const openFile = (): number => {
    // As the stream above expects it of a call that a close overtook.
    if (closing || port.fd === null) throw Object.assign(new Error('Port is not open'), { canceled: true });
    return port.fd;
  };
  /** What `call` gives, or undefined when it would have to wait. */
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
    // A poller that was destroyed by a close crashes the process.
    openFile();
    return new Promise((resolve, reject) => {
      waiting.add(event);
      port.poller.once(event, (error) => {
        waiting.delete(event);
        if (error) reject(error);
        else resolve();
      });
      // `once` waits for this event alone; the other one may be waited for as well.
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
