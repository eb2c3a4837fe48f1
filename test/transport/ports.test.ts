import { createServer, type Server, type Socket } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import type { Port } from '../../firmware-protocol/port.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { openPty } from '../../src/transport/pty.js';
import { openSerialPort } from '../../src/transport/serial-port.js';
import { acceptedTcpPort, openTcpPort } from '../../src/transport/tcp-port.js';
import { ThreadPort } from '../../src/transport/thread-port.js';
import { channelEnd } from '../../src/web/channel-end.js';
import { describePortContract, type PortPair, type StalledPort, within } from './port-contract.js';

describePortContract({
  name: 'memory',
  async open() {
    const ends = memoryPortPair('memory:test');
    return { ends, release: () => ends[0].close() };
  },
  // A receiver is a function that is called. Nothing can stop it from reading.
  noticesClose: [true, true],
});

describePortContract({
  name: 'thread',
  async open() {
    const { port1, port2 } = new MessageChannel();
    const ends: [Port, Port] = [new ThreadPort('thread:a', port1), new ThreadPort('thread:b', port2)];
    return { ends, release: () => ends[0].close() };
  },
  stalled: {
    async 'to a thread that is busy'(): Promise<StalledPort> {
      // Nobody listens at the other end.
      const { port1, port2 } = new MessageChannel();
      const port = new ThreadPort('thread:a', port1);
      return {
        port,
        read: (bytes) => readAll(new ThreadPort('thread:b', port2), bytes),
        release: () => port.close(),
      };
    },
  },
  noticesClose: [true, true],
});

describePortContract({
  name: 'worker',
  async open() {
    // Node's channel has the browser's interface too. Its other end does not notice a close.
    const { port1, port2 } = new MessageChannel();
    const end = (port: object) => channelEnd(port as Parameters<typeof channelEnd>[0]);
    const ends: [Port, Port] = [
      new ThreadPort('worker:page', end(port1)),
      new ThreadPort('worker:board', end(port2)),
    ];
    return { ends, release: () => ends[0].close() };
  },
  noticesClose: ['only the end of its worker ends it', 'its page ends it with its worker'],
});

async function listen(): Promise<{ server: Server; port: number; accepted: Promise<Socket> }> {
  const server = createServer({ pauseOnConnect: true });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return { server, port: address.port, accepted };
}

async function tcpPair(): Promise<PortPair & { readonly socket: Socket; readonly far: () => Port }> {
  const { server, port, accepted } = await listen();
  const near = await openTcpPort({ host: '127.0.0.1', port });
  const socket = await within(accepted, 'connection');
  let made: Port | undefined;
  const far = () => (made ??= acceptedTcpPort(socket, 'tcp:test'));
  return {
    socket,
    far,
    get ends(): [Port, Port] {
      return [near, far()];
    },
    async release() {
      await near.close();
      socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describePortContract({
  name: 'tcp',
  open: tcpPair,
  stalled: {
    async 'client to server'(): Promise<StalledPort> {
      // Nobody reads this socket.
      const pair = await tcpPair();
      return { port: pair.ends[0], read: (bytes) => readAll(pair.far(), bytes), release: pair.release };
    },
  },
  noticesClose: [true, true],
});

function readAll(port: Port, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    port.onData((chunk) => {
      count += chunk.length;
      if (count >= bytes) resolve();
    });
  });
}

async function ptyPair(): Promise<PortPair & { readonly ends: readonly [Port, Port] }> {
  const pty = await openPty();
  const serial = await openSerialPort({ path: pty.path });
  return {
    ends: [pty, serial],
    async release() {
      await serial.close();
      await pty.close();
    },
  };
}

describePortContract({
  name: 'pty and serial port',
  open: ptyPair,
  stalled: {
    async 'pty to serial port'(): Promise<StalledPort> {
      const { ends, release } = await ptyPair();
      return { port: ends[0], stallBytes: 2 ** 21, read: (bytes) => readAll(ends[1], bytes), release };
    },
    async 'serial port to pty'(): Promise<StalledPort> {
      const { ends, release } = await ptyPair();
      return { port: ends[1], stallBytes: 2 ** 21, read: (bytes) => readAll(ends[0], bytes), release };
    },
  },
  noticesClose: ['it keeps its own slave open to keep the raw mode, so it sees no hang-up', true],
});
