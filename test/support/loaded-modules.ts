import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../repository/files.js';

/** Appends the URL of every ECMAScript module that is loaded to the file that LOADED_MODULES names. */
const HOOKS = `
import { appendFileSync } from 'node:fs';
export async function load(url, context, nextLoad) {
  appendFileSync(process.env.LOADED_MODULES, url + '\\n');
  return nextLoad(url, context);
}`;
const dataUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
const REGISTER = dataUrl(
  `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(HOOKS))});`,
);

/**
 * Runs a script in a Node process of its own and returns the modules that it loaded: files by their path in
 * the repository, and built-in modules as `node:fs`.
 */
export function loadedModules(script: string, ...args: string[]): string[] {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
  const list = path.join(directory, 'modules');
  try {
    const env = { ...process.env, LOADED_MODULES: list };
    const { status, stderr } = spawnSync(process.execPath, ['--import', REGISTER, script, ...args], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script} ${args.join(' ')}: exit code ${status}: ${stderr}`);
    const root = `${pathToFileURL(ROOT).href}/`;
    return readFileSync(list, 'utf8')
      .trim()
      .split('\n')
      .map((url) => (url.startsWith(root) ? url.slice(root.length) : url));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
