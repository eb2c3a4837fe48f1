import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mutant } from './mutants.js';

/** The folders of the compiled repository that the simulator needs. */
const PARTS = ['firmware-protocol', 'emulator', 'src', 'test/simulation', 'test/support'];
const TIMEOUT_MS = 300_000;

export interface MutantResult {
  /** First seed that found the bug, or undefined. */
  readonly seed: number | undefined;
  /** The invariant that the bug broke, or another failure. */
  readonly finding: string;
}

/**
 * Simulates seeds with the bug built in, on a copy of the compiled code and in a process of its own. `root`
 * is the compiled repository. Throws when the text that the mutant replaces does not occur exactly once.
 */
export async function runMutant(
  mutant: Pick<Mutant, 'file' | 'find' | 'replace'>,
  root: string,
  seeds: number,
): Promise<MutantResult> {
  const place = mkdtempSync(path.join(tmpdir(), 'thermolink-mutant-'));
  try {
    for (const part of PARTS) {
      mkdirSync(path.dirname(path.join(place, 'dist', part)), { recursive: true });
      cpSync(path.join(root, 'dist', part), path.join(place, 'dist', part), {
        recursive: true,
        filter: (file) => !/\.(d\.ts|map|tsbuildinfo)$/.test(file),
      });
    }
    writeFileSync(path.join(place, 'package.json'), '{"type":"module"}');
    symlinkSync(path.join(root, 'node_modules'), path.join(place, 'node_modules'));
    const file = path.join(place, 'dist', mutant.file);
    const text = readFileSync(file, 'utf8');
    const count = text.split(mutant.find).length - 1;
    if (count !== 1) throw new Error(`${mutant.file} holds ${count} times: ${mutant.find}`);
    writeFileSync(
      file,
      text.replace(mutant.find, () => mutant.replace),
    );
    return await simulated(place, seeds);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function simulated(place: string, seeds: number): Promise<MutantResult> {
  return new Promise((resolve, reject) => {
    const main = path.join(place, 'dist/test/simulation/main.js');
    const child = spawn(process.execPath, [main, '--seeds', String(seeds)], { timeout: TIMEOUT_MS });
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const failed = /^seed (\d+) failed: (.*)$/m.exec(output);
      if (failed) resolve({ seed: Number(failed[1]), finding: failed[2] });
      else
        resolve({
          seed: undefined,
          finding: signal ?? `exit code ${code}: ${output.trim().split('\n').at(-1)}`,
        });
    });
  });
}
