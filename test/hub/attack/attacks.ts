import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { decodeToDevice, encodeCommand } from '../../../firmware-protocol/codec.js';
import { encodeFrame, FrameDecoder } from '../../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX } from '../../../firmware-protocol/limits.js';

/** A source address of an attacker; the whole of 127.0.0.0/8 is this machine. */
export const ATTACKER = '127.0.0.66';

/** The address at which the hub listens, and the address from which it is attacked. */
export interface Target {
  readonly port: number;
  /** The address that the attack comes from. */
  readonly from: string;
}

/**
 * Connects from the attacker's address. Resolves with undefined when the hub does not accept the connection.
 */
export function openFrom({ port, from }: Target): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
    socket.on('error', () => undefined);
  });
}

/**
 * Opens and drops connections, `together` at a time. Half of them send a byte. Returns the number of
 * connections that opened.
 */
export async function dropConnections(target: Target, count: number, together: number): Promise<number> {
  let begun = 0;
  let opened = 0;
  const worker = async (): Promise<void> => {
    while (begun < count) {
      const isTalking = begun++ % 2 === 0;
      const socket = await openFrom(target);
      if (socket === undefined) continue;
      opened++;
      if (isTalking) socket.write('G');
      socket.resetAndDestroy();
    }
  };
  await Promise.all(Array.from({ length: together }, worker));
  return opened;
}

/** Sends bytes and returns what comes back until the hub closes, or until `waitMs` have passed. */
export async function say(target: Target, bytes: string | Uint8Array, waitMs = 3000): Promise<string> {
  const socket = await openFrom(target);
  if (socket === undefined) return '';
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  socket.write(bytes);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, waitMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  socket.destroy();
  return heard;
}

/** A proxy to the hub for one client. It reads as much as the client tells it to read. */
export interface GreedyWay {
  readonly port: number;
  /** From now on nothing is read from the hub. The client can still send. */
  stopReading(): void;
  close(): void;
}

/** Connects one client to the hub, and raises the credit of each run to 10⁹ blocks on the way. */
export async function greedyWay(target: Target): Promise<GreedyWay> {
  const open: Socket[] = [];
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: target.port, localAddress: target.from });
    open.push(near, far);
    for (const socket of open) socket.on('error', () => undefined);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    far.on('data', (bytes: Buffer) => near.write(bytes));
    let isUpgraded = false;
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    near.on('data', (bytes: Buffer) => {
      if (isUpgraded)
        decoder.decode(bytes, (item) => {
          if (item.kind === 'frame')
            far.write(
              Uint8Array.of(0, ...encodeFrame({ ...item.frame, payload: greedy(item.frame.payload) })),
            );
        });
      else far.write(bytes);
      isUpgraded = true;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    stopReading: () => open.at(-1)!.pause(),
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

function greedy(payload: Uint8Array): Uint8Array {
  if (payload.length === 0) return payload;
  const message = decodeToDevice(payload);
  return message.kind === 'command' && message.name === 'start'
    ? encodeCommand('start', message.requestId, { ...message.fields, creditBlocks: 1_000_000_000 })
    : payload;
}

/** A request as text. */
export function requestText(
  method: string,
  path: string,
  port: number,
  headers: Readonly<Record<string, string>> = {},
): string {
  const all = { Host: `127.0.0.1:${port}`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** The request of a WebSocket. */
export function webSocketRequest(path: string, port: number, headers: Readonly<Record<string, string>> = {}) {
  return requestText('GET', path, port, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  });
}

/** The head of a masked binary frame of a WebSocket that announces 4 GiB. */
export const HUGE_FRAME = Uint8Array.of(0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4);

/** Memory of a process that is in use now, in bytes (Linux). */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
