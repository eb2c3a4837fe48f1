import { connect, type Socket } from 'node:net';
import type { Port } from '../../firmware-protocol/port.js';
import { badArgument, checkObject, checkSignal, checkText, checkWhole } from '../argument-checks.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { readingBy, SocketReads } from './socket-reads.js';
import { StreamPort } from './stream-port.js';
import { BadUri, type OpenPortOptions, readParameters, type Transport } from './transport.js';

/** The address at which a server listens. */
export interface TcpAddress {
  /** A host name or an address; IPv6 without brackets. */
  readonly host: string;
  /** From 1 to 65535. When listening, 0 lets the system choose. */
  readonly port: number;
}

const FRAME_BYTES_MAX = 65536;
const PORT_MAX = 65535;
const CONNECT_TIMEOUT_MS = 5000;
/** Time without traffic after which the operating system begins to ask whether the other machine is there. */
export const KEEP_ALIVE_MS = 10_000;

/** Boards on the network. */
export const tcpTransport: Transport<{ readonly kind: 'tcp' } & TcpAddress> = {
  scheme: 'tcp',
  form: 'tcp://HOST:PORT',
  parse({ path, parameters }) {
    readParameters(parameters, {});
    const address = parseHostPort(path.replace(/^\/\//, '').replace(/\/$/, ''));
    if (!path.startsWith('//') || !address)
      throw new BadUri(
        'the URI of a board on the network is tcp://HOST:PORT, for example tcp://127.0.0.1:7000',
      );
    if (address.port === 0)
      throw new BadUri('port 0 is only for listening; use the number that the server printed');
    return { kind: 'tcp', ...address };
  },
  open: (address, options) => openTcpPort(address, options),
  rediscover: (address) => Promise.resolve(address),
  suggest(text) {
    const address = parseHostPort(text.replace(/^(?:https?|tcp|telnet):\/*/i, '').replace(/\/$/, ''));
    // `COM3:9600` is a serial port, `0403:6001` a USB identity.
    if (!address || address.port === 0 || /^(?:com\d+|\d+|usb)$/i.test(address.host)) return undefined;
    return `the URI of a board on the network is ${tcpUri(address)}`;
  },
};

/** Writes `tcp://host:port`, with brackets around an IPv6 address. Errors: BAD_ARGUMENT. */
export function tcpUri(address: TcpAddress): string {
  checkObject('address', address, "{ host: '127.0.0.1', port: 7000 }");
  const { host, port } = address;
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Takes `host:port` or `[IPv6]:port` apart. Returns undefined for another form. Errors: BAD_ARGUMENT if
 * `text` is not a string.
 */
export function parseHostPort(text: string): TcpAddress | undefined {
  if (typeof text !== 'string') throw badArgument('text', text, 'a text');
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#[\]@]+)):(\d{1,5})$/i.exec(text);
  if (!match || Number(match[3]) > PORT_MAX) return undefined;
  return { host: match[1] ?? match[2], port: Number(match[3]) };
}

/** Makes a port of a socket that a server with `pauseOnConnect` has accepted. */
export function acceptedTcpPort(accepted: Socket, name: string): Port {
  const reads = new SocketReads();
  const socket = readingBy(reads, accepted);
  return socket ? tcpPort(socket, name, reads) : tcpPort(accepted, name);
}

/** Makes a port of a connected socket. Small frames leave at once. */
function tcpPort(socket: Socket, name: string, reads?: SocketReads): Port {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return new StreamPort(socket, {
    name,
    frameBytesMax: FRAME_BYTES_MAX,
    finish: () => socket.end(),
    destroy: () => socket.destroy(),
    flow: reads && ((receive) => reads.start(socket, receive)),
  });
}

/**
 * Connects to a board on the network. Errors: BAD_ARGUMENT, CANNOT_CONNECT, NO_ANSWER (deadline), ABORTED.
 * After an error nothing stays open.
 */
export async function openTcpPort(address: TcpAddress, options: OpenPortOptions = {}): Promise<Port> {
  checkObject('address', address, "{ host: '127.0.0.1', port: 7000 }");
  checkText('address.host', address.host);
  checkWhole('address.port', address.port, 1, PORT_MAX);
  checkObject('options', options, '{ signal: controller.signal }');
  checkSignal(options.signal);
  const { signal, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const name = tcpUri(address);
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const reads = new SocketReads();
    const socket = connect({ host: address.host, port: address.port, onread: reads.onread });
    // While the socket is paused, bytes wait in the operating system for a receiver.
    socket.pause();
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
    };
    const fail = (error: ThermolinkError): void => {
      settle();
      // Nobody needs a later error of this socket, but Node would throw it if it had no listener.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => fail(connectError(name, cause));
    const onAbort = (): void => fail(abortError(signal!));
    const timer = setTimeout(() => fail(deadlineError(name, timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    socket.once('connect', () => {
      settle();
      resolve(tcpPort(socket, name, reads));
    });
  });
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: [
    'nothing listens there',
    'Start `thermolink emulate --tcp HOST:PORT` there, or check the port number.',
  ],
  ENOTFOUND: ['there is no host of that name', 'Check the spelling, or use the address.'],
  EAI_AGAIN: ['the host name could not be looked up', 'Check the network, or use the address.'],
  EHOSTUNREACH: ['the host cannot be reached', 'Check the network and that the host is on.'],
  ENETUNREACH: ['the network cannot be reached', 'Check the network.'],
};

/** The error of a failed connection. `reasons` gives a reason and a hint for each code. */
export function connectError(name: string, cause: Error, reasons: typeof REASONS = {}): ThermolinkError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const otherwise = [cause.message || code, 'Check host, port and network.'] as const;
  const [why, hint] = reasons[code] ?? REASONS[code] ?? otherwise;
  return new ThermolinkError('CANNOT_CONNECT', `No connection to ${name}: ${why}.`, {
    cause,
    hint,
    retryable: true,
    data: { reason: code },
  });
}

function deadlineError(name: string, timeoutMs: number): ThermolinkError {
  return new ThermolinkError(
    'NO_ANSWER',
    `${name} did not take the connection within ${timeoutMs / 1000} s.`,
    {
      retryable: true,
      hint: 'Check the address, and that no firewall drops the connection.',
    },
  );
}
