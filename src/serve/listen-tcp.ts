import { lookup } from 'node:dns/promises';
import { BlockList, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { U16_MAX } from '../../firmware-protocol/limits.js';
import { checkObject, checkText, checkWhole } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { acceptedTcpPort, type TcpAddress, tcpUri } from '../transport/tcp-port.js';
import { type BoardServer, CONNECTIONS_MAX } from './board-server.js';

/** A place where clients are accepted. */
export interface Listener {
  /** The device URI that a client connects to. */
  readonly uri: string;
  /** Ends the listening; connections stay. Errors: none. */
  close(): Promise<void>;
}

/** Who may connect, and who hears of what went wrong. */
export interface ListenTcpOptions {
  /**
   * Allows an address that other machines can reach. There is no authentication: whoever
   * connects drives the board.
   */
  readonly expose?: boolean;
  /**
   * Called when a connection could not be accepted, for example because no file handle was
   * free. Listening goes on.
   */
  readonly onError?: (error: Error) => void;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
const ANY_ADDRESS = ['0.0.0.0', '::'];

/**
 * Listens for clients of a board. Port 0 lets the system choose a free one; the URI in the result names it.
 * `close` of the result ends the listening and leaves connections to `BoardServer.close`. Errors:
 * BAD_ARGUMENT for an address that other machines can reach, without `expose`; CANNOT_LISTEN.
 */
export async function listenTcp(
  board: BoardServer,
  address: TcpAddress,
  options: ListenTcpOptions = {},
): Promise<Listener> {
  checkObject('board', board, 'new BoardServer(new EmulatedDevice(die))');
  checkObject('address', address, "{ host: '127.0.0.1', port: 0 }");
  checkText('address.host', address.host);
  checkWhole('address.port', address.port, 0, U16_MAX);
  const host = await resolveHost(address);
  if (!isLoopback(host) && options.expose !== true)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${address.host} can be reached from other machines, and whoever connects drives the board: there is no token yet.`,
      { hint: 'Use 127.0.0.1 (from afar by `ssh -L`), or set `expose` where everybody may.', data: { host } },
    );
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    const { remoteAddress = 'unknown', remotePort = 0 } = socket;
    board.addConnection(acceptedTcpPort(socket, tcpUri({ host: remoteAddress, port: remotePort })));
  });
  // The board gets more connections than it takes, so that it can say why it refuses. Those that make room
  // count until they are closed.
  server.maxConnections = 2 * CONNECTIONS_MAX;
  const port = await listen(server, host, address);
  server.on('error', (error) => options.onError?.(error));
  const shownHost = ANY_ADDRESS.includes(host) ? hostname() : host;
  return {
    uri: tcpUri({ host: shownHost, port }),
    // The board closes the connections.
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function isLoopback(host: string): boolean {
  return LOOPBACK.check(host, host.includes(':') ? 'ipv6' : 'ipv4');
}

/** Looks the host up once, so that the address that was checked is the one that is used. */
async function resolveHost(address: TcpAddress): Promise<string> {
  try {
    return (await lookup(address.host)).address;
  } catch (cause) {
    throw cannotListen(address, cause);
  }
}

function listen(server: Server, host: string, address: TcpAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(cannotListen(address, cause));
    server.once('error', onError);
    server.listen({ host, port: address.port }, () => {
      server.off('error', onError);
      const bound = server.address();
      resolve(bound !== null && typeof bound === 'object' ? bound.port : address.port);
    });
  });
}

function cannotListen(address: TcpAddress, cause: unknown): ThermolinkError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const why =
    {
      EADDRINUSE: 'the port number is taken',
      EACCES: 'port numbers below 1024 need privileges',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENOTFOUND: 'there is no host of that name',
    }[code] ?? code;
  return new ThermolinkError('CANNOT_LISTEN', `Can’t listen at ${tcpUri(address)}: ${why}.`, {
    cause,
    hint: 'Port 0 lets the system choose a free number.',
    data: { reason: code },
  });
}
