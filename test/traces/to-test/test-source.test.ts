import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/connect.js';
import type { DeviceIdentity } from '../../../src/driver/device-api.js';
import { openTrace } from '../../../src/traces/open-trace.js';
import { type RecordedCall, recordedCalls } from '../../../src/traces/to-test/recorded-calls.js';
import { testSource } from '../../../src/traces/to-test/test-source.js';
import { temporaryDirectory } from '../../cli/support/temporary-files.js';
import { diagonalProgram } from '../../support/test-board.js';

const directory = temporaryDirectory();
const FIRST = { ...diagonalProgram(8, 3000), noiseAmplitude: 16000, noiseShift: 16 };
const SECOND = {
  ...FIRST,
  couplings: new Int8Array(64).fill(3),
  couplingBits: 6,
  drive: FIRST.drive.map((c) => -c),
};
const RUN = { bank: 0, runSeed: 5, burnInTicks: 20, sampleCount: 30, ticksPerSample: 16 };

let calls: RecordedCall[];
let identity: DeviceIdentity;

beforeAll(async () => {
  const path = join(directory, 'session.mcap');
  const device = await connect('emulator:ideal-8?die=4', { record: path });
  identity = device.identity;
  await device.loadProgram(0, FIRST);
  await device.acquire(RUN);
  await device.rewriteProgram(0, { ...FIRST, damping: 9 });
  await device.acquire({ ...RUN, keepState: true, firstTick: 500, onOverload: 'mark', onLoss: 'reRequest' });
  await device.uploadCouplings(1, SECOND);
  await device.ping();
  await device.rewriteProgram(1, SECOND);
  const run = await device.run({ ...RUN, sampleCount: 500_000 });
  for await (const block of run.blocks) if (block.firstSample > 3000) break;
  await run.finished;
  await device.stop();
  await device.acquire(RUN).catch(() => undefined);
  await device.acknowledge();
  await device.close();
  const trace = await openTrace(path);
  calls = recordedCalls(trace.messages());
  trace.close();
});

describe('the calls of a recorded session', () => {
  it('are the calls of the host, in their order', () => {
    const kinds = calls.map((call) => `${call.kind}${call.isRefused ? ' refused' : ''}`);
    expect(kinds).toEqual([
      ...['loadProgram', 'run', 'rewriteProgram', 'run', 'uploadCouplings', 'ping', 'rewriteProgram', 'run'],
      ...['stop', 'run refused', 'acknowledge'],
    ]);
  });

  it('have the programs and options of the host', () => {
    const [load, first, rewrite, second, upload] = calls;
    expect(load).toMatchObject({ bank: 0, image: FIRST });
    expect(rewrite).toMatchObject({ image: { ...FIRST, damping: 9 } });
    expect(upload).toMatchObject({ bank: 1, image: { couplings: SECOND.couplings, couplingBits: 6 } });
    expect(first).toMatchObject({ options: RUN, outcome: 'completed' });
    expect(second).toMatchObject({
      options: { keepState: true, firstTick: 500, onOverload: 'mark', onLoss: 'reRequest' },
    });
    expect((rewrite as { image: typeof FIRST }).image.couplings).toBe(
      (load as { image: typeof FIRST }).image.couplings,
    );
  });
});

/** The texts of all string literals, and the names of everything else. */
function partsOf(source: string): { literals: string[]; names: string[]; errors: number } {
  const file = ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest, true);
  const [literals, names]: [string[], string[]] = [[], []];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node)) literals.push(node.text);
    if (ts.isIdentifier(node)) names.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  const { parseDiagnostics } = file as unknown as { parseDiagnostics: unknown[] };
  return { literals, names, errors: parseDiagnostics.length };
}

describe('the written test', () => {
  it('has the calls and their results, one on each line', () => {
    const source = testSource({ trace: 'my session.mcap', identity, calls });
    expect(source).toContain('new URL("./my%20session.mcap", import.meta.url)');
    expect(source).toContain('  await device.loadProgram(0, programs[0]);');
    expect(source).toContain('  const run1 = await device.acquire({');
    expect(source).toContain('    runSeed: 5,');
    expect(source).toContain("rejects.toMatchObject({ code: 'DEVICE_REFUSED' })");
    expect(source).toMatch(/expect\(mean1\[0\]\)\.toBeCloseTo\(-?0\.\d+, 9\);/);
    expect(partsOf(source).errors).toBe(0);
  });

  it.each([
    '"); process.exit(1); ("',
    '\n*/ process.exit(1) /*',
    '`\u0024{process.exit(1)}`',
    '\u2028process.exit(1)//',
    "'\\",
  ])('keeps a hostile name a string: %j', (name) => {
    const plain = partsOf(testSource({ trace: 'a.mcap', identity, calls }));
    const hostile = { ...identity, model: name, serialNumber: name };
    const { literals, names, errors } = partsOf(
      testSource({ trace: `${name}.mcap`, identity: hostile, calls, code: undefined }),
    );
    expect([errors, names]).toEqual([0, plain.names]);
    expect(literals.filter((literal) => literal === name)).toHaveLength(2);
  });

  it('calls the named code in place of the recorded calls', () => {
    const code = { module: './"x".js', name: 'solveOnBoard' };
    const { literals, errors } = partsOf(testSource({ trace: 'a.mcap', identity, calls, code }));
    expect([errors, literals]).toEqual([0, expect.arrayContaining(['./"x".js'])]);
    const hostile = { module: './x.js', name: 'a } from "x"; process.exit(1); //' };
    expect(() => testSource({ trace: 'a.mcap', identity, calls, code: hostile })).toThrow(/function/);
  });

  it('is refused for a session with too many calls', () => {
    const many = Array.from({ length: 300 }, () => calls[0]);
    expect(() => testSource({ trace: 'a.mcap', identity, calls: many })).toThrow(/300 calls/);
  });
});
