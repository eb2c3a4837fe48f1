import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../firmware-protocol/clock.js';
import {
  FRAME_BYTES_HEADER,
  IN_FLIGHT_BYTES_HEADER,
  LEASE_HEADER,
  LEASE_WAIT_SECONDS_MAX,
  LINK_UPGRADE,
} from '../transport/hub-port.js';
import { addressOf, tooEarly, wholeParameter } from './http-requests.js';
import type { HubBoard } from './hub-board.js';
import type { Lease } from './lease.js';
import { bridge } from './link-bridge.js';
import { Refusal } from './refusal.js';
import { socketStream } from './socket-stream.js';
import type { Identity } from './tokens.js';

/** A client that asks for the link of a board. */
export interface LinkRequest {
  readonly board: HubBoard;
  readonly identity: Identity;
  readonly request: IncomingMessage;
  readonly parameters: URLSearchParams;
  readonly clock: Clock;
}

/**
 * Gives a client the board's own bytes on its bare connection, from the time when it is the client's turn
 * until the lease ends, the client goes or the board is lost. Throws a `Refusal` before the connection was
 * upgraded.
 */
export async function linkConnection(asked: LinkRequest, socket: Duplex, head: Buffer): Promise<void> {
  if (head.length > 0) throw tooEarly();
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  // The connection is read, because otherwise it would not show that its other end has disconnected. A client
  // that sends bytes now sends too early.
  socket.on('data', leave).on('end', leave).on('close', leave);
  const lease = await leaseFor(asked, gone.signal);
  socket.pause();
  socket.off('data', leave).off('end', leave).off('close', leave);
  await withLease(asked, lease, (port) => {
    const { inFlightBytesMax } = port;
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      `Upgrade: ${LINK_UPGRADE}`,
      `${LEASE_HEADER}: ${lease.id}`,
      `${FRAME_BYTES_HEADER}: ${port.frameBytesMax}`,
      ...(inFlightBytesMax === undefined ? [] : [`${IN_FLIGHT_BYTES_HEADER}: ${inFlightBytesMax}`]),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return socket;
  });
}

/**
 * Like `linkConnection`, with binary messages of a WebSocket. Before the first byte the client gets a text
 * message with `ready` and the sizes that the board's port carries. Throws a `Refusal` before that.
 */
export async function linkWebSocket(asked: LinkRequest, socket: WebSocket): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  if (socket.readyState !== socket.OPEN) gone.abort();
  const lease = await leaseFor(asked, gone.signal);
  const { clock } = asked;
  await withLease(asked, lease, (port) => {
    const { frameBytesMax, inFlightBytesMax = null } = port;
    socket.send(JSON.stringify({ ready: true, lease: lease.id, frameBytesMax, inFlightBytesMax }));
    return socketStream(socket, clock);
  });
}

/** Bridges the client and the board while the lease lasts, and gives the board back whatever happens. */
async function withLease(
  { board, clock }: LinkRequest,
  lease: Lease,
  open: (limits: { readonly frameBytesMax: number; readonly inFlightBytesMax?: number }) => Duplex,
): Promise<void> {
  try {
    const port = board.line.attach();
    if (port === undefined)
      throw new Refusal(503, 'NO_ANSWER', 'The board was lost just now.', 'Try again.', 1);
    await bridge(open(board.line.limits!), port, lease, clock);
  } finally {
    await lease.release();
  }
}

function leaseFor(
  { board, identity, request, parameters }: LinkRequest,
  signal: AbortSignal,
): Promise<Lease> {
  board.checkUsable();
  return board.leases.acquire({
    ...identity,
    client: addressOf(request),
    waitMs: 1000 * wholeParameter(parameters, 'wait_s', LEASE_WAIT_SECONDS_MAX),
    takeOver: wholeParameter(parameters, 'takeover', 1) === 1,
    signal,
  });
}
