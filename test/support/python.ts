import { spawnSync } from 'node:child_process';

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
   * Debian installs packages for Debian's own Python, which may not be the first in the path. The modules are
   * not imported, because NumPy needs a third of a second.
   */
  constructor({ modules, packages, purpose }: Needs) {
    this.program = ['python3', '/usr/bin/python3'].find(
      (program) => spawnSync(program, ['-c', FIND_MODULES, ...modules.split(', ')]).status === 0,
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
