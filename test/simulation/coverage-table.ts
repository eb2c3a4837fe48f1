import { type Coverage, FAULTS, STATES } from './faults.js';

/** Hits of every fault in every state, one row a fault. */
export function coverageTable(coverage: Coverage): string {
  const width = Math.max(...STATES.map((state) => state.length));
  const first = Math.max(...FAULTS.map((fault) => fault.length));
  const row = (name: string, cells: readonly string[]): string =>
    [name.padEnd(first), ...cells.map((cell) => cell.padStart(width))].join('  ');
  return [
    row('', STATES),
    ...FAULTS.map((fault) =>
      row(
        fault,
        STATES.map((state) => String(coverage.hits(fault, state))),
      ),
    ),
  ].join('\n');
}
