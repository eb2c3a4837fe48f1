import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { Random } from '../simulation/random.js';

/** The faults of a line. */
export interface Roughness {
  /** Probability that a byte is changed. */
  readonly corrupted: number;
  /** Probability that a chunk gets lost. */
  readonly dropped: number;
  /** Probability that a chunk and everything after it is late, and the longest delay in ms. */
  readonly delayed: number;
  readonly delayMsMax: number;
  /** The shortest and the longest time until the line is cut, in ms. */
  readonly cutAfterMs: readonly [number, number];
}

/** A TCP proxy in front of a board. It has the faults of bad lines, for bytes and for connections. */
export class RoughProxy {
  /** The number of cuts of the line, and the number of changed bytes. */
  cuts = 0;
  corruptedBytes = 0;
  readonly #server: Server;
  readonly #random: Random;
  readonly #roughness: Roughness;
  readonly #sockets = new Set<Socket>();

  constructor(target: { readonly host: string; readonly port: number }, seed: number, roughness: Roughness) {
    this.#random = new Random(seed, 0);
    this.#roughness = roughness;
    this.#server = createServer((client) => this.#join(client, connectSocket(target)));
  }

  /** Listens and returns the URI of the board behind the proxy. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as { port: number };
    return `tcp://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket, board: Socket): void {
    const [shortest, longest] = this.#roughness.cutAfterMs;
    const cut = setTimeout(
      () => {
        this.cuts++;
        end();
      },
      this.#random.ms(shortest, longest),
    );
    const end = (): void => {
      clearTimeout(cut);
      for (const socket of [client, board]) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    for (const socket of [client, board]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
    }
    this.#carry(client, board);
    this.#carry(board, client);
  }

  #carry(from: Socket, to: Socket): void {
    const { dropped, delayed, delayMsMax } = this.#roughness;
    let before: Promise<void> = Promise.resolve();
    from.on('data', (bytes: Buffer) => {
      if (this.#random.chance(dropped)) return;
      const worn = this.#wear(bytes);
      const lateMs = this.#random.chance(delayed) ? this.#random.ms(1, delayMsMax) : 0;
      before = before.then(async () => {
        if (lateMs > 0) await new Promise((resolve) => setTimeout(resolve, lateMs));
        if (!to.destroyed) to.write(worn);
      });
    });
  }

  #wear(bytes: Buffer): Buffer {
    const worn = Buffer.from(bytes);
    for (let i = 0; i < worn.length; i++) {
      if (!this.#random.chance(this.#roughness.corrupted)) continue;
      worn[i] ^= 1 << this.#random.whole(0, 7);
      this.corruptedBytes++;
    }
    return worn;
  }
}
