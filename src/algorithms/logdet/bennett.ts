/** F_b − F_a of two settings, and the influence of each reading on it. */
export interface FreeEnergyDifference {
  readonly difference: number;
  /** Influence of each reading of setting a on `difference`, to first order; the mean is 0. */
  readonly forwardInfluence: Float64Array;
  /** The same for setting b. */
  readonly reverseInfluence: Float64Array;
}

/** Number of halvings of the bracket: 2⁻⁸⁰ of its width is below the resolution of float64. */
const HALVINGS = 80;

/**
 * Bennett's acceptance ratio. `forward` are the works u_b − u_a of readings at setting a, `reverse` the works
 * u_a − u_b of readings at setting b, in units of the temperature. ΔF solves, with M = ln(n_a/n_b) and the
 * Fermi function f(x) = 1/(1 + eˣ),
 *
 *     Σ_a f(M + W − ΔF) = Σ_b f(−M + W + ΔF).
 *
 * Source: Bennett, J. Comput. Phys. 22 (1976) 245, eq. 12a; maximum likelihood: Shirts et al., Phys. Rev.
 * Lett. 91 (2003) 140601.
 */
export function bennettDifference(forward: Float64Array, reverse: Float64Array): FreeEnergyDifference {
  const m = Math.log(forward.length / reverse.length);
  let low = Infinity;
  let high = -Infinity;
  for (const work of forward) {
    low = Math.min(low, work + m);
    high = Math.max(high, work + m);
  }
  for (const work of reverse) {
    low = Math.min(low, m - work);
    high = Math.max(high, m - work);
  }
  const ratio = Math.abs(m);
  low -= ratio + 1;
  high += ratio + 1;
  const excess = (difference: number): number => {
    let total = 0;
    for (const work of forward) total += fermi(m + work - difference);
    for (const work of reverse) total -= fermi(difference - m + work);
    return total;
  };
  for (let k = 0; k < HALVINGS; k++) {
    const middle = low + (high - low) / 2;
    if (excess(middle) < 0) low = middle;
    else high = middle;
  }
  const difference = low + (high - low) / 2;
  const accepted = forward.map((work) => fermi(m + work - difference));
  const returned = reverse.map((work) => fermi(difference - m + work));
  const slope = [...accepted, ...returned].reduce((total, f) => total + f * (1 - f), 0);
  const byMean = (values: Float64Array, sign: number): Float64Array => {
    const mean = values.reduce((total, value) => total + value, 0) / values.length;
    return values.map((value) => (sign * (value - mean)) / slope);
  };
  return {
    difference,
    forwardInfluence: byMean(accepted, -1),
    reverseInfluence: byMean(returned, 1),
  };
}

function fermi(x: number): number {
  return 1 / (1 + Math.exp(x));
}
