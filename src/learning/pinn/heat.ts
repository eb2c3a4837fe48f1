import type { Equation } from './equation.js';
import { cellCentres, gridWithEdges, onSides } from './points.js';

const DIFFUSIVITY = 0.25;

/**
 * u_t = D u_xx for t and x in [0, 1], D = 1/4, with u given at t = 0 and at both ends; the solution is
 * u = e^(−π²Dt) sin πx. Coordinates are (t, x).
 */
export function heat(n = 20): Equation {
  return {
    name: 'heat',
    settings: { equation: 'heat', diffusivity: DIFFUSIVITY, grid: n },
    dimensions: 2,
    along: [0, 1],
    interior: cellCentres(n),
    boundary: onSides(n, [
      [0, 0],
      [1, 0],
      [1, 1],
    ]),
    boundaryWeight: 3,
    hidden: [48],
    start: 'wide',
    residual(_index, jet, partials) {
      partials.value = 0;
      partials.first[0] = 1;
      partials.first[1] = 0;
      partials.second[0] = 0;
      partials.second[1] = -DIFFUSIVITY;
      return jet.first[0] - DIFFUSIVITY * jet.second[1];
    },
    exact: (points, start) =>
      Math.exp(-(Math.PI ** 2) * DIFFUSIVITY * points[start]) * Math.sin(Math.PI * points[start + 1]),
    drawnLines: [0, 0.25, 0.5, 1].map((t) => ({ name: `t = ${t}`, from: [t, 0], to: [t, 1] })),
    lineAxis: 'x',
    test: () => gridWithEdges(80),
  };
}
