const SHOWN_MAX = 8;

/** `cell 3`, `cells 0, 5`, `cells 0, 1, …, 7 and 12 more`: of `count`, of which at least the first few are given. */
export function cellList(cells: readonly number[], count = cells.length): string {
  const shown = cells.slice(0, SHOWN_MAX);
  const more = count > shown.length ? ` and ${count - shown.length} more` : '';
  return `${count === 1 ? 'cell' : 'cells'} ${shown.join(', ')}${more}`;
}
