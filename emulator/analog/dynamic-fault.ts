/** What can break while a board works, and what it does. */
export const FAULT_KINDS = {
  deadCell: 'the cell stands at 0 V from then on',
  saturatingCell: 'the cell runs into one of its rails and stays there',
  stuckAdcChannel: 'the ADC of the cell gives one code from then on',
  thermalDrift: 'the drive reference and all offsets wander off within 65,536 ticks',
  brownOut: 'the supply fails for a moment: the board restarts, and what it held is lost',
} as const;
export type FaultKind = keyof typeof FAULT_KINDS;

/** Kinds that happen to one cell. */
export const CELL_FAULTS: readonly FaultKind[] = ['deadCell', 'saturatingCell', 'stuckAdcChannel'];

/** One thing that breaks at a set time, the same on every machine. */
export interface DynamicFault {
  readonly kind: FaultKind;
  /** Ticks that the board has run since it was made; idle time and resets do not count. */
  readonly atTick: number;
  /** Which cell; default: drawn from the die seed. */
  readonly cell?: number;
}
