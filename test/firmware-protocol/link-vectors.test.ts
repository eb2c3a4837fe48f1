import { describe, expect, test } from 'vitest';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { Link } from '../../firmware-protocol/link/link.js';
import { peerFrame } from '../support/link-frames.js';
import { LINK_VECTORS, type LinkStep, type LinkVector } from '../support/link-vectors.js';
import { fromHex, toHex } from '../support/protocol-vectors.js';

const CHANNEL_NAMES = Object.fromEntries(Object.entries(CHANNEL).map(([name, value]) => [value, name]));

/** The actions of the link in a step, in the form of the vectors. */
function run(link: Link, step: LinkStep): Pick<LinkStep, 'delivers' | 'wakesAtMs'> & { says: string[] } {
  const { atMs, open, portTakes = Infinity } = step;
  if (open) link.openSession(fromHex(open.nonce), open);
  if (step.close) link.closeSession();
  if (step.hold) link.hold();
  if (step.resume) link.resumeSession();
  const delivers: { channel: keyof typeof CHANNEL; payload: string }[] = [];
  link.receive(fromHex(step.receive ?? ''), atMs, (event) => {
    if (event.kind === 'message')
      delivers.push({
        channel: CHANNEL_NAMES[event.channel] as keyof typeof CHANNEL,
        payload: toHex(event.payload),
      });
  });
  for (const { channel, payload } of step.send ?? []) {
    if (channel === 'command') link.send(fromHex(payload));
    else link.sendUnsequenced(CHANNEL[channel], fromHex(payload));
  }
  const says: string[] = [];
  while (says.length < portTakes) {
    const bytes = link.poll(atMs);
    if (!bytes) break;
    says.push(toHex(bytes));
  }
  return { delivers, says, wakesAtMs: link.nextTimeoutMs ?? null };
}

/** Exchanges `count` earlier frames in each direction at 0 ms. Each one is acknowledged by the next. */
function exchange(link: Link, count: number): void {
  for (let seq = 0; seq < count; seq++) {
    const frame = peerFrame({ seq: seq & 0xffff, ack: (seq - 1) & 0xffff, text: 'i' });
    link.receive(frame, 0, () => undefined);
    link.send(new TextEncoder().encode('o'));
    link.poll(0);
  }
}

function expected({ delivers, says, wakesAtMs }: LinkStep) {
  return { delivers, says: says.map(({ wire }) => wire), wakesAtMs };
}

/** Runs a session up to the first step that differs. Returns a text about this step, or undefined. */
function replay({ end, frameBytesTaken, framesEachWay, steps }: LinkVector): string | undefined {
  const link = new Link(frameBytesTaken, { answersEverything: end === 'device' });
  for (const [number, step] of steps.entries()) {
    const done = run(link, step);
    if (JSON.stringify(done) !== JSON.stringify(expected(step)))
      return `step ${number} at ${step.atMs} ms: ${JSON.stringify({ done, expected: expected(step) })}`;
    if (number === 0) exchange(link, framesEachWay);
  }
  return undefined;
}

describe('link.json', () => {
  // These vectors exchange tens of thousands of frames. A quick test runs the numbers of a host over 65535.
  const isLong = ({ name }: (typeof LINK_VECTORS)[number]): boolean =>
    name === 'numbers run over 65535, device' || name.startsWith('numbers up to 32768 back');
  const named = (vectors: typeof LINK_VECTORS) => vectors.map((vector) => [vector.name, vector] as const);
  test.each(named(LINK_VECTORS.filter((vector) => !isLong(vector))))('%s', expectReplayed);
  test.each(named(LINK_VECTORS.filter(isLong)))('%s', { tags: 'long' }, expectReplayed);

  function expectReplayed(_: string, vector: (typeof LINK_VECTORS)[number]): void {
    expect(replay(vector)).toBeUndefined();
  }

  test('any difference in a step is detected', () => {
    for (const vector of LINK_VECTORS.filter(({ framesEachWay }) => framesEachWay === 0)) {
      const last = vector.steps.length - 1;
      const changed = (change: (step: LinkStep) => LinkStep): LinkVector => ({
        ...vector,
        steps: vector.steps.map((step, i) => (i === last ? change(step) : step)),
      });
      const wakesLater = changed((step) => ({ ...step, wakesAtMs: (step.wakesAtMs ?? 0) + 1 }));
      const saysMore = changed((step) => ({
        ...step,
        says: [...step.says, { channel: 'stop', payload: '', wire: '00' }],
      }));
      const deliversMore = changed((step) => ({
        ...step,
        delivers: [...step.delivers, { channel: 'stop', payload: '' }],
      }));
      for (const wrong of [wakesLater, saysMore, deliversMore])
        expect(replay(wrong)).toContain(`step ${last} `);
    }
  });

  test('the vectors are of both ends, and frames of every channel are sent and received', () => {
    expect(new Set(LINK_VECTORS.map(({ end }) => end))).toEqual(new Set(['device', 'host']));
    const steps = LINK_VECTORS.flatMap((vector) => vector.steps);
    for (const list of ['delivers', 'says'] as const) {
      const channels = new Set(steps.flatMap((step) => step[list].map(({ channel }) => channel)));
      expect([...channels].sort()).toEqual(['command', 'open', 'sample', 'stop']);
    }
  });
});
