import type { DeviceIdentity, RunReport } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { railOf } from './board-range.js';

/**
 * The error OVERLOAD. It says what happened, which cells and rows the last board run flagged, and the voltage
 * of their rail.
 */
export function overloadError(
  what: string,
  hint: string,
  report: RunReport | undefined,
  identity: DeviceIdentity,
  data: Readonly<Record<string, unknown>>,
): ThermolinkError {
  const {
    overloadedCells = [],
    overloadedCellCount = 0,
    overloadedRows = [],
    overloadedRowCount = 0,
  } = report ?? {};
  const railVolts = railOf(identity);
  const sentences: string[] = [];
  if (overloadedCells.length > 0) {
    const volts = Number(((railVolts * identity.fullScaleMicrovolts) / 1e6).toPrecision(4));
    sentences.push(
      `${cellList(overloadedCells, overloadedCellCount)} stood at the rail of ±${railVolts} V_fs (±${volts} V)`,
    );
  }
  if (overloadedRows.length > 0)
    sentences.push(
      `${cellList(overloadedRows, overloadedRowCount).replace('cell', 'row')} reached the limit of the row amplifiers`,
    );
  const where = sentences.length === 0 ? '' : ` In the last run ${sentences.join('; ')}.`;
  // An unstable system drives several cells to their rails. A defect mostly concerns one cell.
  const isOne = overloadedCellCount === 1 && overloadedRowCount === 0;
  const suspicion = isOne
    ? 'Perhaps the cell is stuck at its rail: `thermolink characterize` shows whether it works. '
    : '';
  return new ThermolinkError('OVERLOAD', `${what}${where}`, {
    hint: suspicion + hint,
    data: {
      ...data,
      overloadedCells,
      overloadedCellCount,
      overloadedRows,
      overloadedRowCount,
      rail: railVolts,
    },
  });
}

const SHOWN_MAX = 8;

/**
 * Text for a list of cells, such as `cell 3`, `cells 0, 5` or `cells 0, 1, …, 7 and 12 more`. `count` is the
 * number of cells; `cells` has at least the first few.
 */
export function cellList(cells: readonly number[], count = cells.length): string {
  const shown = cells.slice(0, SHOWN_MAX);
  const more = count > shown.length ? ` and ${count - shown.length} more` : '';
  return `${count === 1 ? 'cell' : 'cells'} ${shown.join(', ')}${more}`;
}
