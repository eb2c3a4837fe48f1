import type { DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import type { LinearSystem } from '../linalg/linear-system.js';

/** 2³⁰ ticks are 34 s on a board with τ = 1 µs and h = τ/32, and hours in an emulator. */
const TICKS_MAX = 2 ** 30;

/** Refuses a system that this board has no array for: TOO_LARGE naming both sizes, UNSUPPORTED for the mode. */
export function refuseTooLarge(system: LinearSystem, identity: DeviceIdentity): void {
  const isDense = system.kind === 'dense';
  if (isDense ? !identity.hasDense : !identity.hasFactored) {
    throw new ThermolinkError('UNSUPPORTED', `The board ${identity.model} has no ${system.kind} couplings.`, {
      hint: isDense
        ? 'Choose a board with N×N couplings, for example emulator:ideal-64.'
        : 'Choose a board with a crossbar, for example emulator:ideal-crossbar.',
      data: { model: identity.model, kind: system.kind },
    });
  }
  const { rows, columns } = isDense ? system.matrix : system.factor;
  const rowsMax = isDense ? identity.cells : identity.rows;
  if (columns <= identity.cells && rows <= rowsMax) return;
  throw new ThermolinkError(
    'TOO_LARGE',
    `The system has ${columns} unknowns${isDense ? '' : ` and a factor of ${rows} rows`}; ` +
      `the board ${identity.model} has ${identity.cells} cells${isDense ? '' : ` and ${identity.rows} rows`}.`,
    {
      hint: 'Choose a larger board, or cut the problem into blocks that fit.',
      data: { unknowns: columns, rows, cells: identity.cells, boardRows: rowsMax },
    },
  );
}

/** Refuses a board run that nobody would wait for: UNSUPPORTED. */
export function refuseTooLong(ticks: number, ticksMax = TICKS_MAX): void {
  if (ticks <= ticksMax) return;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `One run would take ${ticks.toExponential(1)} ticks; the limit is ${ticksMax.toExponential(1)}.`,
    {
      hint: 'Its slowest mode is too slow for its stiffest: add damping (A + λI), precondition, or shorten the time.',
      data: { ticks, ticksMax },
    },
  );
}
