import { ThermolinkError } from '../errors.js';

/** The calls of the C library that a pseudo-terminal needs and Node lacks. A number below 0 is a failure. */
export interface Libc {
  openMaster(): number;
  grant(fd: number): number;
  unlock(fd: number): number;
  /** The path of the slave; undefined after a failure. */
  slavePath(fd: number): string | undefined;
  /** Turns echo, line editing, signals and every translation of bytes off. */
  makeRaw(fd: number): number;
  setNonBlocking(fd: number): number;
  /** Whether a client has exclusive use of the terminal (TIOCEXCL). True on systems that don't tell. */
  isExclusive(fd: number): boolean;
  /** Whether no process has the other end open. */
  isHungUp(fd: number): boolean;
  /** Waits in a thread, at most `timeoutMs`, until the file can take bytes. Resolves to whether it can. */
  waitWritable(fd: number, timeoutMs: number): Promise<boolean>;
}

/** Constants from the header files of the two systems. */
const CONSTANTS = {
  linux: { O_NOCTTY: 0o400, O_NONBLOCK: 0o4000, TIOCGEXCL: 0x80045440 },
  darwin: { O_NOCTTY: 0x20000, O_NONBLOCK: 4, TIOCGEXCL: undefined },
} as const;
const O_RDWR = 2;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const TCSANOW = 0;
const POLLOUT = 4;
const POLLHUP = 16;
/** Bytes reserved for a `struct termios`, which has 60 bytes on Linux and 72 on macOS. */
const TERMIOS_BYTES = 256;
const PATH_BYTES_MAX = 128;

/**
 * Loads the calls through the package koffi. Errors: CANNOT_LISTEN on other systems, MISSING_PACKAGE without
 * koffi.
 */
export async function loadLibc(): Promise<Libc> {
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    throw new ThermolinkError('CANNOT_LISTEN', `There are no pseudo-terminals on ${process.platform}.`, {
      hint: 'Serve the board over TCP instead.',
    });
  const { O_NOCTTY, O_NONBLOCK, TIOCGEXCL } = CONSTANTS[process.platform];
  const koffi = await loadKoffi();
  // `null` means the process itself. It has libc loaded, so the file name of libc is not needed.
  const libc = koffi.load(null);
  const posixOpenpt = libc.func('int posix_openpt(int flags)');
  const grantpt = libc.func('int grantpt(int fd)');
  const unlockpt = libc.func('int unlockpt(int fd)');
  const ptsnameR = libc.func('int ptsname_r(int fd, _Out_ uint8_t *path, size_t size)');
  const tcgetattr = libc.func('int tcgetattr(int fd, _Out_ uint8_t *termios)');
  const tcsetattr = libc.func('int tcsetattr(int fd, int when, const uint8_t *termios)');
  const cfmakeraw = libc.func('void cfmakeraw(_Inout_ uint8_t *termios)');
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  const ioctl = libc.func('int ioctl(int fd, unsigned long request, _Out_ int *value)');
  const poll = libc.func('int poll(_Inout_ uint8_t *files, unsigned long count, int timeoutMs)');
  return {
    openMaster() {
      const fd: number = posixOpenpt(O_RDWR | O_NOCTTY);
      if (fd >= 0) fcntl(fd, F_SETFD, 'int', FD_CLOEXEC);
      return fd;
    },
    grant: (fd) => grantpt(fd),
    unlock: (fd) => unlockpt(fd),
    slavePath(fd) {
      const path = Buffer.alloc(PATH_BYTES_MAX);
      return ptsnameR(fd, path, path.length) === 0 ? path.toString('latin1', 0, path.indexOf(0)) : undefined;
    },
    makeRaw(fd) {
      const termios = Buffer.alloc(TERMIOS_BYTES);
      if (tcgetattr(fd, termios) !== 0) return -1;
      cfmakeraw(termios);
      return tcsetattr(fd, TCSANOW, termios);
    },
    setNonBlocking: (fd) => fcntl(fd, F_SETFL, 'int', fcntl(fd, F_GETFL) | O_NONBLOCK),
    isExclusive(fd) {
      const value = [0];
      return TIOCGEXCL === undefined || ioctl(fd, TIOCGEXCL, value) !== 0 || value[0] !== 0;
    },
    isHungUp(fd) {
      const file = pollFile(fd, 0);
      poll(new Uint8Array(file.buffer), 1, 0);
      return (file.getInt16(6, true) & POLLHUP) !== 0;
    },
    waitWritable(fd, timeoutMs) {
      const file = pollFile(fd, POLLOUT);
      return new Promise((resolve, reject) => {
        poll.async(new Uint8Array(file.buffer), 1, timeoutMs, (error: unknown, ready: number) => {
          if (error) reject(error);
          else resolve(ready > 0);
        });
      });
    },
  };
}

/** struct pollfd { int fd; short events; short revents; } */
function pollFile(fd: number, events: number): DataView<ArrayBuffer> {
  const file = new DataView(new ArrayBuffer(8));
  file.setInt32(0, fd, true);
  file.setInt16(4, events, true);
  return file;
}

async function loadKoffi(): Promise<typeof import('koffi')['default']> {
  try {
    return (await import('koffi')).default;
  } catch (cause) {
    throw new ThermolinkError(
      'MISSING_PACKAGE',
      'Pseudo-terminals need the package koffi, which does not load.',
      { cause, hint: 'Run `npm install koffi@3`, or serve the board over TCP.' },
    );
  }
}
