import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy that delays all bytes in both directions, as a long line does. */
export class DelayProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(targetPort: number, delayMs: number) {
    this.#server = createServer((near) => {
      const far = connect({ host: '127.0.0.1', port: targetPort });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.setNoDelay(true);
        // Timers of one length fire in the order in which they were set.
        const later = (act: () => void): void => void setTimeout(act, delayMs);
        from.on('data', (bytes) => later(() => to.destroyed || to.write(bytes)));
        from.on('error', () => undefined);
        from.on('close', () => {
          this.#sockets.delete(from);
          later(() => to.destroy());
        });
      }
    });
  }

  /** Listens on `host` for connections to a port of this machine. */
  static async open(host: string, targetPort: number, delayMs: number): Promise<DelayProxy> {
    const proxy = new DelayProxy(targetPort, delayMs);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(0, host, resolve);
    });
    return proxy;
  }

  get url(): string {
    const { address, port } = this.#server.address() as { readonly address: string; readonly port: number };
    return `nats://${address}:${port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
