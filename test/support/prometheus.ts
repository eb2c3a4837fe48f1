import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hasProgram } from './programs.js';

export const hasPrometheus = ['prometheus', 'promtool'].every(hasProgram);

const START_MS = 30_000;
const END_MS = 15_000;

/** The complaints of `promtool check metrics` about a text, one line each. */
export function mindedMetrics(text: string): string[] {
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // Exit code 3: the text can be read, but there are complaints.
  if (status !== 0 && status !== 3) throw new Error(`promtool ended with ${status}: ${stderr}`);
  return stderr.split('\n').filter((line) => line !== '');
}

/** A running Prometheus. `query` resolves with the present values of an expression, one for each series. */
export interface Prometheus {
  query(expression: string): Promise<number[]>;
}

/**
 * Runs `work` with a Prometheus whose folder holds `files`, by name; `prometheus.yml` is its configuration.
 * Before that, promtool checks this file and the rules that it names. Prometheus listens on a free port of
 * this machine.
 */
export async function withPrometheus(
  files: Readonly<Record<string, string>>,
  work: (prometheus: Prometheus) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-prometheus-'));
  try {
    for (const [name, text] of Object.entries(files))
      writeFileSync(path.join(directory, name), text, { mode: 0o600 });
    execFileSync('promtool', ['check', 'config', 'prometheus.yml'], { cwd: directory, stdio: 'pipe' });
    const options = ['--config.file=prometheus.yml', '--storage.tsdb.path=data'];
    const child = spawn('prometheus', [...options, '--web.listen-address=127.0.0.1:0'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    try {
      const address = await listeningAddress(child.stderr);
      await work({ query: (expression) => valuesOf(`http://${address}`, expression) });
    } finally {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await ended;
      clearTimeout(timer);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Finds the address in the log. It reads the whole log, because otherwise the pipe would become full. */
function listeningAddress(log: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`Prometheus does not listen:\n${text}`)), START_MS);
    log.setEncoding('utf8');
    log.on('data', (part: string) => {
      text += part;
      const address = /msg="Listening on" address=(\S+)/.exec(text)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    log.on('end', () => reject(new Error(`Prometheus has ended:\n${text}`)));
  });
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function valuesOf(url: string, expression: string): Promise<number[]> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const { status, error, data } = (await response.json()) as Answer;
  if (status !== 'success' || data === undefined) throw new Error(`${expression}: ${error}`);
  return data.result.map(({ value }) => Number(value[1]));
}
