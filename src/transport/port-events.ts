/** Who listens to a port, and whether it still lives: the part of the contract that every port keeps in the same way. */
export class PortEvents {
  #closed = false;
  #reason: Error | undefined;
  #toldClose = false;
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #close: ((reason?: Error) => void) | undefined;

  get closed(): boolean {
    return this.#closed;
  }

  /** The error that ended the port, if one did. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receive = receiver;
  }

  /** A receiver that comes after the end is told as well, a little later, unless another one was told already. */
  onClose(receiver: (reason?: Error) => void): void {
    this.#close = receiver;
    if (this.#closed) queueMicrotask(() => this.#tellClose());
  }

  /** Bytes arrived; after the end they are dropped. */
  data(bytes: Uint8Array): void {
    if (!this.#closed) this.#receive(bytes);
  }

  /** The port has ended; only the first call counts. */
  end(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    this.#tellClose();
  }

  #tellClose(): void {
    if (this.#toldClose || !this.#close) return;
    this.#toldClose = true;
    this.#close(this.#reason);
  }
}
