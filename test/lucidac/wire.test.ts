import { describe, expect, it } from 'vitest';
import { matrix } from '../../src/linalg/matrix.js';
import { circuitOf, configuration, inputConfiguration, placementOf } from '../../src/lucidac/circuit.js';
import { FrameSplitter, framed, MESSAGE_BYTES_MAX } from '../../src/lucidac/frames.js';
import { decode, encode, type InitialBody } from '../../src/lucidac/messages.js';
import { readRows } from '../../src/lucidac/samples.js';
import { problemRandom } from '../support/solver-problems.js';
import { MAC } from './fake-lucidac.js';

const twoByTwo = circuitOf({ kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) });
const inputs = { drive: Float64Array.of(0.25, -0.5), initial: Float64Array.of(0, 0.125) };
const envelope: InitialBody<'Envelope'> = {
  message: {
    id: 'one',
    configCommand: {
      module: { items: configuration(MAC, twoByTwo, placementOf(twoByTwo, 0), inputs) },
      resetBefore: true,
    },
  },
};
const frozen = encode('Envelope', envelope);

describe('messages', () => {
  it('a configuration has these bytes', () => {
    expect(Buffer.from(framed(frozen)).toString('hex')).toMatchInlineSnapshot(
      `"af02aa06ab020a036f6e65e20ca2020a9d020a2f0a130a1130342d45392d45352d31362d30392d393252180a0911000000000000f03f0a0b080111000000000000f03f0a2d0a180a1630342d45392d45352d31362d30392d39322f302f4d307a110a0318904e0a0a080115000000be18904e0a3c0a170a1530342d45392d45352d31362d30392d39322f302f558201200a000a04080110010a0210020a04080110030a04080f10040a04080f100510010a4f0a170a1530342d45392d45352d31362d30392d39322f302f4372340a05150000803f0a070801150000803e0a070802150000803e0a070803150000403f0a07080415000080be0a070805150000003f0a2c0a170a1530342d45392d45352d31362d30392d39322f302f498a01100a050a030001040a070a0302030510011001"`,
    );
  });

  it('a written message is read back', () => {
    const items = decode('Envelope', frozen)?.message?.configCommand?.module?.items ?? [];
    expect(items.map(({ entity }) => entity?.path)).toEqual(
      ['', '/0/M0', '/0/U', '/0/C', '/0/I'].map((block) => `${MAC}${block}`),
    );
    expect(items[3].coefficients?.elements).toMatchObject(
      [1, 0.25, 0.25, 0.75, -0.25, 0.5].map((factor, index) => ({ index, factor })),
    );
    expect(items[1].integrators?.elements).toMatchObject([
      { index: 0, initial: 0, rate: 10_000 },
      { index: 1, initial: -0.125, rate: 10_000 },
    ]);
    expect(items[4].sums?.connections).toMatchObject([
      { output: 0, inputs: [0, 1, 4] },
      { output: 1, inputs: [2, 3, 5] },
    ]);
  });

  it('only coefficients and initial values are sent for the next drive', () => {
    const items = inputConfiguration(MAC, twoByTwo, placementOf(twoByTwo, 0), inputs);
    expect(items.map((item) => Object.keys(item)[1])).toEqual(['integrators', 'coefficients']);
  });

  it('the constant of a drive lane comes from output 15 for lanes below 16, and from output 14 for the others', () => {
    for (let turn = 0; turn < 8; turn++) {
      const at = placementOf(twoByTwo, turn);
      const select = configuration(MAC, twoByTwo, at, inputs)[2].select?.connections ?? [];
      for (const lane of at.driveLanes)
        expect(select.find(({ output }) => output === lane)?.input).toBe(lane < 16 ? 15 : 14);
      const lanes = [...at.couplingLanes, ...at.driveLanes];
      expect(new Set(lanes).size).toBe(lanes.length);
      expect(new Set(at.integrators).size).toBe(2);
    }
  });

  it('numbers, texts and bools that are not sent are 0, empty and false', () => {
    expect(decode('AdcChannel', new Uint8Array(0))).toMatchObject({ index: 0, gain: 0, offset: 0 });
    expect(decode('RunConfig', encode('RunConfig', { haltOnOverload: false }))).toMatchObject({
      haltOnOverload: false,
    });
    expect(encode('RunConfig', { haltOnOverload: false })).toEqual(Uint8Array.of(0x18, 0));
  });

  it('bytes that were cut off or changed are read or refused, and nothing throws (seed 5)', () => {
    const random = problemRandom(5);
    const below = (count: number): number => Math.floor(random.uniform() * count);
    let refused = 0;
    for (let k = 0; k < 1000; k++) {
      const bytes = frozen.slice(0, 1 + below(frozen.length));
      for (let change = below(4); change > 0; change--) bytes[below(bytes.length)] = below(256);
      if (decode('Envelope', bytes) === undefined) refused++;
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('a tree that is nested without an end is refused', () => {
    let bytes = encode('Entity', { id: 'deep' });
    for (let depth = 0; depth < 500; depth++) bytes = Buffer.concat([Uint8Array.of(0x3a), framed(bytes)]);
    expect(decode('Entity', bytes)).toBeUndefined();
  });
});

describe('frames', () => {
  it('come out complete for any cuts of the stream (seed 6)', () => {
    const random = problemRandom(6);
    const messages = [0, 1, 127, 128, 300, 20_000].map((length) => new Uint8Array(length).fill(length));
    const stream = Buffer.concat(messages.map(framed));
    for (let k = 0; k < 20; k++) {
      const splitter = new FrameSplitter();
      const found: Uint8Array[] = [];
      for (let at = 0; at < stream.length; ) {
        const end = at + 1 + Math.floor(random.uniform() * 3000);
        found.push(...(splitter.push(stream.subarray(at, end)) ?? []));
        at = end;
      }
      // An empty message has no content and is not passed on.
      expect(found.map(({ length }) => length)).toEqual([1, 127, 128, 300, 20_000]);
      expect(Buffer.compare(found[4], messages[5])).toBe(0);
    }
  });

  it.each([
    ['larger than a message', [0x81, 0x80, 0x40]],
    ['four bytes long', [0xff, 0xff, 0xff, 0x7f]],
    ['without an end', new Array<number>(64).fill(0xff)],
  ])('a length that is %s is refused', (_what, bytes) => {
    expect(new FrameSplitter().push(Uint8Array.from(bytes))).toBeUndefined();
  });

  it('the longest message passes', () => {
    const splitter = new FrameSplitter();
    expect(splitter.push(framed(new Uint8Array(MESSAGE_BYTES_MAX)))?.[0].length).toBe(MESSAGE_BYTES_MAX);
  });
});

describe('readings', () => {
  const channel = { index: 0, gain: 0.5, offset: 1 };
  const int16 = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer);
  const message = (body: InitialBody<'SampleData'>) => decode('SampleData', encode('SampleData', body))!;
  const whole: InitialBody<'SampleData'> = {
    data: int16(2, -4, 9, 6, 8, 9),
    type: { integer: { bits: 16 } },
    channels: [channel, { ...channel, offset: 0 }],
    ...{ sampleCount: 2, channelStride: 3 },
  };

  it('are value·gain + offset of the listed channels; values that only fill the stride are left out', () => {
    expect(readRows(message(whole), 2)).toEqual({ rows: 2, values: Float64Array.of(2, -2, 4, 4) });
  });

  it('may be floats', () => {
    const data = new Uint8Array(Float32Array.of(0.25).buffer);
    const type = { float: { bits: 32 } };
    const body = { ...whole, data, type, sampleCount: 1, channelStride: 1 };
    expect(readRows(message(body), 1)?.values).toEqual(Float64Array.of(1.125));
  });

  it.each<[string, InitialBody<'SampleData'>]>([
    ['no type', { ...whole, type: {} }],
    ['a width that does not exist', { ...whole, type: { integer: { bits: 24 } } }],
    ['more rows than bytes', { ...whole, sampleCount: 3 }],
    ['four thousand million rows', { ...whole, sampleCount: 2 ** 32 - 1, channelStride: 2 ** 32 - 1 }],
    ['fewer channels than were asked for', { ...whole, channels: [channel] }],
    ['a stride below the channels', { ...whole, channelStride: 1 }],
    ['a gain that is not finite', { ...whole, channels: [channel, { ...channel, gain: Infinity }] }],
  ])('with %s are refused', (_what, body) => {
    expect(readRows(message(body), 2)).toBeUndefined();
  });
});
