import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../repository/files.js';

/**
 * Appends "parent child" of every import of an ECMAScript module to the file that LOADED_MODULES names. The
 * first one has no parent.
 */
const HOOKS = `
import { appendFileSync } from 'node:fs';
export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  appendFileSync(process.env.LOADED_MODULES, (context.parentURL ?? '') + ' ' + resolved.url + '\\n');
  return resolved;
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
  return modulesBehind('', importsOf([script, ...args]));
}

/**
 * Imports several modules in one Node process and returns for each what it would load alone. Paths are those
 * in the repository.
 */
export function loadedByEach(scripts: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const urls = scripts.map((script) => pathToFileURL(path.join(ROOT, script)).href);
  const program = urls.map((url) => `await import(${JSON.stringify(url)});`).join('\n');
  const imports = importsOf(['--input-type=module', '-e', program]);
  return new Map(scripts.map((script) => [script, [script, ...modulesBehind(script, imports)]]));
}

/** The modules that each module imports. */
type Imports = ReadonlyMap<string, ReadonlySet<string>>;

/** The imports of a Node process. */
function importsOf(args: readonly string[]): Imports {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
  const list = path.join(directory, 'modules');
  try {
    const env = { ...process.env, LOADED_MODULES: list };
    const { status, stderr } = spawnSync(process.execPath, ['--import', REGISTER, ...args], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${args.join(' ')}: exit code ${status}: ${stderr}`);
    const root = `${pathToFileURL(ROOT).href}/`;
    const inRepository = (url: string) => (url.startsWith(root) ? url.slice(root.length) : url);
    const imports = new Map<string, Set<string>>();
    for (const line of readFileSync(list, 'utf8').trimEnd().split('\n')) {
      const [parent, child] = line.split(' ').map(inRepository);
      imports.set(parent, (imports.get(parent) ?? new Set()).add(child));
    }
    return imports;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** All modules that `first` leads to, without itself. */
function modulesBehind(first: string, imports: Imports): string[] {
  const found = new Set<string>();
  const next = [first];
  for (let parent = next.pop(); parent !== undefined; parent = next.pop())
    for (const to of imports.get(parent) ?? [])
      if (!found.has(to)) {
        found.add(to);
        next.push(to);
      }
  return [...found];
}
