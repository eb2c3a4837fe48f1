import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { diagonalProgram } from '../support/test-board.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
const BOARD = ['--device', 'emulator:ideal-8'];
const RUN = ['--samples', '20'];

/** The cells whose statistics the JSON of a recording holds. The chunks of a recording are not compressed. */
function cellsOf(name: string): number[][] {
  const text = readFileSync(file(name), 'latin1');
  const found = [...text.matchAll(/"statistics":(\[[^\]]*\])/g)];
  return found.map(([, list]) => (JSON.parse(list) as { cell: number }[]).map(({ cell }) => cell));
}

async function acquire(uri: string, record?: Parameters<typeof connect>[1]): Promise<void> {
  const device = await connect(uri, record);
  await device.loadProgram(0, diagonalProgram(8));
  await device.acquire({ bank: 0, runSeed: 3, burnInTicks: 4, sampleCount: 20, ticksPerSample: 1 });
  await device.close();
}

describe('--record-cells', () => {
  it('chooses the cells of the statistics', async () => {
    const args = ['--record', file('chosen.mcap'), '--record-cells', '5-6,1'];
    expect((await runCommand('run', ...RUN, ...BOARD, ...args)).exitCode).toBe(0);
    const cells = cellsOf('chosen.mcap');
    expect(cells.length).toBeGreaterThan(0);
    for (const chosen of cells) expect(chosen).toEqual([1, 5, 6]);
  });

  it.each([
    ['more than eight cells', '0-8', 'takes at most 8 cells, but was given 9'],
    ['a word', 'all', 'takes cells, but was given "all"'],
    ['nothing', '', 'takes cells'],
    ['a cell that no board has', '8192', 'takes cells'],
  ])('refuses %s before it records anything', async (_what, cells, problem) => {
    const args = ['--record', file('refused.mcap'), '--record-cells', cells];
    const { exitCode, stderr } = await runCommand('ping', ...BOARD, ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
    expect(existsSync(file('refused.mcap'))).toBe(false);
  });

  it.each([['ping', ...BOARD], ['monitor', ...BOARD], ['emulate']])(
    '%s refuses it without --record',
    async (...words) => {
      for (const option of [['--record-cells', '3'], ['--record-samples']]) {
        const { exitCode, stderr } = await runCommand(...words, ...option);
        expect(exitCode).toBe(2);
        expect(stderr).toContain(`${option[0]} needs --record.`);
      }
    },
  );

  it.runIf(isBuilt)('chooses the cells of what emulate records', { tags: 'long' }, async () => {
    const args = ['--profile', 'ideal-8', '--record', file('served.mcap'), '--record-cells', '7'];
    const server = new JsonProcess([BUILT_CLI, 'emulate', '--json', ...args]);
    const { uris } = await server.next<{ uris: string[] }>('listening');
    await acquire(uris[0]);
    expect(await server.end('SIGTERM')).toBe(0);
    expect(new Set(cellsOf('served.mcap').flat())).toEqual(new Set([7]));
  });
});

describe('the cells that a program chooses', () => {
  it('are those of the statistics', async () => {
    await acquire('emulator:ideal-8', { record: { file: file('library.mcap'), samples: { cells: [7, 2] } } });
    expect(cellsOf('library.mcap')).toContainEqual([7, 2]);
  });

  it.each([[[0, 1, 2, 3, 4, 5, 6, 7, 8]], [[-1]], [[0.5]], [[Number.NaN]]])(
    'are refused: %j',
    async (cells) => {
      const record = { file: file('never.mcap'), samples: { cells } };
      await expect(connect('emulator:ideal-8', { record })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
      expect(existsSync(file('never.mcap'))).toBe(false);
    },
  );
});
