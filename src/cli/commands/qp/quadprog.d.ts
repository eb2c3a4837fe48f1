/** Goldfarb and Idnani's method; indices begin at 1, as in Fortran. The package has no types of its own. */
declare module 'quadprog' {
  const quadprog: {
    /** min ½xᵀDx − dᵀx, Aᵀx ≥ b, the first `meq` rows as equalities. */
    solveQP(
      dmat: number[][],
      dvec: number[],
      amat: number[][],
      bvec: number[],
      meq: number,
    ): { readonly solution: readonly number[]; readonly message: string };
  };
  export default quadprog;
}
