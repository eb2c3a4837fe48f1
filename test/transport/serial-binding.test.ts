import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mendedBinding } from '../../src/transport/serial-binding.js';

describe('closing a port of the corrected binding', () => {
  /** A port as the binding opens it, on a file whose reads take a while. */
  async function opened(file: string) {
    const fd = openSync(file, 'r+');
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

  it('waits for a read in progress, because the read keeps the file and its lock', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const pipe = path.join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { port, mended } = await opened(pipe);
    const { fd } = port;
    const read = mended.read(Buffer.alloc(8), 0, 8);
    const closed = port.close();
    // The read waits in a thread for a byte. A close could come before it.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(port.fd).toBe(fd);
    expect(writeSync(fd!, Uint8Array.of(1))).toBe(1);
    await expect(read).resolves.toMatchObject({ bytesRead: 1 });
    await closed;
    expect(port.fd).toBeNull();
  });

  it('ends calls during and after it', async () => {
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
