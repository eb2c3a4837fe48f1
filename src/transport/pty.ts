import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../errors.js';
import { makeDeviceLink, removeDeviceLink } from './device-link.js';
import { EventPort } from './event-port.js';
import { type Libc, loadLibc } from './libc.js';

/** As on any serial port. */
const FRAME_BYTES_MAX = 8192;
/** How long one wait for room may hold a thread. */
const POLL_MS = 50;
/** A write that nobody takes for this long is dropped, as a wire without a reader drops it; the link copes. */
const STALL_MS = 10_000;

export interface PtyOptions {
  /** A symlink to the terminal, so that its name stays the same from start to start. */
  readonly link?: string;
}

/**
 * A new pseudo-terminal, the board's end of it: whoever opens `path` as a serial port is at the other end. Raw from the
 * start. It has no modem lines and isn't told when its user goes; see `hasClient`. Linux and macOS. Errors: MISSING_PACKAGE (koffi),
 * CANNOT_LISTEN.
 */
export async function openPty(options: PtyOptions = {}): Promise<PtyPort> {
  const libc = await loadLibc();
  const master = libc.openMaster();
  const failed = (what: string): ThermolinkError =>
    new ThermolinkError('CANNOT_LISTEN', `No pseudo-terminal can be made: ${what} failed.`, {
      hint: 'Has this machine or container a /dev/ptmx and a /dev/pts?',
    });
  if (master < 0) throw failed('posix_openpt');
  let slave: number | undefined;
  try {
    if (libc.grant(master) < 0 || libc.unlock(master) < 0) throw failed('unlockpt');
    const path = libc.slavePath(master);
    if (path === undefined) throw failed('ptsname_r');
    // Kept open: with the last one the terminal would lose its raw mode, and reading here would fail.
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

/** Made by `openPty`. One write at a time, so at most one frame waits here. */
export class PtyPort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax = FRAME_BYTES_MAX;
  /** What to open at the other end: the link if there is one. */
  readonly path: string;
  /** Bytes that nobody took. */
  bytesDropped = 0;
  readonly #libc: Libc;
  readonly #files: PtyFiles;
  /** This side's own handle of the slave: another one after each `hasClient`. */
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
   * Whether somebody has the terminal open. The system tells only when this side's own handle isn't open either, so that is
   * closed for the moment. However somebody left the terminal, it is raw again after that. What can't be told counts as
   * somebody: on macOS, and when a client has the terminal to itself (TIOCEXCL), where it could not be opened again.
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
      // Out of file handles, say. Nothing can be read from now on.
      this.events.end(error as Error);
      void this.close();
      return false;
    }
    // Also with a client: one that came just now found the terminal as the one before left it.
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
    // A thread may still wait for the file; its number must not be given to another one before it has ended.
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

  /** How many bytes the terminal took now. */
  #tryWrite(bytes: Uint8Array, from: number): number {
    try {
      return writeSync(this.#files.master, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }
}
