import { beforeAll, describe, expect, test } from 'vitest';
import { CHANNEL, encodeFrame } from '../../firmware-protocol/framing.js';
import { LINK_VECTORS, type LinkVector } from '../support/link-vectors.js';
import { fromHex, toHex } from '../support/protocol-vectors.js';
import { make, missingTools, runOnLines, SANITIZED } from './build.js';

const missing = missingTools();

/**
 * The vectors that apply to a device. Vectors with `hold` apply only to a host, which keeps its session
 * without a port.
 */
const forDevice = LINK_VECTORS.filter(({ steps }) => steps.every(({ hold }) => !hold));

/** Whether a vector first sends tens of thousands of frames. Only the C link needs long for it. */
const isLong = ({ framesEachWay }: LinkVector): boolean => framesEachWay > 1000;

interface Expected {
  readonly orders: string[];
  /** The printed line; undefined if it is not compared. */
  readonly lines: (string | undefined)[];
}

function carryOut({ frameBytesTaken, framesEachWay, steps }: LinkVector): Expected {
  const orders = [`link ${frameBytesTaken}`];
  const lines: (string | undefined)[] = [];
  const order = (text: string, ...printed: (string | undefined)[]): void => {
    orders.push(text);
    lines.push(...printed);
  };
  steps.forEach((step, i) => {
    if (i === 1) manyFrames(framesEachWay, steps[0].open?.nonce ?? '00', order);
    const { atMs, open, close, resume, receive, send = [], portTakes = 1_000_000 } = step;
    if (open) order(`open ${open.nonce} ${open.frameBytes} ${open.window} ${open.inFlightBytes}`);
    if (close) order('close');
    if (resume) order('resume');
    const delivers = step.delivers.map(({ channel, payload }) => ` ${CHANNEL[channel]}:${payload || '-'}`);
    if (receive !== undefined) order(`receive ${atMs} ${receive || '-'}`, `delivers${delivers.join('')}`);
    for (const { channel, payload } of send) order(`send ${CHANNEL[channel]} ${payload || '-'}`);
    order(`poll ${atMs} ${portTakes}`, ['says', ...step.says.map(({ wire }) => wire)].join(' '));
    order('wake', `wakes ${step.wakesAtMs ?? '-'}`);
  });
  return { orders, lines };
}

/** Lets `count` frames pass in each direction. The sequence numbers are then near their largest value. */
function manyFrames(
  count: number,
  nonce: string,
  order: (text: string, ...printed: (string | undefined)[]) => void,
): void {
  const header = { channel: CHANNEL.command, session: fromHex(nonce)[0], flags: 0 };
  for (let i = 0; i < count; i++) {
    const numbers = { seq: i & 0xffff, ack: (i - 1) & 0xffff };
    order(
      `receive 0 ${toHex(encodeFrame({ ...header, ...numbers, payload: Uint8Array.of(0x69) }))}`,
      'delivers 1:69',
    );
    order(`send ${CHANNEL.command} 6f`);
    order('poll 0 1', undefined);
  }
}

describe.skipIf(missing !== undefined)(`the link in C${missing ? ` (${missing})` : ''}`, () => {
  let program: string;

  beforeAll(() => {
    program = make('thermolink-link', ...SANITIZED);
  });

  test('most vectors apply to the C link', () => {
    expect(forDevice.length).toBeGreaterThan(40);
  });

  const quick = forDevice.filter((vector) => !isLong(vector));
  /**
   * The output of the quick vectors, all in one process. A process for each vector would take longer than the
   * vectors.
   */
  let printedTogether: string[][];

  beforeAll(() => {
    const orders = quick.map((vector) => carryOut(vector));
    const printed = runOnLines(
      program,
      orders.flatMap((one) => one.orders),
    );
    printedTogether = orders.map(({ lines }) => printed.splice(0, lines.length));
    // Nothing may be left over.
    printedTogether.at(-1)!.push(...printed);
  });

  test.each(quick.map((vector, at) => ({ ...vector, at })))('$name', ({ at, ...vector }) =>
    expectSameLink(vector, printedTogether[at]),
  );
  test.each(forDevice.filter(isLong))('$name', { tags: 'long' }, (vector) => expectSameLink(vector));

  function expectSameLink(session: LinkVector, before?: readonly string[]): void {
    const { orders, lines } = carryOut(session);
    const printed = before ?? runOnLines(program, orders);
    expect(printed.map((line, i) => (lines[i] === undefined ? undefined : line))).toEqual(lines);
  }
});
