import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeAnswer } from '../../../firmware-protocol/codec.js';
import { CHANNEL, encodeFrame } from '../../../firmware-protocol/framing.js';
import type { Answer } from '../../../firmware-protocol/messages/index.js';
import { connect } from '../../../src/connect.js';
import { readMatrix } from '../../../src/files/read-array.js';
import { fieldsText } from '../../../src/traces/look/message-text.js';
import { sessionFigure } from '../../../src/traces/look/session-figure.js';
import { openTrace } from '../../../src/traces/open-trace.js';
import type { TraceMessage } from '../../../src/traces/trace-message.js';
import { parseXml } from '../../cli/support/parse-xml.js';
import { temporaryDirectory } from '../../cli/support/temporary-files.js';
import { runCommand } from '../../support/command-line.js';
import { diagonalProgram } from '../../support/test-board.js';
import { hasTshark, tsharkFields } from '../../support/tshark.js';
import { Ear, plainSession } from './recorded-chunks.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
const session = file('session.mcap');
const other = file('other.mcap');
let codes: Int16Array;

const RUN = { bank: 0, runSeed: 7, burnInTicks: 10, sampleCount: 20, ticksPerSample: 3 };

async function record(target: string, runSeed: number): Promise<Int16Array> {
  const device = await connect('emulator:ideal-8?die=3', { record: target });
  const noisy = { ...diagonalProgram(8, 2048), noiseAmplitude: 16384, noiseShift: 12 };
  await device.loadProgram(0, noisy);
  const acquired = await device.acquire({ ...RUN, runSeed });
  await device.acquire({ ...RUN, runSeed: runSeed + 1, sampleCount: 5 });
  await device.close();
  return acquired.codes;
}

beforeAll(async () => {
  codes = await record(session, 7);
  await record(other, 9);
});

async function printed(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await runCommand('trace', ...args);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return stdout;
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('trace info', () => {
  it('describes the recording', async () => {
    const info = JSON.parse(await printed('info', session, '--json'));
    expect(info).toMatchObject({
      board: { model: 'ideal-8', cells: 8 },
      metadata: { device: { uri: 'emulator:ideal-8?die=3', dieSeed: '3' } },
      runs: [
        { run: 1, runSeed: 7, outcome: 'completed', samples: 20 },
        { run: 2, runSeed: 8, outcome: 'completed', samples: 5 },
      ],
      damage: [],
      samplesLost: 0,
    });
    const text = await printed('info', session);
    expect(text).toContain('emulator:ideal-8?die=3');
    expect(text).toMatch(/→ start +command +2/);
  });

  it('says which part of a cut recording is missing', async () => {
    const cut = file('cut.mcap');
    const bytes = readFileSync(session);
    writeFileSync(cut, bytes.subarray(0, bytes.length - 300));
    const { stdout, stderr, exitCode } = await runCommand('trace', 'info', cut);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('model');
    expect(stderr).toContain(cut);
  });

  it.each(['info', 'messages'])('%s refuses a file that is not a recording', async (name) => {
    const text = file('text.mcap');
    writeFileSync(text, 'text');
    for (const target of [text, file('missing.mcap')]) {
      const { stderr, exitCode } = await runCommand('trace', name, target);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('BAD_FILE');
    }
  });
});

describe('trace messages', () => {
  it('prints messages that pass all filters', async () => {
    const all = lines(await printed('messages', session, '--json'));
    expect(all.map(({ index }) => index)).toEqual(all.map((_, i) => i));
    const chosen = lines(
      await printed(
        'messages',
        session,
        '--json',
        '--name',
        'start,sampleBlock',
        '--direction',
        'toHost',
        '--run',
        '2',
      ),
    );
    expect(chosen.map(({ name, kind, run }) => [name, kind, run])).toEqual([
      ['start', 'answer', 2],
      ['sampleBlock', 'event', 2],
    ]);
    const ranged = lines(await printed('messages', session, '--json', '--range', '3..5'));
    expect(ranged.map(({ index }) => index)).toEqual([3, 4, 5]);
    const last = all.at(-1)!['seconds'] as number;
    const early = lines(await printed('messages', session, '--json', '--time', `..${(last / 2).toFixed(6)}`));
    expect(early.length).toBe(all.filter(({ seconds }) => (seconds as number) <= last / 2).length);
    expect(early.length).toBeLessThan(all.length);
  });

  it('cuts long fields unless an option asks for the whole ones', async () => {
    const cut = await printed('messages', session, '--name', 'writeCouplings,sampleBlock');
    expect(cut).toMatch(/codes=<128 bytes [0-9a-f]{16}…>/);
    expect(cut).toMatch(/codes=<160 codes -?\d+…-?\d+>/);
    const whole = await printed('messages', session, '--name', 'sampleBlock', '--whole', '--run', '1');
    expect(whole).toContain(`codes=[${codes.join(',')}]`);
  });

  it.each([
    ['--name', 'nothing', 'There is no message'],
    ['--range', '5..3', '--range takes FROM..TO'],
    ['--time', 'soon', '--time takes FROM..TO'],
    ['--direction', 'up', '--direction takes'],
    ['--run', '99', 'There is no run 99: the recording has 2 runs'],
  ])('refuses %s %s', async (option, value, problem) => {
    const { stderr, exitCode } = await runCommand('trace', 'messages', session, option, value);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
  });

  it('follows a recording to its end', async () => {
    const followed = await printed('messages', session, '--follow', '--json');
    expect(followed).toBe(await printed('messages', session, '--json'));
    const { stderr, exitCode } = await runCommand('trace', 'messages', session, '--follow', '--run', '3');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('There is no run 3');
  });
});

describe('trace diff', () => {
  it('ends with exit code 0 for the same session and with 1 for another one', async () => {
    expect(await printed('diff', session, session)).toMatch(/^the same: \d+ messages compared\n$/);
    const { stdout, exitCode } = await runCommand('trace', 'diff', session, other);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('runSeed: A 7, B 9');
    const json = await runCommand('trace', 'diff', session, other, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      first: { a: { name: 'start' }, fields: [{ field: 'runSeed', a: '7', b: '9' }] },
    });
  });
});

describe('trace export', () => {
  const STEP_VOLTS = 2 ** -14;

  it('writes samples in volts as an array and as a table', async () => {
    await printed('export', session, '--npy', '--run', '1', '--out', file('x.npy'));
    const { rows, columns, data } = await readMatrix(file('x.npy'));
    expect([rows, columns]).toEqual([20, 8]);
    expect(Array.from(data)).toEqual(Array.from(codes, (code) => code * STEP_VOLTS));
    await printed('export', session, '--csv', '--cells', '2,0-1', '--codes', '--out', file('x.csv'));
    const table = readFileSync(file('x.csv'), 'utf8').trimEnd().split('\n');
    expect(table[0]).toBe('run,sample,tick,cell 0,cell 1,cell 2');
    expect(table).toHaveLength(26);
    expect(table[3]).toBe(`1,2,16,${Array.from(codes.slice(16, 19)).join(',')}`);
    expect(table[21]).toMatch(/^2,0,10,/);
  });

  it('writes every message as a line of JSON', async () => {
    await printed('export', session, '--jsonl', '--whole', '--out', file('x.jsonl'));
    const written = lines(readFileSync(file('x.jsonl'), 'utf8'));
    const printedLines = lines(await printed('messages', session, '--json', '--whole'));
    expect(written).toEqual(printedLines);
    expect(written.find(({ name }) => name === 'sampleBlock')!['codes']).toEqual(Array.from(codes));
  });

  it.runIf(hasTshark)(
    'writes every frame for tshark, which counts the same messages',
    { tags: 'long' },
    async () => {
      const { frames } = JSON.parse(
        await printed('export', session, '--pcapng', '--out', file('x.pcapng'), '--json'),
      );
      const rows = tsharkFields(readFileSync(file('x.pcapng')), [
        'thermolink.message',
        'thermolink.delivered',
      ]);
      expect(rows).toHaveLength(frames);
      const counts = new Map<string, number>();
      for (const row of rows)
        if (row['thermolink.delivered'].length > 0) {
          const [name] = row['thermolink.message'];
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
      const info = JSON.parse(await printed('info', session, '--json')) as {
        messages: { name: string; count: number }[];
      };
      const ours = new Map<string, number>();
      for (const { name, count } of info.messages) ours.set(name, (ours.get(name) ?? 0) + count);
      expect(counts).toEqual(ours);
    },
  );

  /** Runs `script` with `out` as a mount point, which cannot be replaced, only written in place. */
  function onMountPoint(out: string, script: string): number | null {
    for (const name of [out, `${out}.mounted`]) writeFileSync(name, 'old');
    const mount = `mount --bind ${out}.mounted ${out} && ${script}`;
    return spawnSync('unshare', ['-rm', 'sh', '-c', mount]).status;
  }
  const mayMount = onMountPoint(file('probe'), 'true') === 0;

  it.runIf(mayMount).each(['csv', 'npy', 'jsonl', 'pcapng'])(
    'writes a mount point in place: --%s',
    (format) => {
      const [plain, mounted] = [file(`plain.${format}`), file(`mounted.${format}`)];
      const command = `${process.execPath} dist/src/cli/main.js trace export ${session} --${format} --out`;
      expect(spawnSync('sh', ['-c', `${command} ${plain}`]).status).toBe(0);
      expect(onMountPoint(mounted, `${command} ${mounted}`)).toBe(0);
      expect(readFileSync(`${mounted}.mounted`)).toEqual(readFileSync(plain));
    },
  );

  it('asks for another file if this one cannot be written', async () => {
    const out = file('blocked.csv');
    // A folder with the name of the temporary file imitates any failure of the disk.
    mkdirSync(`${out}.partial`);
    const { stderr, exitCode } = await runCommand('trace', 'export', session, '--csv', '--out', out);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${out} can't be written`);
    expect(stderr).toContain('Give another file to --out.');
  });

  it.each([
    [[], 'No format was given'],
    [['--csv', '--npy'], '--csv and --npy exclude each other'],
    [['--pcapng', '--run', '1'], '--run has no effect on --pcapng'],
    [['--npy', '--cells', '8'], 'has no cell 8'],
    [['--npy', '--cells', '7-2'], '--cells takes cells'],
  ])('refuses %s', async (options, problem) => {
    const out = file('refused');
    const { stderr, exitCode } = await runCommand('trace', 'export', session, '--out', out, ...options);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
    expect(statSync(out, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('says that there is no such run, or that there are no samples', async () => {
    const args = ['--csv', '--out', file('refused')];
    const missing = await runCommand('trace', 'export', session, '--run', '3', ...args);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('There is no run 3: the recording has 2 runs');
    const silent = file('silent.mcap');
    await (await connect('emulator:ideal-8', { record: silent })).close();
    const empty = await runCommand('trace', 'export', silent, ...args);
    expect(empty.exitCode).toBe(1);
    expect(empty.stderr).toContain('The recording holds no samples');
  });
});

describe('trace plot', () => {
  it('draws runs, frames and the chosen cells', async () => {
    await printed('plot', session, '--out', file('x.svg'), '--cells', '0,5');
    const svg = parseXml(readFileSync(file('x.svg'), 'utf8'));
    for (const text of ['runs', 'commands →', 'samples ←', 'Voltages', 'cell 0', 'cell 5'])
      expect(svg.text).toContain(text);
    expect(svg.text).not.toContain('cell 1');
    // The axis is in volts.
    expect(svg.text).toContain('full scale 1 V');
  });

  it.each([
    ['--cells', '700', 'No run has cell 700', '8 cells'],
    ['--time', '700..800', 'The recording ends at', 'Begin the range'],
  ])('refuses an empty picture: %s %s', async (option, value, message, hint) => {
    const refused = await runCommand('trace', 'plot', session, '--out', file('empty.svg'), option, value);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain(message);
    expect(refused.stderr).toContain(hint);
    expect(existsSync(file('empty.svg'))).toBe(false);
  });

  it('draws a recording of a single byte, and one without samples', async () => {
    const ear = new Ear();
    ear.hear('toHost', Uint8Array.of(7));
    const { chunks } = await plainSession();
    for (const list of [ear.chunks, chunks.slice(0, 9)])
      parseXml(sessionFigure({ chunks: () => list }, { title: 'x', cells: [0] }));
  });
});

describe('names with control characters for the terminal or the picture', () => {
  const EVIL = '\u001b[2J\u202e</svg>&"';

  /** The answer to HELLO of a board with this name. */
  async function helloOf(model: string): Promise<TraceMessage[]> {
    const trace = await openTrace(session);
    try {
      return [...trace.messages()]
        .filter(({ name, kind }) => name === 'hello' && kind === 'answer')
        .map((message) => ({ ...message, fields: { ...message.fields, model } }));
    } finally {
      trace.close();
    }
  }

  it('are escaped in lines and pictures', async () => {
    const [hello] = await helloOf(EVIL);
    expect(fieldsText(hello)).toMatch(/model="\\u001b\[2J/);
    const { chunks } = await plainSession();
    const fields = hello.fields as unknown as Answer<'hello'>;
    const ear = new Ear();
    const payload = encodeAnswer('hello', 0, { ...fields, model: EVIL });
    const header = { channel: CHANNEL.open, session: 0, flags: 0, seq: 0, ack: 0 } as const;
    ear.hear('toHost', encodeFrame({ ...header, payload }));
    const svg = sessionFigure({ chunks: () => [...chunks, ...ear.chunks] }, { title: EVIL, cells: [0] });
    expect(parseXml(svg).text).toContain('</svg>&"');
    expect(svg).not.toContain('\u001b');
  });

  it('are escaped on the terminal', async () => {
    const evil = file('evil\u001b[31m.mcap');
    writeFileSync(evil, readFileSync(session));
    const { stdout } = await runCommand('trace', 'info', evil);
    expect(stdout).toContain('evil\\u001b[31m.mcap');
    expect(stdout).not.toContain('\u001b');
  });
});
