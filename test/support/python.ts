import { spawnSync } from 'node:child_process';
import { hasProgram } from './programs.js';

/**
 * Debian's Python comes first, because Debian installs packages for it. The first Python in the path may be a
 * script of a version manager, which needs half a second to find the real one.
 */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** A Python for scripts without other packages. Undefined if there is none. */
export const PYTHON = PYTHONS.find(hasProgram);

const FIND_MODULES =
  'import sys; from importlib.util import find_spec; sys.exit(None in map(find_spec, sys.argv[1:]))';

/** The needed Python modules, and the packages of Debian that have them. */
interface Needs {
  readonly modules: string;
  readonly packages: string;
  readonly purpose: string;
}

/** A Python with the needed modules, or advice how to get it. */
export class FoundPython {
  /** Undefined if no Python has the modules. */
  readonly program: string | undefined;
  readonly #missing: string;

  /**
   * The modules are only searched, because the import of NumPy takes a third of a second.
   */
  constructor({ modules, packages, purpose }: Needs) {
    this.program = PYTHONS.find(
      (program) =>
        hasProgram(program) && spawnSync(program, ['-c', FIND_MODULES, ...modules.split(', ')]).status === 0,
    );
    this.#missing = `no Python with ${modules}: apt-get install ${packages} to run ${purpose}`;
    if (!this.program) console.warn(this.#missing);
  }

  /** The missing modules, or undefined. CI must have them: .ci/run installs them. */
  missing(): string | undefined {
    if (this.program) return undefined;
    if (process.env['CI']) throw new Error(this.#missing);
    return this.#missing;
  }
}
