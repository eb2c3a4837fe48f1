import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../support/command-line.js';

let directory: string;
const file = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-qp-'));
  writeFileSync(
    file('p.json'),
    '{"P": [[4,1],[1,2]], "q": [1,1], "A": [[1,1],[1,0],[0,1]], "l": [1,0,0], "u": [1,0.7,0.7]}',
  );
  writeFileSync(
    file('empty.json'),
    '{"P": [[1]], "q": [0], "A": [[1],[1]], "l": [1, null], "u": [null, -1]}',
  );
  writeFileSync(file('concave.json'), '{"P": [[-1]], "q": [0], "A": [[1]], "l": [0], "u": [1]}');
});
afterAll(() => rmSync(directory, { recursive: true }));

test('solves, writes x and draws its residuals', async () => {
  // x = (0.3, 0.7) with the objective 1.88: the example of OSQP's documentation.
  const out = ['--out', file('x.csv'), '--plot', file('r.svg')];
  const { stdout, stderr, exitCode } = await runCommand('qp', '--problem', file('p.json'), ...out);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/status +solved/);
  for (const [, done] of stderr.matchAll(/\((\d+) of 8\)/g)) expect(Number(done)).toBeLessThanOrEqual(8);
  expect(stdout).toMatch(/objective +1\.88/);
  const x = readFileSync(file('x.csv'), 'utf8').trim().split('\n').map(Number);
  expect(x[0]).toBeCloseTo(0.3, 7);
  expect(x[1]).toBeCloseTo(0.7, 7);
  expect(readFileSync(file('r.svg'), 'utf8')).toMatch(/Residuals of p\.json/);
});

test('prints JSON, for a program without a solution too', async () => {
  const { stdout, exitCode } = await runCommand('qp', '--problem', file('empty.json'), '--json');
  expect(exitCode).toBe(0);
  const { status, certificate } = JSON.parse(stdout);
  expect(status).toBe('primalInfeasible');
  expect(certificate.value).toBeLessThan(0);
});

test('takes a method, and runs quadprog beside it', async () => {
  const given = ['qp', '--problem', file('p.json'), '--baseline'];
  const { stdout } = await runCommand(...given, '--method', 'ipm');
  expect(stdout).toMatch(/interior-point iterations +\d/);
  expect(stdout).toMatch(/quadprog on the host +objective 1\.88/);
  const { method, baseline, objective } = JSON.parse((await runCommand(...given, '--json')).stdout);
  expect(method).toBe('admm');
  expect(baseline.objective).toBeCloseTo(objective, 8);
  expect(baseline.primal).toBeLessThan(1e-12);
  const wrong = await runCommand(...given, '--method', 'box');
  expect(wrong.exitCode).not.toBe(0);
  expect(wrong.stderr).toMatch(/row 0 of the constraints has more entries than one/);
});

test('tells the result of the rails if the polish continues', async () => {
  // The system is strongly coupled. Errors of half a percent in couplings therefore move its rest point far.
  const size = 8;
  const entries = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (__, j) => (i === j ? 1.002 : 1)),
  );
  const ones = Array.from({ length: size }, () => 1);
  const identity = ones.map((_, i) => ones.map((__, j) => (i === j ? 1 : 0)));
  const q = ones.map((_, i) => -1 - 0.001 * i);
  writeFileSync(
    file('box.json'),
    JSON.stringify({ P: entries, q, A: identity, l: ones.map(() => 0), u: ones }),
  );
  const given = ['qp', '--problem', file('box.json'), '--device', 'emulator:prototype-8'];
  const { stdout } = await runCommand(...given);
  expect(stdout).toMatch(/status +solved/);
  expect(stdout).toMatch(/rails +stopped after \d+ levels? at a residual of \S+; the polish/);
});

test('refuses a program that is not convex, and a missing file', async () => {
  const concave = await runCommand('qp', '--problem', file('concave.json'), '--out', file('none.csv'));
  expect(concave.stderr).toMatch(/negative eigenvalue/);
  expect(concave.exitCode).not.toBe(0);
  expect(existsSync(file('none.csv'))).toBe(false);
  const missing = await runCommand('qp', '--problem', file('missing.qps'));
  expect(missing.stderr).toMatch(/does not exist/);
});
