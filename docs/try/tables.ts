import type { Matrix } from '../../src/web/index.js';
import { short } from './chart.js';

/** A table with more columns than this is set in a smaller style. */
const READABLE_COLUMNS = 8;
/** The share of the strongest colour in a background. Text must stay readable on it. */
const STRONGEST_PERCENT = 45;

/**
 * Shows a matrix as a table whose cells are coloured by sign and size. Magnitudes of `scale` and more have
 * the strongest colour.
 */
export function showMatrix(body: HTMLElement, { rows, columns, data }: Matrix, scale: number): void {
  body.closest('table')!.classList.toggle('dense', columns > READABLE_COLUMNS);
  body.replaceChildren(
    ...Array.from({ length: rows }, (_, i) => {
      const row = document.createElement('tr');
      for (let j = 0; j < columns; j++) {
        const value = data[i * columns + j];
        const cell = document.createElement('td');
        cell.textContent = short(value);
        cell.title = `row ${i + 1}, column ${j + 1}: ${short(value)}`;
        const percent = STRONGEST_PERCENT * Math.min(1, Math.abs(value) / scale);
        const colour = value < 0 ? 'var(--below)' : 'var(--above)';
        cell.style.backgroundColor = `color-mix(in oklab, ${colour} ${percent.toFixed(1)}%, transparent)`;
        row.append(cell);
      }
      return row;
    }),
  );
}

/** Shows the solution: one row per unknown. */
export function showSolution(
  body: HTMLElement,
  x: Float64Array,
  standardError: Float64Array,
  exact: Float64Array,
): void {
  body.replaceChildren(
    ...Array.from(x, (value, i) => {
      const row = document.createElement('tr');
      const name = document.createElement('th');
      name.scope = 'row';
      name.textContent = `x${i + 1}`;
      row.append(name);
      for (const text of [value.toFixed(5), standardError[i].toPrecision(1), exact[i].toFixed(5)]) {
        const cell = document.createElement('td');
        cell.textContent = text.replace('-', '−');
        row.append(cell);
      }
      return row;
    }),
  );
}
