import { UINT32 } from '../../firmware-protocol/philox.js';
import { drawWords } from '../imperfections/die-draws.js';
import { type DynamicFault, FAULT_DRAWS, FAULTS } from '../imperfections/faults.js';
import type { Damage, DieInfo, Fault } from '../imperfections/imperfection.js';
import { effectsOn } from '../imperfections/table.js';
import { heatAfter } from '../imperfections/thermal-drift.js';
import { type Die, dieInfo } from './die.js';

/**
 * What is broken on a board, and how many ticks it has run (device-model.md, "Imperfections" and "Faults on
 * demand"). Imperfections break parts from the start; the die's list breaks more parts at set ticks. A reset
 * mends nothing.
 */
export class BoardFaults implements Damage {
  ticks = 0;
  /** The number of faults that have happened. */
  changes = 0;
  readonly cellStates: Uint8Array;
  readonly stuckCodes = new Map<number, number>();
  warmingSince: number | undefined;
  readonly #info: DieInfo;
  /** Faults to come, sorted by their tick. */
  readonly #ahead: { fault: DynamicFault; words: Uint32Array }[];

  constructor(die: Die) {
    const info = dieInfo(die);
    this.#info = info;
    this.cellStates = new Uint8Array(info.cells);
    for (const { effect, magnitudes, measured } of effectsOn(die.profile))
      effect.breaks?.(magnitudes, info, this, measured);
    this.#ahead = (die.faults ?? []).map((fault, line) => {
      const words = new Uint32Array(2);
      drawWords(die.dieSeed, FAULT_DRAWS.dynamicFault, line, words);
      return { fault, words };
    });
    this.#ahead.sort((a, b) => a.fault.atTick - b.fault.atTick);
    this.pass(0);
  }

  /** Whether anything is broken on this board or will break. */
  get any(): boolean {
    return (
      this.changes > 0 || this.#ahead.length > 0 || this.stuckCodes.size > 0 || this.cellStates.some(Boolean)
    );
  }

  /** Ticks until the next thing breaks, or Infinity. */
  get ticksToNext(): number {
    return this.#ahead.length === 0 ? Number.POSITIVE_INFINITY : this.#ahead[0].fault.atTick - this.ticks;
  }

  /** The rise of the sensor's temperature since the start, mK. */
  get heatMillikelvin(): number {
    return this.warmingSince === undefined ? 0 : heatAfter(this.ticks - this.warmingSince);
  }

  /** Ticks that may pass before the supply fails, or Infinity. */
  get ticksToBrownOut(): number {
    const next = this.#ahead.find(({ fault }) => isBrownOut(fault));
    return next ? Math.max(0, next.fault.atTick - this.ticks) : Number.POSITIVE_INFINITY;
  }

  /** Whether the supply has failed and the board has not restarted yet. */
  get brownOutDue(): boolean {
    return this.#ahead.length > 0 && this.#isDueBrownOut(this.#ahead[0].fault);
  }

  /** Removes the brown-outs that are due, because the board restarts now. */
  restart(): void {
    while (this.brownOutDue) this.#ahead.shift();
    this.pass(0);
  }

  /**
   * Counts ticks that have passed, and breaks the parts that are due by then. After a brown-out nothing
   * breaks before the restart.
   */
  pass(ticks: number): void {
    this.ticks += ticks;
    while (this.#ahead.length > 0 && this.#ahead[0].fault.atTick <= this.ticks && !this.brownOutDue) {
      const { fault, words } = this.#ahead.shift()!;
      this.#happen(fault, words);
      this.changes++;
    }
  }

  #isDueBrownOut({ kind, atTick }: DynamicFault): boolean {
    return isBrownOut({ kind }) && atTick <= this.ticks;
  }

  /**
   * Word `which` chooses the cell if the list names no cell. Word `how` chooses the way in which it breaks.
   */
  #happen({ kind, cell }: DynamicFault, [which, how]: Uint32Array): void {
    const { cells } = this.#info;
    const fault: Fault = FAULTS[kind];
    const index = cell ?? Math.floor((which * cells) / UINT32);
    if (fault.isOfCell && index >= cells)
      throw new RangeError(`bug: a fault of cell ${index} on a board of ${cells}`);
    fault.happens?.(this, this.#info, index, how);
  }
}

function isBrownOut({ kind }: Pick<DynamicFault, 'kind'>): boolean {
  const fault: Fault = FAULTS[kind];
  return fault.restarts === true;
}
