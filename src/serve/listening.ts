import { lookup } from 'node:dns/promises';
import { BlockList, type Server } from 'node:net';
import { hostname } from 'node:os';
import { ThermolinkError } from '../errors.js';
import { type TcpAddress, tcpUri } from '../transport/tcp-port.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
const ANY_ADDRESS = ['0.0.0.0', '::'];

/** The host name under which other machines reach a server that listens at `host`. */
export function shownHost(host: string): string {
  return ANY_ADDRESS.includes(host) ? hostname() : host;
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.check(host, host.includes(':') ? 'ipv6' : 'ipv4');
}

/** Resolves the host name once. The same address is then checked and used. */
export async function resolveHost(address: TcpAddress): Promise<string> {
  try {
    return (await lookup(address.host)).address;
  } catch (cause) {
    throw cannotListen(address, cause);
  }
}

/** Listens, and returns the port number that the system chose. */
export function listenAt(server: Server, host: string, address: TcpAddress): Promise<number> {
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
      ENOTFOUND: 'there is no host with that name',
    }[code] ?? code;
  return new ThermolinkError('CANNOT_LISTEN', `Can’t listen at ${tcpUri(address)}: ${why}.`, {
    cause,
    hint: 'Port 0 lets the system choose a free number.',
    data: { reason: code },
  });
}
