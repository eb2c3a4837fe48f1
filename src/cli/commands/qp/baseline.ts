import { objectiveOf } from '../../../algorithms/qp/kkt.js';
import { ThermolinkError } from '../../../errors.js';
import { matVec, normInf } from '../../../linalg/products.js';
import type { QuadraticProgram } from '../../../linalg/quadratic-program.js';

/** quadprog needs P positive definite, so this share of its largest entry is added to the diagonal. */
const RIDGE = 1e-9;
const RUNS = 3;

/** The result of the package quadprog in this process. */
export interface Baseline {
  /** The reason why quadprog found no solution; empty if it found one. */
  readonly message: string;
  /** ½xᵀPx + qᵀx + c, in the units of the program. */
  readonly objective: number;
  /** max(l − Ax, Ax − u, 0) over 1 + max |Ax|, a ratio. */
  readonly primal: number;
  /** The shortest of three runs. */
  readonly seconds: number;
}

/**
 * Solves a program by quadprog (Goldfarb and Idnani's dual active set method) for comparison. Errors:
 * MISSING_PACKAGE.
 */
export async function quadprogBaseline(program: QuadraticProgram): Promise<Baseline> {
  const { solveQP } = await loadQuadprog();
  let seconds = Infinity;
  let found: ReturnType<typeof solveQP> = { solution: [], message: '' };
  for (let run = 0; run < RUNS; run++) {
    const { dmat, dvec, amat, bvec, meq } = inQuadprogsForm(program);
    const begun = performance.now();
    found = solveQP(dmat, dvec, amat, bvec, meq);
    seconds = Math.min(seconds, (performance.now() - begun) / 1e3);
  }
  const { constraints, lower, upper } = program;
  const x = Float64Array.from(found.solution.slice(1));
  const image = matVec(constraints, x);
  const violation = image.reduce((most, value, i) => Math.max(most, lower[i] - value, value - upper[i]), 0);
  return {
    message: found.message,
    objective: objectiveOf(program, x),
    primal: violation / (1 + normInf(image)),
    seconds,
  };
}

async function loadQuadprog(): Promise<typeof import('quadprog')['default']> {
  try {
    return (await import('quadprog')).default;
  } catch (cause) {
    throw new ThermolinkError(
      'MISSING_PACKAGE',
      'The package quadprog, which the baseline needs, does not load.',
      {
        cause,
        hint: 'Run `npm install quadprog`, or leave the baseline out.',
        data: { package: 'quadprog' },
      },
    );
  }
}

/** Matrices whose rows and columns begin at 1; equalities come first. */
function inQuadprogsForm({ hessian, linear, constraints, lower, upper }: QuadraticProgram) {
  const n = linear.length;
  const ridge = RIDGE * (normInf(hessian.data) || 1);
  const dmat: number[][] = [[]];
  for (let i = 0; i < n; i++) {
    const row = [...hessian.data.subarray(i * n, (i + 1) * n)];
    row[i] += ridge;
    dmat.push([0, ...row]);
  }
  const sides: { readonly row: number; readonly sign: number; readonly bound: number }[] = [];
  const equalities = [...lower.keys()].filter((row) => lower[row] === upper[row]);
  for (const row of equalities) sides.push({ row, sign: 1, bound: lower[row] });
  for (let row = 0; row < lower.length; row++) {
    if (lower[row] === upper[row]) continue;
    if (lower[row] > -Infinity) sides.push({ row, sign: 1, bound: lower[row] });
    if (upper[row] < Infinity) sides.push({ row, sign: -1, bound: -upper[row] });
  }
  const amat: number[][] = [[]];
  for (let i = 0; i < n; i++)
    amat.push([0, ...sides.map(({ row, sign }) => sign * constraints.data[row * n + i])]);
  return {
    dmat,
    dvec: [0, ...linear].map((value) => -value),
    amat,
    bvec: [0, ...sides.map(({ bound }) => bound)],
    meq: equalities.length,
  };
}
