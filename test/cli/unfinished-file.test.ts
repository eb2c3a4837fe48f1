import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { measureUnfinished } from '../../src/cli/output/unfinished-file.js';
import type { DeviceIdentity } from '../../src/driver/device-api.js';
import { ThermolinkError } from '../../src/errors.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const root = temporaryDirectory();
let directory = '';
let folders = 0;
beforeEach(() => {
  directory = path.join(root, String(folders++));
  mkdirSync(directory);
});
const place = (name: string): string => path.join(directory, name);

const NOW = new Date('2026-03-01T12:00:00Z');
const board = (serialNumber: string, bootEpoch = 1) =>
  ({ model: 'm', serialNumber, bootEpoch }) as unknown as DeviceIdentity;
const key = (overrides = {}) => ({
  command: 'calibrate',
  board: board('A'),
  request: { seed: 1, samples: 1000 },
  ...overrides,
});
/** Values that JSON does not hold. */
const VALUE = { list: Float64Array.of(-0, Number.NaN, 1 / 3), none: undefined, rows: Int32Array.of(7) };

/** Measures parts until one of them is interrupted. Returns the measured parts and the printed messages. */
async function attempt(names: readonly string[], interruptAt?: string, overrides = {}, now = NOW) {
  const measured: string[] = [];
  const said: string[] = [];
  const values: unknown[] = [];
  const options = { now, tell: (sentence: string) => said.push(sentence) };
  const measure = measureUnfinished(
    place('x.unfinished'),
    key(overrides),
    async ({ get, add }) => {
      for (const [runs, name] of names.entries()) {
        if (name === interruptAt) throw new ThermolinkError('ABORTED', 'interrupted');
        const known = get(name);
        values.push(known?.value);
        if (known !== undefined) continue;
        measured.push(name);
        add(name, { value: VALUE, runs, overloaded: [] });
      }
    },
    options,
  );
  const ending = await measure.then(
    ({ remove }) => remove(),
    (error: ThermolinkError) => error.hint,
  );
  return { measured, said, values, ending };
}

describe('the file of an unfinished measurement', () => {
  it('gives back every bit of the parts, is announced, and is removed at the end', async () => {
    const first = await attempt(['a', 'b', 'c'], 'c');
    expect(first).toMatchObject({ measured: ['a', 'b'], said: [] });
    expect(first.ending).toMatch(/The same command continues .*x\.unfinished/);
    const second = await attempt(['a', 'b', 'c'], undefined, { board: board('A', 2) });
    expect(second.measured).toEqual(['c']);
    expect(second.said).toEqual([expect.stringMatching(/^Continuing from 2 finished parts/)]);
    expect(second.values).toEqual([VALUE, VALUE, undefined]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each<[string, object, RegExp, Date]>([
    ['another board', { board: board('B') }, /another board/, NOW],
    ['another seed', { request: { seed: 2, samples: 1000 } }, /another request/, NOW],
    ['another command', { command: 'characterize' }, /another command/, NOW],
    ['two days ago', {}, /more than a day/, new Date('2026-03-03T12:00:00Z')],
  ])('of %s is not used, and a message says so', async (_, overrides, sentence, now) => {
    await attempt(['a', 'b'], 'b');
    const { measured, said } = await attempt(['a', 'b', 'c'], 'c', overrides, now);
    expect(measured).toEqual(['a', 'b']);
    expect(said).toEqual([expect.stringMatching(sentence)]);
    expect((await attempt(['a', 'b', 'c'], undefined, overrides, now)).measured).toEqual(['c']);
  });

  it('that ends in a part of a line is used without this part', async () => {
    await attempt(['a', 'b'], 'b');
    appendFileSync(place('x.unfinished'), '{"name":"b","pa');
    expect((await attempt(['a', 'b', 'c'], 'c')).measured).toEqual(['b']);
    expect((await attempt(['a', 'b', 'c'])).measured).toEqual(['c']);
  });

  it('that is damaged is not used, and a message says so', async () => {
    writeFileSync(place('x.unfinished'), 'hello\nworld\n');
    const { measured, said } = await attempt(['a', 'b']);
    expect(measured).toEqual(['a', 'b']);
    expect(said).toEqual([expect.stringMatching(/damaged/)]);
  });

  it('that cannot be written does not end the measurement', async () => {
    mkdirSync(place('x.unfinished.partial'));
    const { measured, said, ending } = await attempt(['a', 'b', 'c'], 'c');
    expect(measured).toEqual(['a', 'b']);
    expect(said).toEqual([expect.stringMatching(/can't be written/)]);
    expect(ending).toBeUndefined();
  });
});

describe('an interrupted command', () => {
  const BOARD = ['--device', 'emulator:prototype-8?die=3', '--samples', '20000'];
  const MAIN = path.resolve('dist/src/cli/main.js');

  it.runIf(process.platform !== 'win32').each([
    ['calibrate', 'x.json', 'x.json.unfinished', 'x.json'],
    ['characterize', 'out', 'out/characterization.unfinished', 'out/characterization.json'],
  ])(
    '%s continues, and gives the same record as without the interruption',
    { tags: 'long' },
    async (command, out, unfinished, record) => {
      const args = [command, ...BOARD, '--out', place(out)];
      const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      const isOver = ended.then(() => true);
      const aTurn = () => new Promise<false>((resolve) => setTimeout(() => resolve(false), 5));
      while (!existsSync(place(unfinished)) && !(await Promise.race([isOver, aTurn()])));
      child.kill('SIGINT');
      expect((await ended)[0]).toBe(130);
      expect(existsSync(place(record))).toBe(false);
      const { stderr, exitCode } = await runCommand(...(args as [string]));
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(/^Continuing from \d+ finished part/m);
      const whole = place(command === 'calibrate' ? 'whole.json' : 'whole');
      await runCommand(command, ...BOARD, '--out', whole);
      const read = (file: string) => {
        const { measuredAt: _, expiresAt: __, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
        return rest;
      };
      const wholeRecord = command === 'calibrate' ? whole : path.join(whole, 'characterization.json');
      expect(read(place(record))).toEqual(read(wholeRecord));
      expect(existsSync(place(unfinished))).toBe(false);
    },
  );

  it('characterize removes an empty folder that it made, and keeps a folder that it found', async () => {
    mkdirSync(place('there'));
    for (const out of ['new/inner', 'there']) {
      const { exitCode } = await runCommand(
        ...['characterize', '--device', 'tcp://127.0.0.1:1', '--out', place(out)],
      );
      expect(exitCode).toBe(1);
    }
    expect(readdirSync(directory)).toEqual(['there']);
  });
});
