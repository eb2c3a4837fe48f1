import { gaussHermite } from '../../linalg/gauss-hermite.js';
import type { Equation, Points } from './equation.js';
import { cellCentres, gridWithEdges, onSides } from './points.js';

const QUADRATURE_NODES = 100;
/**
 * The least and the largest viscosity for which the quadrature of `burgersSolution` has an error of at most
 * 10⁻⁶.
 */
export const VISCOSITY_RANGE = [0.001, 0.5] as const;

/** The parts of Burgers' problem that can be chosen. */
export interface BurgersParts {
  /** ν, dimensionless, 0.001 to 0.5. Default 0.1. With a smaller ν the solution is steeper at x = 0. */
  readonly viscosity?: number;
  /** Number of points inside along t, and along x: grid² points in all, 1 ≤ grid ≤ 200. Default 25. */
  readonly grid?: number;
  /** Number of points at t = 0, and also at each of x = −1 and x = 1, 1 to 200. Default 43. */
  readonly boundaryCount?: number;
}

/**
 * u_t + u u_x = ν u_xx for t in [0, 1] and x in [−1, 1], u(0, x) = −sin πx, and u = 0 at x = ±1. Coordinates
 * are (t, x). The solution is the integral of Cole and Hopf, computed by Gauss–Hermite quadrature. Source:
 * Basdevant et al., "Spectral and finite difference solutions of the Burgers equation", 1986.
 */
export function burgers(parts: BurgersParts = {}): Equation {
  const { viscosity = 0.1, grid = 25, boundaryCount = 43 } = parts;
  return {
    name: 'burgers',
    settings: { equation: 'burgers', viscosity, grid, boundaryCount },
    dimensions: 2,
    along: [0, 1],
    interior: stretched(cellCentres(grid)),
    boundary: stretched(
      onSides(boundaryCount, [
        [0, 0],
        [1, 0],
        [1, 1],
      ]),
    ),
    boundaryWeight: 3,
    hidden: [12, 12],
    start: 'glorot',
    residual(_index, jet, partials) {
      partials.value = jet.first[1];
      partials.first[0] = 1;
      partials.first[1] = jet.value;
      partials.second[0] = 0;
      partials.second[1] = -viscosity;
      return jet.first[0] + jet.value * jet.first[1] - viscosity * jet.second[1];
    },
    exact: burgersSolution(viscosity),
    drawnLines: [0, 0.25, 0.5, 1].map((t) => ({ name: `t = ${t}`, from: [t, -1], to: [t, 1] })),
    lineAxis: 'x',
    test: () => stretched(gridWithEdges(80)),
  };
}

/** The same points, with the second coordinate x mapped from [0, 1] to [−1, 1]. */
function stretched({ count, coordinates }: Points): Points {
  return { count, coordinates: coordinates.map((value, i) => (i % 2 === 1 ? 2 * value - 1 : value)) };
}

/**
 * u(t, x) = −∫ sin(πy) φ e^(−s²) ds / ∫ φ e^(−s²) ds with y = x − s √(4νt) and
 * φ = e^(−cos(πy)/(2πν)).
 */
function burgersSolution(viscosity: number): Equation['exact'] {
  const { nodes, weights } = gaussHermite(QUADRATURE_NODES);
  return (points, start) => {
    const width = Math.sqrt(4 * viscosity * points[start]);
    let above = 0;
    let below = 0;
    for (let k = 0; k < nodes.length; k++) {
      const y = Math.PI * (points[start + 1] - width * nodes[k]);
      // The additional factor e^(−1/(2πν)) keeps the exponent at most 0. It cancels in the quotient.
      const weight = weights[k] * Math.exp(-(Math.cos(y) + 1) / (2 * Math.PI * viscosity));
      above += weight * Math.sin(y);
      below += weight;
    }
    return -above / below;
  };
}
