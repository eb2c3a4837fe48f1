import { expect, it } from 'vitest';
import { DEVICE_STATE, RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { AVERAGES_PART } from '../../firmware-protocol/messages/acquisition.js';
import type { Event } from '../../firmware-protocol/messages/index.js';
import { STATISTICS } from '../../firmware-protocol/messages/run.js';
import { FEATURE, REFUSAL } from '../../firmware-protocol/messages/system.js';
import type { ContractBoard } from './contract.js';
import { driveCode, ENDLESS, loaded, START, uncoupled, voltage } from './loaded-board.js';
import type { RawHost } from './raw-host.js';

/** Deviation that a board with real cells may have, in V_fs. */
const TOLERANCE = 0.05;
const ADC_CODES = new Int16Array(1).BYTES_PER_ELEMENT;

const blocksOf = (host: RawHost): Event<'sampleBlock'>[] =>
  host.heard.flatMap(({ message }) =>
    message.name === 'sampleBlock' && message.kind === 'event' ? [message.fields] : [],
  );

const codesOf = ({ codes }: Event<'sampleBlock'>): Int16Array => new Int16Array(codes.slice().buffer);

/** Runs: ticks, samples, credit, blocks that are kept. */
export function describeRuns({ connect, device }: ContractBoard): void {
  it('cells settle at the drive, and the report has the counts of the run', async () => {
    const host = await connect();
    const board = await loaded(host);
    const burnInTicks = 40 * 2 ** board.tickLog2;
    const run = { ...START, burnInTicks, sampleCount: 10, ticksPerSample: 3 };
    expect(await host.ask('start', run)).toMatchObject({ fields: { runId: 1 } });
    expect(await host.nextEvent('runEnded')).toMatchObject({
      runId: 1,
      outcome: RUN_OUTCOME.completed,
      ticksDone: burnInTicks + 9 * 3,
      samplesTaken: 10,
      samplesLost: 0,
      blocksSent: blocksOf(host).length,
      overloadedCellCount: 0,
    });
    const codes = blocksOf(host).flatMap((block) => [...codesOf(block)]);
    expect(codes).toHaveLength(10 * Math.min(4, board.cells));
    const exact = device.profile === undefined ? TOLERANCE : 2 ** (2 - board.adcBits);
    for (const code of codes) expect(Math.abs(voltage(board, code) - 1 / 4)).toBeLessThanOrEqual(exact);
    expect(await host.ask('readStatus', {})).toMatchObject({
      fields: { state: DEVICE_STATE.done, tick: burnInTicks + 27, runId: 1 },
    });
  });

  it('if HELLO tells the feature averages, samples are added up, and the sums are those of the samples that an equal run sends', async () => {
    const host = await connect();
    const board = await loaded(host, { noiseAmplitude: 12288, noiseShift: 12 });
    const cells = Math.min(4, board.cells);
    const run = { ...START, runSeed: 9, burnInTicks: 20, sampleCount: 60, ticksPerSample: 2 };
    const means = { ...run, statistics: STATISTICS.means, batchSamples: 20, creditBlocks: 0 };
    if ((board.features & FEATURE.averages) === 0) {
      expect(await host.ask('start', means)).toMatchObject({ fields: { reason: REFUSAL.unsupported } });
      const read = { runId: 1, part: AVERAGES_PART.batchSums, firstEntry: 0, count: 1 };
      expect(await host.ask('readAverages', read)).toMatchObject({ fields: { reason: REFUSAL.unsupported } });
      return;
    }
    await host.ask('start', run);
    await host.nextEvent('runEnded');
    const codes = blocksOf(host).flatMap((block) => [...codesOf(block)]);
    const read = async (runId: number, part: 0 | 1, count: number) => {
      const said = await host.ask('readAverages', { runId, part, firstEntry: 0, count });
      return said.name === 'readAverages' ? said.fields : undefined;
    };
    expect(await read(1, AVERAGES_PART.batchSums, 1)).toBeUndefined();
    const sum = (of: (sample: readonly number[]) => number, from = 0, to = 60) => {
      let total = 0;
      for (let s = from; s < to; s++) total += of(codes.slice(s * cells, (s + 1) * cells));
      return total;
    };
    const each = Array.from({ length: cells }, (_, i) => i);
    const batchSums = [0, 20, 40].flatMap((from) => each.map((i) => sum((x) => x[i], from, from + 20)));
    const squares = each.map((i) => sum((x) => x[i] ** 2));
    const pairs = each.flatMap((i) => each.slice(i).map((j) => sum((x) => x[i] * x[j])));
    const exact = device.profile !== undefined;
    const runs = [
      [means, squares],
      ...(board.momentCellsMax >= cells
        ? ([[{ ...means, statistics: STATISTICS.secondMoments }, pairs]] as const)
        : []),
    ] as const;
    for (const [k, [start, products]] of runs.entries()) {
      const runId = k + 2;
      await host.ask('start', start);
      expect(await host.nextEvent('runEnded')).toMatchObject({ runId, samplesTaken: 60, blocksSent: 0 });
      const sums = await read(runId, AVERAGES_PART.batchSums, 3 * cells);
      expect(sums).toMatchObject({ samples: 60, flags: 0 });
      if (exact) {
        expect([...new Int32Array(sums!.sums.slice().buffer)]).toEqual(batchSums);
        const told = await read(runId, AVERAGES_PART.products, products.length);
        expect([...new BigInt64Array(told!.sums.slice().buffer)].map(Number)).toEqual(products);
      }
      expect(
        await host.ask('readAverages', { runId, part: 1, firstEntry: 1, count: products.length }),
      ).toMatchObject({ fields: { reason: REFUSAL.outOfRange } });
      expect(await read(runId + 1, AVERAGES_PART.batchSums, 1)).toBeUndefined();
    }
    for (const change of [
      { batchSamples: 7 },
      { batchSamples: 1 },
      { batchSamples: 0 },
      { sampleCount: 0 },
      { statistics: STATISTICS.samples },
    ])
      expect(await host.ask('start', { ...means, ...change })).toMatchObject({
        fields: { reason: REFUSAL.outOfRange },
      });
  });

  it('samples have their index, tick and shape, in blocks of the requested size', async () => {
    const host = await connect();
    const board = await loaded(host);
    const cellCount = Math.min(4, board.cells);
    await host.ask('start', {
      ...START,
      firstTick: 100,
      burnInTicks: 7,
      sampleCount: 5,
      ticksPerSample: 2,
      blockSamples: 2,
    });
    expect(await host.nextEvent('runEnded')).toMatchObject({ blocksSent: 3 });
    expect(blocksOf(host)).toMatchObject(
      [
        [0, 0, 2],
        [1, 2, 2],
        [2, 4, 1],
      ].map(([block, firstSample, sampleCount]) => ({
        ...{ runId: 1, block, firstSample, sampleCount, firstCell: 0, cellCount },
        tick: 107 + 2 * firstSample,
        codes: { length: sampleCount * cellCount * ADC_CODES },
      })),
    );
  });

  it('a kept state is the last state of the previous run, a loaded state is the initial state of the program', async () => {
    const host = await connect();
    const board = await loaded(host);
    await host.ask('start', { ...START, burnInTicks: 40 * 2 ** board.tickLog2, sampleCount: 0 });
    await host.nextEvent('runEnded');
    for (const startState of [1, 0] as const) {
      await host.ask('start', { ...START, startState });
      await host.nextEvent('runEnded');
    }
    const [kept, fresh] = blocksOf(host).map((block) => voltage(board, codesOf(block)[0]));
    expect(kept).toBeCloseTo(1 / 4, 1);
    expect(fresh).toBeCloseTo(0, 1);
  });

  it('no block is sent beyond the credit; a waiting host is told how many blocks were sent', async () => {
    const host = await connect();
    await loaded(host);
    await host.ask('start', { ...START, sampleCount: 20, blockSamples: 1, creditBlocks: 2 });
    // The board holds its run after it has sent the two blocks of the credit.
    while (blocksOf(host).length < 2) await host.nextEvent('sampleBlock');
    host.write(host.event('credit', { runId: 1, blocks: 2, released: 0 }));
    expect(await host.nextEvent('blocksSent')).toEqual({ runId: 1, blocks: 2 });
    expect(blocksOf(host)).toHaveLength(2);
    host.write(host.event('credit', { runId: 1, blocks: 20, released: 0 }));
    expect(await host.nextEvent('runEnded')).toMatchObject({
      samplesTaken: 20,
      samplesLost: 0,
      blocksSent: 20,
    });
    expect(blocksOf(host).map(({ block }) => block)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('if the host allows it, samples without credit are skipped, counted and marked as lost', async () => {
    const host = await connect();
    await loaded(host);
    await host.ask('start', { ...START, sampleCount: 50, blockSamples: 1, onNoCredit: 1, creditBlocks: 2 });
    await host.next(({ name }) => name === 'sampleBlock');
    host.write(host.event('credit', { runId: 1, blocks: 1000, released: 0 }));
    const report = await host.nextEvent('runEnded');
    const blocks = blocksOf(host);
    const had = new Set(blocks.map(({ firstSample }) => firstSample));
    expect(report.samplesTaken).toBe(50);
    expect(had.size + report.samplesLost).toBe(50);
    for (const { firstSample, flags } of blocks)
      expect((flags & 4) !== 0, `sample ${firstSample}`).toBe(firstSample > 0 && !had.has(firstSample - 1));
  });

  it('lost samples are counted while the run goes on, and stay counted when a new session ends it', async () => {
    const host = await connect();
    await loaded(host);
    const lost = async () => {
      const { fields } = await host.ask('readCounters', {});
      return 'samplesLost' in fields ? fields.samplesLost : Number.NaN;
    };
    const before = await lost();
    await host.ask('start', {
      ...ENDLESS,
      burnInTicks: 0,
      sampleCount: 2 ** 31,
      onNoCredit: 1,
      creditBlocks: 0,
    });
    let during = before;
    while (during === before) during = await lost();
    await host.hello();
    expect(await lost()).toBeGreaterThanOrEqual(during);
  });

  it('kept blocks are sent again unchanged until they are released, also after the report', async () => {
    const host = await connect();
    const { keepBlocksMax } = await loaded(host);
    if (keepBlocksMax < 2) return;
    await host.ask('start', { ...START, sampleCount: 6, blockSamples: 1, keepBlocks: 2, creditBlocks: 100 });
    // Two blocks are kept, and no more is sent before one is released.
    while (blocksOf(host).length < 2) await host.nextEvent('sampleBlock');
    expect(
      await host.until(() => host.write(host.event('credit', { runId: 1, blocks: 100, released: 1 }))),
    ).not.toContain('runEnded');
    host.write(host.event('credit', { runId: 1, blocks: 100, released: 4 }));
    await host.nextEvent('runEnded');
    const before = blocksOf(host);
    expect(before.map(({ block }) => block)).toEqual([0, 1, 2, 3, 4, 5]);
    host.write(host.event('resend', { runId: 1, firstBlock: 0, count: 64 }));
    await host.nextEvent('sampleBlock');
    await host.nextEvent('sampleBlock');
    await host.ask('ping', { token: 0 });
    expect(blocksOf(host).slice(6)).toEqual(before.slice(4));
    // The board has no blocks of run 2, so it sends nothing.
    expect(
      await host.until(() => host.write(host.event('resend', { runId: 2, firstBlock: 0, count: 64 }))),
    ).toEqual([]);
  });

  it('blocks that were released before they were sent are not kept', async () => {
    const host = await connect();
    const { keepBlocksMax } = await loaded(host);
    if (keepBlocksMax < 1) return;
    await host.ask('start', { ...START, sampleCount: 200, blockSamples: 1, keepBlocks: 1, creditBlocks: 0 });
    host.write(host.event('credit', { runId: 1, blocks: 1000, released: 1000 }));
    expect(await host.nextEvent('runEnded')).toMatchObject({ blocksSent: 200 });
    expect(
      await host.until(() => host.write(host.event('resend', { runId: 1, firstBlock: 100, count: 64 }))),
    ).toEqual([]);
  });

  it('a run halts after exactly the tick of an overload, and its report names the cells', async () => {
    const host = await connect();
    const board = await host.hello();
    const image = uncoupled(board);
    const far = driveCode(board, board.driveRange) - 1;
    const drive = image.drive.map((code, i) => (i === image.cells - 1 ? far : code));
    // The damping is so weak that the driven cell rises to its rail.
    await loaded(host, { drive, damping: 1024 });
    await host.ask('start', { ...START, burnInTicks: 2 ** 40, sampleCount: 0 });
    const report = await host.nextEvent('runEnded');
    expect(report).toMatchObject({ outcome: RUN_OUTCOME.overload, samplesTaken: 0 });
    expect(report.overloadedCellCount).toBeGreaterThan(0);
    expect(new Uint16Array(report.overloadedCells.slice().buffer)).toContain(image.cells - 1);
    expect(await host.ask('readStatus', {})).toMatchObject({
      fields: { state: DEVICE_STATE.halted, tick: report.ticksDone },
    });
    expect(await host.ask('acknowledge', {})).toMatchObject({ fields: { state: DEVICE_STATE.configured } });
  });

  it('reasons for the refusal of a start are checked in order: not committed, out of range, another run', async () => {
    const host = await connect();
    const { banks } = await loaded(host);
    const reason = async (change: Partial<typeof START>) => {
      const { fields } = await host.ask('start', { ...START, ...change });
      return 'reason' in fields ? fields.reason : undefined;
    };
    const beyond = { firstTick: Number.MAX_SAFE_INTEGER, burnInTicks: 1 };
    expect(await reason(beyond)).toBe(REFUSAL.outOfRange);
    await host.ask('setRegisters', { bank: 0, damping: 1, noiseAmplitude: 0, noiseShift: 8 });
    expect(await reason(beyond)).toBe(REFUSAL.notCommitted);
    await loaded(host);
    expect(await reason(ENDLESS)).toBeUndefined();
    expect(await reason({})).toBe(REFUSAL.wrongState);
    host.write(host.command('abort', { runId: 1 }));
    expect(await host.nextEvent('runEnded')).toMatchObject({ outcome: RUN_OUTCOME.aborted });
    expect(banks).toBeGreaterThan(0);
  });

  it.runIf(device.profile !== undefined)(
    'the same seeds give the same bits, and other seeds give other bits',
    async () => {
      const host = await connect();
      await loaded(host, { noiseAmplitude: 20011, noiseShift: 12 });
      const digests: unknown[] = [];
      for (const runSeed of [5, 5, 6]) {
        await host.ask('start', { ...START, runSeed, burnInTicks: 100 });
        await host.nextEvent('runEnded');
        const { fields } = await host.ask('readStatus', {});
        digests.push('stateDigest' in fields && Buffer.from(fields.stateDigest).toString('hex'));
      }
      expect(digests[0]).toBe(digests[1]);
      expect(digests[0]).not.toBe(digests[2]);
    },
  );
}
