import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { Port } from '../../firmware-protocol/port.js';
import { checkObject, checkText } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { makeDeviceLink, removeDeviceLink } from './device-link.js';
import { EventPort } from './event-port.js';
import { type Libc, loadLibc } from './libc.js';

/** The longest frame on a pseudo-terminal: the same as on a serial port. */
export const PTY_FRAME_BYTES_MAX = 8192;
/** Longest single wait for room in the terminal. The wait occupies a thread of Node's thread pool. */
const POLL_MS = 50;
/**
 * A write that is not taken within this time is dropped, as on a wire without a reader. The link sends it
 * again.
 */
const STALL_MS = 10_000;

/** Options of a pseudo-terminal. */
export interface PtyOptions {
  /** The path of a symlink to the terminal. It gives the terminal the same name at each start. */
  readonly link?: string;
}

/**
 * Makes a pseudo-terminal on Linux or macOS and returns the board's end of it. A host opens the `path` of
 * this end as a serial port. The terminal is raw from the start and has no modem lines. The system does not
 * report that a client has left; `hasClient` checks this. Errors: BAD_ARGUMENT, MISSING_PACKAGE (koffi),
 * CANNOT_LISTEN.
 */
export async function openPty(options: PtyOptions = {}): Promise<PtyPort> {
  checkObject('options', options, "{ link: '/tmp/board' }");
  if (options.link !== undefined) checkText('options.link', options.link);
  const libc = await loadLibc();
  const master = libc.openMaster();
  const failed = (what: string): ThermolinkError =>
    new ThermolinkError('CANNOT_LISTEN', `No pseudo-terminal can be made: ${what} failed.`, {
      hint: 'Check that this machine or container has /dev/ptmx and /dev/pts.',
    });
  if (master < 0) throw failed('posix_openpt');
  let slave: number | undefined;
  try {
    if (libc.grant(master) < 0 || libc.unlock(master) < 0) throw failed('unlockpt');
    const path = libc.slavePath(master);
    if (path === undefined) throw failed('ptsname_r');
    // This handle stays open. Without an open handle of the slave, the terminal would lose its raw mode, and
    // reading the master would fail.
    slave = openSlave(path);
    if (libc.makeRaw(slave) < 0) throw failed('tcsetattr');
    if (libc.setNonBlocking(master) < 0) throw failed('fcntl');
    if (options.link !== undefined) makeDeviceLink(options.link, path);
    return new PtyPort(libc, { master, slave, path, link: options.link });
  } catch (error) {
    if (slave !== undefined) closeSync(slave);
    closeSync(master);
    throw error instanceof ThermolinkError ? error : failed(String(error));
  }
}

function openSlave(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_NOCTTY);
}

interface PtyFiles {
  readonly master: number;
  readonly slave: number;
  readonly path: string;
  readonly link: string | undefined;
}

/** The board's end of a pseudo-terminal. `openPty` makes it. */
export class PtyPort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax = PTY_FRAME_BYTES_MAX;
  /** The path that a host opens: the link if there is one. */
  readonly path: string;
  /** Number of bytes that were dropped because no client took them in time. */
  bytesDropped = 0;
  readonly #libc: Libc;
  readonly #files: PtyFiles;
  /** This side's own handle of the slave. `hasClient` replaces it. */
  #slave: number | undefined;
  readonly #reader: ReadStream;
  #flowing = false;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(libc: Libc, files: PtyFiles) {
    super();
    this.#libc = libc;
    this.#files = files;
    this.#slave = files.slave;
    this.path = files.link ?? files.path;
    this.name = `pty:${this.path}`;
    this.#reader = new ReadStream(files.master);
    this.#reader.on('error', (error) => {
      this.events.end(error);
      void this.close();
    });
  }

  override onData(receiver: (bytes: Uint8Array) => void): void {
    super.onData(receiver);
    if (this.#flowing) return;
    this.#flowing = true;
    this.#reader.on('data', (chunk: Buffer) =>
      this.events.data(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)),
    );
  }

  /**
   * Whether a client has the terminal open. The system tells this only while our own handle of the slave is
   * closed, so the handle is closed for a moment. Afterwards the terminal is set to raw mode again. The
   * answer is true if the system does not tell (macOS). It is also true while a client has exclusive use
   * (TIOCEXCL), because our handle could not be opened again then. Errors: none; the port ends when the
   * handle can't be opened again.
   */
  hasClient(): boolean {
    if (this.closed) return false;
    const { master, path } = this.#files;
    if (this.#slave === undefined || this.#libc.isExclusive(this.#slave)) return true;
    this.#closeSlave();
    const isHungUp = this.#libc.isHungUp(master);
    try {
      this.#slave = openSlave(path);
    } catch (error) {
      // Opening fails for example if no file handle is free. Without a handle of the slave nothing can be
      // read any more.
      this.events.end(error as Error);
      void this.close();
      return false;
    }
    // Raw mode is set although a client is there: the client may have just arrived, and the client before may
    // have changed the mode.
    this.#libc.makeRaw(this.#slave);
    return !isHungUp;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const refusal = this.writeRefusal(this.#writing !== undefined);
    if (refusal) throw refusal;
    this.#writing = this.#writeAll(bytes);
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { path, link } = this.#files;
    this.events.end();
    if (link !== undefined) removeDeviceLink(link, path);
    // A thread may still wait on this file number. The number must not be reused before that wait has ended.
    await this.#writing?.catch(() => undefined);
    const gone = new Promise<void>((resolve) => this.#reader.once('close', () => resolve()));
    this.#reader.destroy();
    this.#closeSlave();
    await gone;
  }

  #closeSlave(): void {
    if (this.#slave !== undefined) closeSync(this.#slave);
    this.#slave = undefined;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let written = 0;
    let stalledMs = 0;
    while (written < bytes.length) {
      const count = this.#tryWrite(bytes, written);
      written += count;
      if (count > 0) stalledMs = 0;
      if (written === bytes.length) return;
      const startMs = performance.now();
      await this.#libc.waitWritable(this.#files.master, POLL_MS);
      stalledMs += performance.now() - startMs;
      if (this.closed) throw this.closedError();
      if (stalledMs >= STALL_MS) {
        this.bytesDropped += bytes.length - written;
        return;
      }
    }
  }

  /** Returns the number of bytes that the terminal took at once. */
  #tryWrite(bytes: Uint8Array, from: number): number {
    try {
      return writeSync(this.#files.master, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }
}
