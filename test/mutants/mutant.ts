/**
 * One small change of what the product computes, made on purpose. Tests must fail with it.
 */
export interface Mutant {
  readonly id: string;
  /**
   * `survivors`: it once passed the whole test suite, so tests were written against its kind. `fresh`,
   * `second`, `third` and `fourth`: written by four people who had read the sources and not the tests, one
   * after the other.
   */
  readonly set: 'survivors' | 'fresh' | 'second' | 'third' | 'fourth';
  /** Path of the changed file, relative to the root of the project. */
  readonly file: string;
  /** The text to be replaced. It occurs exactly once in the file. */
  readonly find: string;
  readonly replacement: string;
  /** The error that the mutant makes in the numbers, in one sentence. */
  readonly meaning: string;
  /** Files and folders, relative to the root, whose tests should find the mutant. */
  readonly tests: readonly string[];
}
