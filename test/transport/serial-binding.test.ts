import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mendedBinding } from '../../src/transport/serial-binding.js';

describe('closing a port of the mended binding', () => {
  /** A port as the binding opens one, on a file whose reads take a while. */
  async function opened(path: string) {
    const fd = openSync(path, 'r+');
    const port = {
      fd: fd as number | null,
      poller: { once: () => undefined, poll: () => undefined },
      read: (): Promise<{ buffer: Buffer; bytesRead: number }> => Promise.reject(new Error('not mended')),
      write: (): Promise<void> => Promise.reject(new Error('not mended')),
      close() {
        port.fd = null;
        closeSync(fd);
        return Promise.resolve();
      },
    };
    const binding = mendedBinding({
      open: (options: object) => Promise.resolve(Object.assign(port, options)),
    });
    await binding.open({});
    const mended = port as unknown as {
      read(buffer: Buffer, offset: number, length: number): Promise<unknown>;
      write(buffer: Buffer): Promise<void>;
    };
    return { port, mended };
  }

  it('waits for a read in progress, which keeps the file and its lock', async () => {
    const { port, mended } = await opened('/dev/zero');
    const buffer = Buffer.alloc(1 << 20);
    const read = mended.read(buffer, 0, buffer.length);
    const closed = port.close();
    // The read ends in a later turn of the event loop.
    await Promise.resolve();
    expect(port.fd).not.toBeNull();
    await expect(read).resolves.toMatchObject({ bytesRead: buffer.length });
    await closed;
    expect(port.fd).toBeNull();
  });

  it('ends what is called meanwhile and afterwards', async () => {
    const { port, mended } = await opened('/dev/zero');
    const buffer = Buffer.alloc(1 << 20);
    const read = mended.read(buffer, 0, buffer.length);
    const closed = port.close();
    const overtaken = { message: 'Port is not open', canceled: true };
    await expect(mended.read(buffer, 0, 1)).rejects.toMatchObject(overtaken);
    await expect(mended.write(buffer)).rejects.toMatchObject(overtaken);
    await expect(read).resolves.toMatchObject({ bytesRead: buffer.length });
    await closed;
    await expect(mended.read(buffer, 0, 1)).rejects.toMatchObject(overtaken);
  });
});
