import { expect, it } from 'vitest';
import { DEVICE_STATE } from '../../firmware-protocol/device-status.js';
import { NO_ROW_ELEMENT, ROW_TABLE_NODES } from '../../firmware-protocol/limits.js';
import { SECTION } from '../../firmware-protocol/messages/program.js';
import { FEATURE, FEATURES_OF_MINOR_0, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { programDigest } from '../../firmware-protocol/program-digest.js';
import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import type { ContractBoard } from './contract.js';
import { bytesOf, ENDLESS, load, loaded, shapeOf, uncoupled } from './loaded-board.js';

/** Tests of programs: the board holds the written program, and refuses wrong programs. */
export function describePrograms({ connect }: ContractBoard): void {
  it('codes are read back in pieces as they were written, and a program that is defined again is zero', async () => {
    const host = await connect();
    const board = await host.hello();
    const image = uncoupled(board);
    const largest = 2 ** (board.couplingBits - 1);
    const couplings = image.couplings.map((_, i) => (i % 2 === 0 ? largest - 1 - i : i - largest));
    const drive = image.drive.map((_, i) => 100 * i - 150);
    await load(host, 0, { ...image, couplings, drive });
    for (const [section, codes] of [
      [SECTION.couplings, couplings],
      [SECTION.drive, drive],
      [SECTION.initialState, image.initialState],
    ] as const) {
      const count = codes.length - 1;
      expect(await host.ask('readProgram', { bank: 0, section, firstEntry: 1, count })).toMatchObject({
        fields: { codes: bytesOf(codes.slice(1)) },
      });
    }
    await host.ask('defineProgram', shapeOf(0, image));
    const read = { bank: 0, section: SECTION.couplings, firstEntry: 0, count: couplings.length };
    expect(await host.ask('readProgram', read)).toMatchObject({
      fields: { codes: new Uint8Array(couplings.byteLength) },
    });
    expect(await host.ask('readStatus', {})).toMatchObject({
      fields: { committedBanks: expect.any(Number) },
    });
  });

  it('codes of a new program are zero until they are written, for any earlier content and order of pieces', async () => {
    const host = await connect();
    const board = await host.hello();
    const image = uncoupled(board);
    const { length } = image.couplings;
    await load(host, 0, { ...image, couplings: image.couplings.map((_, i) => 1 + (i % 7)) });
    await host.ask('defineProgram', shapeOf(0, image));
    const couplings = image.couplings.map(() => 0);
    const width = couplings.BYTES_PER_ELEMENT;
    // These pieces fit a board of any size. They are not in order, and two of them overlap.
    const pieces = [
      [9, 3],
      [4, 2],
      [11, 2],
      [10, 4],
    ].map(([first, count]) => [
      Math.floor((first * length) / 16),
      Math.max(1, Math.floor((count * length) / 16)),
    ]);
    for (const [firstEntry, count] of pieces) {
      couplings.fill(firstEntry - length, firstEntry, firstEntry + count);
      const codes = bytesOf(couplings).subarray(firstEntry * width, (firstEntry + count) * width);
      await host.ask('writeCouplings', { bank: 0, firstEntry, codes });
      const read = { bank: 0, section: SECTION.couplings, firstEntry: 0, count: firstEntry + count };
      expect(await host.ask('readProgram', read)).toMatchObject({
        fields: { codes: bytesOf(couplings.slice(0, firstEntry + count)) },
      });
    }
    const { damping, noiseAmplitude, noiseShift } = image;
    await host.ask('setRegisters', { bank: 0, damping, noiseAmplitude, noiseShift });
    const digest = programDigest({ ...image, couplings, drive: image.drive.map(() => 0) });
    expect(await host.ask('commit', { bank: 0, ...digest })).toMatchObject({ name: 'commit' });
  });

  it('a commit accepts only the digest of the written program, and any write undoes the commit', async () => {
    const host = await connect();
    const board = await host.hello();
    const image = uncoupled(board);
    expect(await load(host, 0, image)).toMatchObject({ name: 'commit', fields: { clampedCouplings: 0 } });
    const committed = async () => {
      const { fields } = await host.ask('readStatus', {});
      return 'committedBanks' in fields ? fields.committedBanks & 1 : undefined;
    };
    expect(await committed()).toBe(1);
    await host.ask('writeDrive', { bank: 0, firstCell: 0, codes: Uint8Array.of(1, 0) });
    expect(await committed()).toBe(0);
    const digest = programDigest(image);
    expect(await host.ask('commit', { bank: 0, ...digest })).toMatchObject({
      fields: { reason: REFUSAL.digestMismatch },
    });
    const drive = image.drive.with(0, 1);
    expect(await host.ask('commit', { bank: 0, ...programDigest({ ...image, drive }) })).toMatchObject({
      name: 'commit',
    });
    expect(await committed()).toBe(1);
  });

  it('programs that the board cannot hold are refused: cells, rows, bits, entries, noise', async () => {
    const host = await connect();
    const board = await host.hello();
    const image = uncoupled(board);
    const shape = shapeOf(0, image);
    const refusals: { readonly name: string; readonly fields: object }[] = [
      await host.ask('defineProgram', { ...shape, cells: board.cells + 1, rows: board.cells + 1 }),
      await host.ask('defineProgram', {
        ...shape,
        ...(image.mode === PROGRAM_MODE.dense ? { rows: shape.rows - 1 } : { rows: board.rows + 1 }),
      }),
      ...(board.couplingBits < 16
        ? [await host.ask('defineProgram', { ...shape, couplingBits: board.couplingBits + 1 })]
        : []),
    ];
    expect(await load(host, 0, image)).toMatchObject({ name: 'commit' });
    const { cells } = image;
    refusals.push(
      await host.ask('writeDrive', { bank: 0, firstCell: cells, codes: Uint8Array.of(1, 0) }),
      await host.ask('writeDrive', { bank: 0, firstCell: 0, codes: Uint8Array.of(1, 0, 1) }),
      await host.ask('readProgram', { bank: 0, section: SECTION.drive, firstEntry: 0, count: cells + 1 }),
      await load(host, 0, { ...image, noiseAmplitude: 1 }),
    );
    for (const said of refusals) expect(said).toMatchObject({ fields: { reason: REFUSAL.outOfRange } });
  });

  it('row elements and row drives work if HELLO tells the feature rowElement, and are refused otherwise', async () => {
    const host = await connect();
    const board = await host.hello();
    const rowElement = {
      linearRows: 0,
      table: Int16Array.from({ length: ROW_TABLE_NODES }, (_, i) => 100 * i - 7000),
      drive: Int16Array.of(-5),
    };
    const has = (board.features & FEATURE.rowElement) !== 0;
    const dense = uncoupled(board);
    const image = { ...dense, mode: PROGRAM_MODE.factored, rows: 1, rowElement };
    if ((board.features & FEATURE.factored) === 0 || !has) {
      expect(await host.ask('defineProgram', shapeOf(0, image))).toMatchObject({
        fields: { reason: REFUSAL.unsupported },
      });
      await host.ask('defineProgram', shapeOf(0, dense));
      const table = { bank: 0, firstNode: 0, codes: Uint8Array.of(1, 0) };
      expect(await host.ask('writeRowTable', table)).toMatchObject({
        fields: { reason: REFUSAL.unsupported },
      });
      return;
    }
    const couplings = image.couplings.slice(0, image.cells).fill(1);
    const committed = await load(host, 0, { ...image, couplings });
    expect(committed).toMatchObject({ name: 'commit' });
    for (const [section, codes] of [
      [SECTION.rowTable, rowElement.table],
      [SECTION.rowDrive, rowElement.drive],
    ] as const)
      expect(
        await host.ask('readProgram', { bank: 0, section, firstEntry: 0, count: codes.length }),
      ).toMatchObject({ fields: { codes: bytesOf(codes) } });
    // Any write undoes the commit, and the digest covers table and drive.
    await host.ask('writeRowDrive', { bank: 0, firstRow: 0, codes: Uint8Array.of(9, 0) });
    const digest = programDigest({ ...image, couplings });
    expect(await host.ask('commit', { bank: 0, ...digest })).toMatchObject({
      fields: { reason: REFUSAL.digestMismatch },
    });
    const refusals = [
      await host.ask('writeRowTable', { bank: 0, firstNode: 160, codes: Uint8Array.of(1, 0, 1, 0) }),
      await host.ask('writeRowDrive', { bank: 0, firstRow: 1, codes: Uint8Array.of(1, 0) }),
      await host.ask('writeRowDrive', { bank: 0, firstRow: 0, codes: Uint8Array.of(1) }),
      ...((board.features & FEATURE.dense) !== 0
        ? [await host.ask('defineProgram', { ...shapeOf(0, dense), linearRows: 0 })]
        : []),
    ];
    for (const said of refusals) expect(said).toMatchObject({ fields: { reason: REFUSAL.outOfRange } });
    await host.ask('defineProgram', { ...shapeOf(0, image), linearRows: NO_ROW_ELEMENT });
    const without = { bank: 0, firstRow: 0, codes: Uint8Array.of(1, 0) };
    expect(await host.ask('writeRowDrive', without)).toMatchObject({
      fields: { reason: REFUSAL.wrongState },
    });
  });

  it('a host of minor 0 is told no later features', async () => {
    const host = await connect();
    const { features } = await host.hello({ minor: 0, tableHash: new Uint8Array(8) });
    expect(features & ~FEATURES_OF_MINOR_0).toBe(0);
    const { features: now } = await host.hello();
    expect(now & FEATURES_OF_MINOR_0).toBe(features);
  });

  it('the running bank cannot be written, the other bank can', async () => {
    const host = await connect();
    const board = await loaded(host);
    const shape = shapeOf(0, uncoupled(board));
    await host.ask('start', ENDLESS);
    expect(await host.ask('defineProgram', shape)).toMatchObject({ fields: { reason: REFUSAL.bankBusy } });
    if (board.banks > 1) expect(await load(host, 1, uncoupled(board))).toMatchObject({ name: 'commit' });
    expect(await host.ask('readStatus', {})).toMatchObject({ fields: { state: DEVICE_STATE.running } });
    await host.ask('abort', { runId: 1 });
    expect(await host.nextEvent('runEnded')).toMatchObject({ runId: 1 });
  });
}
