/**
 * One deliberate small change of the results that the product computes. Tests must fail with it.
 */
export interface Mutant {
  readonly id: string;
  /**
   * `survivors`: mutants that no test found at first. Tests that find them were written afterwards. `fresh`,
   * `second`, `third` and `fourth`: each set is by another author, who had read the sources but not the
   * tests.
   */
  readonly set: 'survivors' | 'fresh' | 'second' | 'third' | 'fourth';
  /** Path of the changed file, relative to the root of the project. */
  readonly file: string;
  /** The text to be replaced. It occurs exactly once in the file. */
  readonly find: string;
  readonly replacement: string;
  /** The error that the mutant causes in the results, in short sentences. */
  readonly meaning: string;
  /** Files and folders, relative to the root, whose tests should find the mutant. */
  readonly tests: readonly string[];
}
