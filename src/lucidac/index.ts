/**
 * LUCIDAC, a commercial analog computer, as a solver of small systems
 * ([how](https://github.com/thermolink/thermolink/blob/main/docs/how-to/lucidac.md)).
 *
 * @module thermolink/lucidac
 */
export type { MachineFacts, MachinePart } from './entity-tree.js';
export { type Lucidac, type OpenLucidacOptions, openLucidac } from './lucidac.js';
export { createLucidacSolver, type LucidacSolver } from './lucidac-solver.js';
export type { LucidacRelaxResult } from './relax.js';
