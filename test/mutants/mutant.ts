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
  /** From the root of the project. */
  readonly file: string;
  /** The text of that file that is replaced. It occurs there exactly once. */
  readonly find: string;
  readonly replacement: string;
  /** What is wrong with the numbers then, in one sentence. */
  readonly meaning: string;
  /** Files and folders, from the root, whose tests are to find it. */
  readonly tests: readonly string[];
}
