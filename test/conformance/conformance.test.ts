import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { checkBoard } from '../../src/cli/commands/conformance/check-board.js';
import { CLAUSES, UNCHECKED } from '../../src/cli/commands/conformance/clauses/index.js';
import { SYSTEM_CLOCK } from '../../src/driver/system-clock.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { openTcpPort } from '../../src/transport/tcp-port.js';
import { parseXml } from '../cli/support/parse-xml.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { DEVICES } from '../device-contract/devices.js';
import { readRepositoryFile } from '../repository/files.js';
import { runCommand } from '../support/command-line.js';
import { checkInMemory, clausesOf } from './boards.js';
import { MORE_MUTANTS } from './more-mutants.js';
import { mutantPort } from './mutant-port.js';
import { CLIENT_MUTANTS, MUTANTS } from './mutants.js';

const directory = temporaryDirectory();
/** Rules that an emulated board of eight cells on one line cannot show. */
const SKIPPED_IN_MEMORY = [...CLIENT_MUTANTS.map(({ id }) => id), 'RUN-4', 'BLOCK-2', 'CALIBRATION-6'];

/** Rules whose checks pass much virtual time, or many frames: each takes a second or more. */
const WAITING: ReadonlySet<string> = new Set([
  ...['LINK-3', 'LINK-6', 'LINK-10', 'LINK-11', 'RESUME-1', 'RESUME-2', 'ONCE-6'],
  ...['VERSION-1', 'VERSION-3', 'CREDIT-3', 'STATE-2'],
]);

describe('the rules of the protocol', () => {
  it('each rule has a check, or a reason for a missing check, and each check has a rule', () => {
    const ids = [...readRepositoryFile('docs/reference/protocol.md').matchAll(/\[([A-Z]+-\d+)\]/g)].map(
      ([, id]) => id,
    );
    const rules = new Set(ids);
    const known = [...CLAUSES.map(({ id }) => id), ...Object.keys(UNCHECKED)];
    expect(known.toSorted()).toEqual([...rules].toSorted());
    expect(new Set(known).size).toBe(known.length);
  });

  it('each check has a mutant', () => {
    const mutated = new Set([...MUTANTS, ...CLIENT_MUTANTS].map(({ id }) => id));
    expect(CLAUSES.map(({ id }) => id).filter((id) => !mutated.has(id))).toEqual([]);
  });
});

describe('a good board', () => {
  it('passes every rule that it can show', async () => {
    const results = await checkInMemory(CLAUSES);
    expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(results.filter(({ status }) => status === 'skipped').map(({ id }) => id)).toEqual(
      SKIPPED_IN_MEMORY,
    );
    const [spread] = await checkInMemory(clausesOf('BLOCK-2'), { profile: 'ideal-256' });
    expect(spread.status).toBe('passed');
  });

  it.for(DEVICES.map((device) => ({ device, name: device.name, missing: device.missing() })))(
    '$name passes',
    { tags: 'long', timeout: 120_000 },
    async ({ device, missing }, { skip }) => {
      skip(missing !== undefined, missing);
      const running = await device.start();
      onTestFinished(() => running.end());
      const results = await checkBoard({
        clauses: CLAUSES,
        open: running.open,
        severalConnections: running.hangsUp,
        clock: SYSTEM_CLOCK,
        signal: new AbortController().signal,
      });
      expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
    },
  );
});

describe('a board with one bug fails at its rule', () => {
  const all = [...MUTANTS, ...MORE_MUTANTS];
  const fails = async ({ id, make, profile }: (typeof all)[number]): Promise<void> => {
    const [result] = await checkInMemory(clausesOf(id), { mutation: make(), ...(profile && { profile }) });
    expect(result.status).toBe('failed');
  };

  it.each(all.filter(({ id }) => !WAITING.has(id)))('$id: $bug', fails);
  it.each(all.filter(({ id }) => WAITING.has(id)))('$id: $bug', { tags: 'long' }, fails);

  it.each(CLIENT_MUTANTS)('$id: $bug', { tags: 'long' }, async ({ id, make }) => {
    const server = new BoardServer(new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 }));
    const listener = await listenTcp(server, { host: '127.0.0.1', port: 0 });
    onTestFinished(async () => {
      const closing = listener.close();
      await server.close();
      await closing;
    });
    const mutation = make();
    const { port } = new URL(listener.uri);
    const open = async () =>
      mutantPort(await openTcpPort({ host: '127.0.0.1', port: Number(port) }), mutation);
    const { signal } = new AbortController();
    const check = { clauses: clausesOf(id), open, severalConnections: true, clock: SYSTEM_CLOCK, signal };
    const [result] = await checkBoard(check);
    expect(result.status).toBe('failed');
  });
});

describe('thermolink conformance', () => {
  const few = ['conformance', '--device', 'emulator:ideal-8', '--clauses', 'FRAME-3,STOP-2,RUN-4'];

  it('prints each rule with its verdict, and writes the report as JSON and as JUnit XML', async () => {
    const [json, xml] = ['board.json', 'board.xml'].map((name) => path.join(directory, name));
    const printed = await runCommand(...few, '--report', json);
    expect(printed.exitCode).toBe(0);
    expect(printed.stdout).toMatch(/FRAME-3 +passed[\s\S]*RUN-4 +skipped +the board has the feature hold/);
    expect(printed.stdout).toContain('2 passed, 0 failed, 1 skipped');
    const report = JSON.parse(readFileSync(json, 'utf8'));
    expect(report).toMatchObject({ passed: 2, failed: 0, skipped: 1, board: { model: 'ideal-8' } });
    expect(JSON.parse((await runCommand(...few, '--json', '--report', xml)).stdout).clauses).toHaveLength(3);
    const suite = parseXml(readFileSync(xml, 'utf8'));
    expect(suite.attributes).toMatchObject({ tests: '3', failures: '0', skipped: '1' });
    expect(suite.children.map(({ name }) => name)).toEqual(['testcase', 'testcase', 'testcase']);
  });

  it.each([
    [['--clauses', 'FRAME-99'], 'there is no such rule'],
    [['--clauses', 'LINK-8'], 'it is not checked'],
    [['--report', 'board.txt'], 'must end in .json or .xml'],
  ])('%j is wrong usage', async (args, message) => {
    const { exitCode, stderr } = await runCommand('conformance', ...args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
