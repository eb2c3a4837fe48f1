import { describe, expect, it } from 'vitest';
import { LinkDecoder } from '../../../src/traces/link-decoder.js';
import { diffMessages, type Messages } from '../../../src/traces/look/diff.js';
import type { LinkChunk, TraceMessage } from '../../../src/traces/trace-message.js';
import { plainSession, simulatedSessions } from './recorded-chunks.js';

function recording(chunks: readonly LinkChunk[]): Messages & { readonly list: TraceMessage[] } {
  const decoder = new LinkDecoder();
  const list: TraceMessage[] = [];
  for (const chunk of chunks) decoder.push(chunk, (message) => list.push(message));
  return { list, messages: () => list };
}

/** The recording with one message changed or removed. */
function changed(
  { list }: { readonly list: readonly TraceMessage[] },
  index: number,
  change: (message: TraceMessage) => TraceMessage | undefined,
): Messages {
  const edited = list.flatMap((message) => (message.index === index ? (change(message) ?? []) : [message]));
  return { messages: () => edited };
}

describe('the difference of two recordings', () => {
  it('is empty between a recording and itself, also on a bad line', async () => {
    const chunks = await simulatedSessions([1]);
    const report = diffMessages(recording(chunks), recording(chunks));
    expect(report.first).toBeUndefined();
    expect(report.same).toBe(report.compared.a);
    expect(report.compared.a).toBeGreaterThan(100);
  });

  it('is empty if only the clock, request ids and names of sessions differ', async () => {
    const { chunks } = await plainSession();
    const a = recording(chunks);
    const later = a.list.map((message) => ({
      ...message,
      hostTimeNs: message.hostTimeNs + 5n,
      requestId: message.requestId + 3,
      fields: Object.fromEntries(
        Object.entries(message.fields).map(([name, value]) =>
          name === 'nonce'
            ? [name, Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)]
            : ['deviceTimeUs', 'framesReceived', 'bootEpoch'].includes(name)
              ? [name, 77]
              : [name, value],
        ),
      ),
    }));
    // HELLO was answered twice, and credits arrived at other places.
    const hello = later.find(({ name, kind }) => name === 'hello' && kind === 'answer')!;
    const repeated = { ...hello, fields: { ...hello.fields, resumed: 1 } };
    const b = [...later.slice(0, 5), repeated, ...later.slice(5)].filter(({ name }) => name !== 'credit');
    expect(diffMessages(a, { messages: () => b }).first).toBeUndefined();
  });

  it('names field and values of the first message that differs', async () => {
    const [a, b] = [
      recording((await plainSession()).chunks),
      recording((await plainSession({ drive: 1001 })).chunks),
    ];
    const { first, same } = diffMessages(a, b);
    expect(first?.a?.name).toBe('writeDrive');
    expect(first?.fields.map(({ field }) => field)).toEqual(['codes']);
    expect(first!.before.at(-1)!.index).toBe(first!.a!.index - 1);
    expect(same).toBeGreaterThan(10);
  });

  it('finds one changed code among all samples', async () => {
    const a = recording((await plainSession()).chunks);
    const block = a.list.find(({ samples }) => samples)!;
    const b = changed(a, block.index, (message) => {
      const { header, codes } = message.samples!;
      const other = codes.slice();
      other[8 * 17 + 5] += 3;
      return { ...message, samples: { header, codes: other } };
    });
    const { first } = diffMessages(a, b);
    const code = block.samples!.codes[8 * 17 + 5];
    const [count, of, largest] = [1, 320, 3];
    expect(first?.codes).toEqual({ sample: 17, cell: 5, a: code, b: code + 3, count, of, largest });
  });

  it('says which recording has a message that the other one does not have', async () => {
    const a = recording((await plainSession()).chunks);
    const last = a.list.at(-1)!;
    const shorter = changed(a, last.index, () => undefined);
    expect(diffMessages(a, shorter).first).toMatchObject({ a: { index: last.index }, b: undefined });
    expect(diffMessages(shorter, a).first).toMatchObject({ a: undefined, b: { index: last.index } });
  });
});
