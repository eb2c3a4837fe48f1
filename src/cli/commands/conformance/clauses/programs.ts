import { FEATURE } from '../../../../../firmware-protocol/messages/system.js';
import { programDigest } from '../../../../../firmware-protocol/program-digest.js';
import { PROGRAM_MODE } from '../../../../../firmware-protocol/program-image.js';
import {
  bytesOf,
  type Clause,
  ENDLESS,
  equal,
  must,
  reasonName,
  START,
  shapeOf,
  uncoupled,
} from '../clause.js';

const CELLS_MAX = 8192;
const BITS_MAX = 16;
const CARRY_VARIANCE = 87_381;
/** An amplitude that every board must refuse: only 0 and 12288…24575 can be allowed. */
const NO_AMPLITUDE = 5;

export const PROGRAM_CLAUSES: readonly Clause[] = [
  {
    id: 'PROGRAM-1',
    what: 'any write makes a bank uncommitted',
    async check(use) {
      const image = uncoupled(use.board);
      const { damping, noiseAmplitude, noiseShift } = image;
      const writes = [
        () => use.ask('writeDrive', { bank: 0, firstCell: 0, codes: bytesOf(image.drive) }),
        () => use.ask('writeInitialState', { bank: 0, firstCell: 0, codes: bytesOf(image.initialState) }),
        () => use.ask('writeCouplings', { bank: 0, firstEntry: 0, codes: bytesOf(image.couplings) }),
        () => use.ask('setRegisters', { bank: 0, damping, noiseAmplitude, noiseShift }),
        () => use.ask('defineProgram', shapeOf(0, image)),
      ];
      for (const [i, write] of writes.entries()) {
        await use.load(image);
        must(((await use.status()).committedBanks & 1) === 1, 'the bank is not committed after a commit');
        await write();
        must(((await use.status()).committedBanks & 1) === 0, `write ${i} leaves the bank committed`);
      }
    },
  },
  {
    id: 'PROGRAM-2',
    what: 'a commit compares both CRCs, and a repeated commit gets the same answer',
    async check(use) {
      const image = uncoupled(use.board);
      const digest = programDigest(image);
      const first = await use.load(image);
      equal(await use.ask('commit', { bank: 0, ...digest }), first, 'the answer to a second commit');
      for (const part of ['crc32', 'crc32c'] as const) {
        const wrong = { bank: 0, ...digest, [part]: (digest[part] ^ 1) >>> 0 };
        await use.refused('commit', wrong, 'digestMismatch', `a commit with another ${part}`);
      }
    },
  },
  {
    id: 'PROGRAM-3',
    what: 'defineProgram sets all codes to 0, and the registers to damping 0, amplitude 0, shift 8',
    async check(use) {
      const image = uncoupled(use.board);
      image.couplings.fill(3);
      image.initialState.fill(3);
      await use.load(image);
      await use.ask('defineProgram', shapeOf(0, image));
      for (const section of [0, 1, 2] as const) {
        const { codes } = await use.ask('readProgram', {
          bank: 0,
          section,
          firstEntry: 0,
          count: image.cells,
        });
        must(
          codes.every((byte) => byte === 0),
          `section ${section} is not 0 after defineProgram`,
        );
      }
      image.couplings.fill(0);
      image.initialState.fill(0);
      image.drive.fill(0);
      const digest = programDigest({ ...image, damping: 0, noiseAmplitude: 0, noiseShift: 8 });
      const { refusal } = await use.host.ask('commit', { bank: 0, ...digest });
      must(
        refusal === undefined || reasonName(refusal.reason) === 'outOfRange',
        'the registers are not 0, 0 and 8',
      );
    },
  },
  {
    id: 'PROGRAM-4',
    what: 'defineProgram is refused for a mode, cells, rows or bits that the board lacks, and for dense programs with other rows or attenuation',
    async check(use) {
      const { board } = use;
      const shape = shapeOf(0, uncoupled(board));
      for (const [name, mode] of Object.entries(PROGRAM_MODE))
        if (!use.has(name as 'dense' | 'factored'))
          await use.refused('defineProgram', { ...shape, mode }, 'unsupported', `the mode ${name}`);
      const wrong: [string, Partial<typeof shape>][] = [
        ...(board.cells < CELLS_MAX
          ? [['too many cells', { cells: board.cells + 1, rows: board.cells + 1 }]]
          : []),
        ...(board.couplingBits < BITS_MAX
          ? [['too many bits', { couplingBits: board.couplingBits + 1 }]]
          : []),
        ...(use.has('dense')
          ? [
              ['a dense program with other rows', { mode: PROGRAM_MODE.dense, rows: shape.cells + 1 }],
              ['a dense program with attenuation', { mode: PROGRAM_MODE.dense, rowAttenuation: 1 }],
            ]
          : [['too many rows', { rows: board.rows + 1 }]]),
      ] as [string, Partial<typeof shape>][];
      for (const [what, change] of wrong)
        await use.refused('defineProgram', { ...shape, ...change }, 'outOfRange', what);
    },
  },
  {
    id: 'PROGRAM-5',
    what: 'a row element is refused as unsupported by a board without the feature, and as outOfRange in dense mode',
    async check(use) {
      const { board } = use;
      const shape = shapeOf(0, uncoupled(board));
      if (!use.has('rowElement')) {
        const factored = { ...shape, rows: 1, mode: PROGRAM_MODE.factored, linearRows: 0 };
        await use.refused('defineProgram', factored, 'unsupported', 'a row element');
      } else if (use.has('dense')) {
        const dense = { ...shape, mode: PROGRAM_MODE.dense, linearRows: 0 };
        await use.refused('defineProgram', dense, 'outOfRange', 'a row element in dense mode');
      }
    },
  },
  {
    id: 'PROGRAM-6',
    what: 'table and row drive are refused as unsupported without the feature, and as wrongState for a program without a row element',
    async check(use) {
      await use.load();
      const reason = use.has('rowElement') ? 'wrongState' : 'unsupported';
      const codes = new Uint8Array(2);
      await use.refused('writeRowTable', { bank: 0, firstNode: 0, codes }, reason, 'writing a table');
      await use.refused('writeRowDrive', { bank: 0, firstRow: 0, codes }, reason, 'writing row drives');
      const read = { bank: 0, section: 3, firstEntry: 0, count: 1 } as const;
      await use.refused('readProgram', read, reason, 'reading a table');
    },
  },
  {
    id: 'PROGRAM-7',
    what: 'a running bank cannot be written; the other bank can',
    async check(use) {
      await use.load();
      await use.start(ENDLESS);
      const drive = { firstCell: 0, codes: new Uint8Array(2) };
      await use.refused('writeDrive', { bank: 0, ...drive }, 'bankBusy', 'writing the bank that runs');
      await use.refused(
        'defineProgram',
        shapeOf(0, uncoupled(use.board)),
        'bankBusy',
        'defining the bank that runs',
      );
      if (use.board.banks > 1) await use.load(uncoupled(use.board), 1);
    },
  },
  {
    id: 'PROGRAM-8',
    what: 'a read or write beyond the last code, with half a code, or of more than fits a frame is refused as outOfRange',
    async check(use) {
      await use.host.hello({ frameBytes: 256 });
      const image = uncoupled(use.board);
      await use.load(image);
      const { cells } = image;
      const far = { bank: 0, firstCell: cells, codes: new Uint8Array(2) };
      await use.refused('writeDrive', far, 'outOfRange', 'writing beyond the last code');
      const half = { bank: 0, firstCell: 0, codes: new Uint8Array(1) };
      await use.refused('writeInitialState', half, 'outOfRange', 'writing half a code');
      const read = { bank: 0, section: 1, firstEntry: 0 } as const;
      await use.refused(
        'readProgram',
        { ...read, count: cells + 1 },
        'outOfRange',
        'reading beyond the last code',
      );
      await use.refused('readProgram', { ...read, count: 65536 }, 'outOfRange', 'reading more than fits');
    },
  },
  {
    id: 'PROGRAM-9',
    what: 'a commit is refused for a wrong digest first, and then for noise registers or couplings out of range',
    async check(use) {
      const image = uncoupled(use.board, { noiseAmplitude: NO_AMPLITUDE });
      use.write(0, image);
      const digest = programDigest(image);
      const wrong = { bank: 0, ...digest, crc32: (digest.crc32 ^ 1) >>> 0 };
      await use.refused('commit', wrong, 'digestMismatch', 'another digest of registers out of range');
      await use.refused('commit', { bank: 0, ...digest }, 'outOfRange', 'a noise amplitude of 5');
    },
  },
  {
    id: 'PROGRAM-10',
    what: 'carryVariance in the answer to commit is 87381',
    async check(use) {
      equal((await use.load()).carryVariance, CARRY_VARIANCE, 'carryVariance');
    },
  },
  {
    id: 'AVERAGE-1',
    what: 'a start is refused as outOfRange if its samples are not whole batches, or are more than 32 batches',
    skip: noAverages,
    async check(use) {
      await use.load();
      const start = { ...START, statistics: 1 as const, batchSamples: 4 };
      await use.refused('start', { ...start, sampleCount: 10 }, 'outOfRange', 'a batch that is not whole');
      await use.refused('start', { ...start, sampleCount: 4 * 33 }, 'outOfRange', '33 batches');
      await use.refused('start', { ...start, sampleCount: 0 }, 'outOfRange', 'no batch');
    },
  },
  {
    id: 'AVERAGE-2',
    what: 'the sums of a run are those of the samples that an identical run sends',
    skip: noAverages,
    async check(use) {
      const { board } = use;
      await use.load(uncoupled(board, { noiseAmplitude: 12_288, noiseShift: board.noiseShiftMin }));
      const run = { runSeed: 7, burnInTicks: 20, sampleCount: 12, ticksPerSample: 3 };
      await use.start(run);
      await use.ended();
      const codes = use.blocks().flatMap((block) => [...new Int16Array(block.codes.slice().buffer)]);
      const cells = codes.length / 12;
      const runId = await use.start({ ...run, statistics: 1, batchSamples: 4, creditBlocks: 0 });
      await use.ended();
      const sums = async (part: 0 | 1, count: number) =>
        (await use.ask('readAverages', { runId, part, firstEntry: 0, count })).sums.slice().buffer;
      const batches = [0, 1, 2].flatMap((batch) =>
        Array.from({ length: cells }, (_, cell) =>
          [0, 1, 2, 3].reduce((sum, s) => sum + codes[(4 * batch + s) * cells + cell], 0),
        ),
      );
      const squares = Array.from({ length: cells }, (_, cell) =>
        Array.from({ length: 12 }, (_s, s) => codes[s * cells + cell] ** 2).reduce((sum, x) => sum + x, 0),
      );
      equal([...new Int32Array(await sums(0, 3 * cells))], batches, 'the sums of the batches');
      equal([...new BigInt64Array(await sums(1, cells))].map(Number), squares, 'the sums of the squares');
    },
  },
  {
    id: 'AVERAGE-3',
    what: 'batches of a run that sends samples, and moments of too many cells, are refused as outOfRange; without the feature every run with sums is refused as unsupported',
    async check(use) {
      await use.load();
      const hold = use.has('hold') ? {} : { onNoCredit: 1 as const };
      const start = { ...START, ...hold };
      if (!use.has('averages')) {
        const sums = { ...start, statistics: 1 as const, batchSamples: 1 };
        await use.refused('start', sums, 'unsupported', 'a run whose samples are added up');
        return;
      }
      await use.refused(
        'start',
        { ...start, batchSamples: 1 },
        'outOfRange',
        'a batch of a run that sends samples',
      );
      const { momentCellsMax, cells } = use.board;
      if (momentCellsMax >= cells) return;
      await use.load(uncoupled(use.board, { cells: momentCellsMax + 1 }));
      const moments = { ...start, statistics: 2 as const, batchSamples: 1 };
      await use.refused('start', moments, 'outOfRange', 'second moments of too many cells');
    },
  },
  {
    id: 'AVERAGE-4',
    what: 'a run that adds up its samples needs no credit, and sends no block',
    skip: noAverages,
    async check(use) {
      await use.load();
      await use.start({ sampleCount: 40, statistics: 1, batchSamples: 10, creditBlocks: 0 });
      const { blocksSent, samplesLost, samplesTaken } = await use.ended();
      equal([blocksSent, samplesLost, samplesTaken], [0, 0, 40], 'blocks, samples lost and taken');
      equal(use.blocks().length, 0, 'the blocks that came');
    },
  },
  {
    id: 'AVERAGE-5',
    what: 'readAverages is refused as wrongState for other runs and for a run that ended early, and as outOfRange beyond the last sum',
    skip: noAverages,
    async check(use) {
      await use.load();
      const runId = await use.start({ sampleCount: 4, statistics: 1, batchSamples: 4 });
      await use.ended();
      const read = { runId, part: 0 as const, firstEntry: 0, count: 1 };
      await use.ask('readAverages', read);
      await use.refused('readAverages', { ...read, runId: runId + 1 }, 'wrongState', 'sums of another run');
      await use.refused('readAverages', { ...read, count: 65_536 }, 'outOfRange', 'sums beyond the last');
      const second = await use.start({ ...ENDLESS, sampleCount: 4, statistics: 1, batchSamples: 4 });
      await use.refused(
        'readAverages',
        { ...read, runId: second },
        'wrongState',
        'sums of a run in progress',
      );
      await use.ask('abort', { runId: second });
      await use.ended();
      await use.refused(
        'readAverages',
        { ...read, runId: second },
        'wrongState',
        'sums of a run that was cut short',
      );
    },
  },
];

function noAverages({ features }: { readonly features: number }): string | undefined {
  return (features & FEATURE.averages) === 0 ? 'the board has no feature averages' : undefined;
}
