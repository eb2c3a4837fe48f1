import { spawnSync } from 'node:child_process';

/** What is needed of Python: modules, and the packages of Debian that bring them. */
interface Needs {
  readonly modules: string;
  readonly packages: string;
  readonly purpose: string;
}

/** A Python that has what is needed, or what to do to have it. */
export class FoundPython {
  /** Undefined where it is missing. */
  readonly program: string | undefined;
  readonly #missing: string;

  /**
   * Debian installs packages for Debian's own Python, which may not be the first in the path.
   */
  constructor({ modules, packages, purpose }: Needs) {
    this.program = ['python3', '/usr/bin/python3'].find(
      (program) => spawnSync(program, ['-c', `import ${modules}`]).status === 0,
    );
    this.#missing = `no Python with ${modules}: apt-get install ${packages} to run ${purpose}`;
    if (!this.program) console.warn(this.#missing);
  }

  /** What is missing, or undefined. CI must have it: .ci/run installs it. */
  missing(): string | undefined {
    if (this.program) return undefined;
    if (process.env['CI']) throw new Error(this.#missing);
    return this.#missing;
  }
}
