import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { openTrace } from '../../src/traces/open-trace.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { diagonalProgram } from '../support/test-board.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
const hasPty = process.platform === 'linux' || process.platform === 'darwin';
const RUN = { bank: 0, runSeed: 3, burnInTicks: 4, sampleCount: 200, ticksPerSample: 1 };

async function program(uri: string, record?: string): Promise<number[]> {
  const device = await connect(uri, { record });
  await device.loadProgram(0, { ...diagonalProgram(8), noiseAmplitude: 16384, noiseShift: 12 });
  const { codes } = await device.acquire(RUN);
  await device.close();
  return Array.from(codes);
}

describe('commands and recordings', () => {
  it('a recording takes along the calibration that the command used, byte by byte', async () => {
    const board = ['--device', 'emulator:prototype-8?die=3'];
    const calibration = file('calibration.json');
    const made = await runCommand(
      ...['calibrate', ...board, '--out', calibration, '--samples', '1000', '--no-crosspoints'],
    );
    expect(made.exitCode).toBe(0);
    writeFileSync(file('A.csv'), '4,1\n1,3\n');
    writeFileSync(file('b.csv'), '1\n2\n');
    const system = ['--matrix', file('A.csv'), '--rhs', file('b.csv')];
    const record = ['--record', file('solve.mcap')];
    const solved = await runCommand('solve', ...system, ...board, '--calibration', calibration, ...record);
    expect(solved.exitCode).toBe(0);
    const trace = await openTrace(file('solve.mcap'));
    const attachment = trace.attachments.find(({ name }) => name === 'calibration.json');
    expect(attachment?.mediaType).toBe('application/json');
    expect(Buffer.from(attachment!.read())).toEqual(readFileSync(calibration));
    trace.close();
  });

  it('trace recover ends with exit code 1 when something was lost, and 0 when not', async () => {
    await program('emulator:ideal-8', file('whole.mcap'));
    const bytes = readFileSync(file('whole.mcap'));
    writeFileSync(file('cut.mcap'), bytes.subarray(0, bytes.length * 0.75));
    const cut = await runCommand('trace', 'recover', file('cut.mcap'), '--out', file('mended.mcap'));
    expect(cut.exitCode).toBe(1);
    expect(cut.stderr).toContain('something was lost');
    expect((await runCommand('trace', 'doctor', file('mended.mcap'))).exitCode).toBe(0);
    const whole = await runCommand('trace', 'recover', file('whole.mcap'), '--out', file('same.mcap'));
    expect(whole.exitCode).toBe(0);
  });

  it.runIf(isBuilt && hasPty)('emulate --replay serves a recorded session over a pseudo-terminal', async () => {
    const recorded = await program('emulator:ideal-8', file('session.mcap'));
    const pty = ['--pty', file('board')];
    const server = new JsonProcess([BUILT_CLI, 'emulate', '--json', '--replay', file('session.mcap'), ...pty]);
    const { uris } = await server.next<{ uris: string[] }>('listening');
    // The next client begins the session anew.
    for (let client = 0; client < 2; client++) {
      expect(await program(uris[0])).toEqual(recorded);
      await server.next('left');
    }
    expect(await server.end('SIGTERM')).toBe(0);
  });
});
