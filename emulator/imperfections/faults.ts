import { brownOut } from './brown-out.js';
import { deadCell } from './dead-cells.js';
import { saturatingCell } from './saturating-cell.js';
import { stuckAdcChannel } from './stuck-adc-channels.js';
import { thermalDrift } from './thermal-drift.js';

/** The faults that a board can have while it works (device-model.md, "Faults on demand"). */
export const FAULTS = { deadCell, saturatingCell, stuckAdcChannel, thermalDrift, brownOut } as const;
/** One of the kinds of faults. */
export type FaultKind = keyof typeof FAULTS;

/**
 * The draws of a fault. Their line is the fault's place in the list. Item 0 chooses the cell, item 1 the way
 * in which it breaks.
 */
export const FAULT_DRAWS = { dynamicFault: 20 };

const kinds = Object.keys(FAULTS) as FaultKind[];

/** What each kind does, for people who choose one. */
export const FAULT_KINDS: Readonly<Record<FaultKind, string>> = Object.fromEntries(
  kinds.map((kind) => [kind, FAULTS[kind].words]),
) as Record<FaultKind, string>;

/** Kinds that happen to one cell. */
export const CELL_FAULTS: readonly FaultKind[] = kinds.filter((kind) => FAULTS[kind].isOfCell);

/** One thing that breaks at a set tick, so the same seed gives the same history on every machine. */
export interface DynamicFault {
  readonly kind: FaultKind;
  /** Ticks that the board has run since it was made; idle time and resets do not count. */
  readonly atTick: number;
  /** Which cell; default: drawn from the die seed. */
  readonly cell?: number;
}
