import { createServer } from 'node:net';
import { U16_MAX } from '../../firmware-protocol/limits.js';
import { checkObject, checkText, checkWhole } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { acceptedTcpPort, type TcpAddress, tcpUri } from '../transport/tcp-port.js';
import { type BoardServer, CONNECTIONS_MAX } from './board-server.js';
import { isLoopback, listenAt, resolveHost, shownHost } from './listening.js';

/** A listening server. */
export interface Listener {
  /** The device URI that a client connects to. */
  readonly uri: string;
  /** Stops listening; open connections stay. Errors: none. */
  close(): Promise<void>;
}

/** Options of a listening server. */
export interface ListenTcpOptions {
  /**
   * Allows an address that other machines can reach. There is no authentication: any client that connects can
   * drive the board.
   */
  readonly expose?: boolean;
  /**
   * Called when a connection could not be accepted, for example because no file handle was free. The server
   * continues to listen.
   */
  readonly onError?: (error: Error) => void;
}

/**
 * Listens for clients of a board. With port 0 the system chooses a free port, and the URI in the result
 * contains it. `close` of the result stops listening; `BoardServer.close` closes the connections. Errors:
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
      `${address.host} can be reached from other machines. Any client that connects could drive the board, because the bare protocol has no token.`,
      {
        hint: 'Share the board by `thermolink serve --device URI --listen HOST:PORT --token-file FILE`, which asks for a token; or use 127.0.0.1.',
        data: { host },
      },
    );
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    const { remoteAddress = 'unknown', remotePort = 0 } = socket;
    board.addConnection(acceptedTcpPort(socket, tcpUri({ host: remoteAddress, port: remotePort })));
  });
  // More connections are accepted than the board uses, to tell each the reason of a refusal. Connections that
  // are being closed count too.
  server.maxConnections = 2 * CONNECTIONS_MAX;
  const port = await listenAt(server, host, address);
  server.on('error', (error) => options.onError?.(error));
  return {
    uri: tcpUri({ host: shownHost(host), port }),
    // `BoardServer.close` closes the connections.
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
