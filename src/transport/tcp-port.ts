import { connect, type Socket } from 'node:net';
import type { Port } from '../../firmware-protocol/port.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { readingBy, SocketReads } from './socket-reads.js';
import { StreamPort } from './stream-port.js';

export interface TcpAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface OpenPortOptions {
  readonly signal?: AbortSignal;
  /** Deadline for opening. Default 5 s. */
  readonly timeoutMs?: number;
}

const FRAME_BYTES_MAX = 65536;
const PORT_MAX = 65535;
const CONNECT_TIMEOUT_MS = 5000;
/** A peer whose machine vanished is noticed after about this time without traffic. */
const KEEP_ALIVE_MS = 10_000;

/** `tcp://host:port`, with brackets around an IPv6 address. */
export function tcpUri({ host, port }: TcpAddress): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `host:port` or `[IPv6]:port` taken apart, undefined when it is not of that form. */
export function parseHostPort(text: string): TcpAddress | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#[\]@]+)):(\d{1,5})$/i.exec(text);
  if (!match || Number(match[3]) > PORT_MAX) return undefined;
  return { host: match[1] ?? match[2], port: Number(match[3]) };
}

/** A port on a socket that a server with `pauseOnConnect` has accepted. */
export function acceptedTcpPort(accepted: Socket, name: string): Port {
  const reads = new SocketReads();
  const socket = readingBy(reads, accepted);
  return socket ? tcpPort(socket, name, reads) : tcpPort(accepted, name);
}

/** A port on a connected socket; small frames leave at once. */
function tcpPort(socket: Socket, name: string, reads?: SocketReads): Port {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return new StreamPort(socket, {
    name,
    frameBytesMax: FRAME_BYTES_MAX,
    finish: () => socket.end(),
    destroy: () => socket.destroy(),
    ...(reads ? { flow: (receive) => reads.start(socket, receive) } : {}),
  });
}

/** Connects. Errors: CANNOT_CONNECT, NO_ANSWER (deadline), ABORTED; nothing stays open after one. */
export function openTcpPort(address: TcpAddress, options: OpenPortOptions = {}): Promise<Port> {
  const { signal, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const name = tcpUri(address);
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const reads = new SocketReads();
    const socket = connect({ host: address.host, port: address.port, onread: reads.onread });
    // Bytes that come before anybody listens wait in the system.
    socket.pause();
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
    };
    const fail = (error: ThermolinkError): void => {
      settle();
      // An error that comes later belongs to nobody.
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

function connectError(name: string, cause: Error): ThermolinkError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const [why, hint] = REASONS[code] ?? [cause.message || code, 'Check host, port and network.'];
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
