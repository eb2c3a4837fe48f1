import { EmulatedDevice, findProfile } from '../../../../emulator/index.js';
import { BoardServer } from '../../../serve/board-server.js';
import { listenTcp } from '../../../serve/listen-tcp.js';
import { openPty } from '../../../transport/pty.js';
import { serialUri } from '../../../transport/serial-uri.js';

/** Ports over which a board of this process is reached. */
export const BENCH_PORTS = ['memory', 'tcp', 'pty'] as const;
export type BenchPort = (typeof BENCH_PORTS)[number];

/** A board that this process computes, and how it is reached. */
interface ServedBoard {
  readonly uri: string;
  close(): Promise<void>;
}

/** Serves a new board of `profile` in this thread. Errors: those of `listenTcp` and `openPty`. */
export async function serveBenchBoard(profile: string, port: BenchPort): Promise<ServedBoard> {
  if (port === 'memory') return { uri: `emulator:${profile}`, close: () => Promise.resolve() };
  const server = new BoardServer(new EmulatedDevice({ profile: findProfile(profile)!, dieSeed: 1 }));
  if (port === 'tcp') {
    const { uri, close } = await listenTcp(server, { host: '127.0.0.1', port: 0 });
    return {
      uri,
      async close() {
        const closing = close();
        await server.close();
        await closing;
      },
    };
  }
  const pty = await openPty();
  server.addLine(pty, () => pty.hasClient());
  return { uri: serialUri(pty.path), close: () => server.close() };
}
