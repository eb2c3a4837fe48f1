import { describe, expect, it } from 'vitest';
import { SessionPort } from '../../src/serve/session-port.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';

describe('a session that ends during a write', () => {
  it('has given the line a copy of the bytes, so the buffer may be used again', async () => {
    const [line] = memoryPortPair('test');
    let taken: Uint8Array = new Uint8Array(0);
    const session = new SessionPort(line, (bytes) => {
      taken = bytes;
      return new Promise(() => undefined);
    });
    const frame = Uint8Array.of(1, 2, 3);
    const writing = session.write(frame);
    await session.close();
    await expect(writing).rejects.toMatchObject({ code: 'LINK_LOST' });
    frame.fill(9);
    expect(taken).toEqual(Uint8Array.of(1, 2, 3));
    expect(line.closed).toBe(false);
  });
});
