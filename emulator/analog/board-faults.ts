import type { Die } from './die.js';
import { DIE_DRAW, type DieDraw, drawWords } from './die-draws.js';
import { CELL_FAULTS, type DynamicFault } from './dynamic-fault.js';

const UINT32 = 4294967296;
const MILLION = 1000000;

/** What a cell does. */
export const CELL_STATE = { sound: 0, dead: 1, atUpperRail: 2, atLowerRail: 3 } as const;

/**
 * What is broken on a board, and how long it has run: what it was made with and what its die's list says. It outlives
 * resets, as a board does.
 */
export class BoardFaults {
  /** Ticks run since the board was made. */
  ticks = 0;
  /** Grows with everything that breaks. */
  changes = 0;
  /** CELL_STATE of every cell. */
  readonly cellStates: Uint8Array;
  /** The code of a stuck ADC channel by its cell. */
  readonly stuckCodes = new Map<number, number>();
  /** When the die began to warm. */
  warmingSince: number | undefined;
  readonly #die: Die;
  /** By the time they happen. */
  readonly #ahead: { fault: DynamicFault; words: Uint32Array }[];

  constructor(die: Die) {
    const { cells, effects, measured } = die.profile;
    this.#die = die;
    this.cellStates = new Uint8Array(cells);
    const broken = (draw: DieDraw, ppm: number) => drawBroken(die.dieSeed, draw, ppm, cells);
    const dead = measured?.deadCells?.cells ?? broken(DIE_DRAW.deadCell, effects?.deadCells?.sharePpm ?? 0);
    for (const cell of dead) this.cellStates[cell] = CELL_STATE.dead;
    const stuck = measured?.stuckAdcChannels;
    if (stuck) for (const [i, cell] of stuck.cells.entries()) this.stuckCodes.set(cell, stuck.codes[i]);
    else {
      const codes = new Uint32Array(cells);
      drawWords(die.dieSeed, DIE_DRAW.stuckAdcCode, 0, codes);
      for (const cell of broken(DIE_DRAW.stuckAdcChannel, effects?.stuckAdcChannels?.sharePpm ?? 0))
        this.stuckCodes.set(cell, this.#adcCode(codes[cell]));
    }
    this.#ahead = (die.faults ?? []).map((fault, line) => {
      const words = new Uint32Array(2);
      drawWords(die.dieSeed, DIE_DRAW.dynamicFault, line, words);
      return { fault, words };
    });
    this.#ahead.sort((a, b) => a.fault.atTick - b.fault.atTick);
    this.pass(0);
  }

  /** Whether a board of this die ever differs from a sound one in what this class knows. */
  get any(): boolean {
    return (
      this.changes > 0 || this.#ahead.length > 0 || this.stuckCodes.size > 0 || this.cellStates.some(Boolean)
    );
  }

  /** Ticks until the next thing breaks; Infinity: none will. */
  get ticksToNext(): number {
    return this.#ahead.length === 0 ? Number.POSITIVE_INFINITY : this.#ahead[0].fault.atTick - this.ticks;
  }

  /** Ticks that may pass before the supply fails; Infinity: it won't. */
  get ticksToBrownOut(): number {
    const next = this.#ahead.find(({ fault }) => fault.kind === 'brownOut');
    return next ? Math.max(0, next.fault.atTick - this.ticks) : Number.POSITIVE_INFINITY;
  }

  /** The supply has failed and the board has not restarted yet. */
  get brownOutDue(): boolean {
    return this.#ahead.length > 0 && this.#isDueBrownOut(this.#ahead[0].fault);
  }

  /** The board restarts. */
  restart(): void {
    while (this.brownOutDue) this.#ahead.shift();
    this.pass(0);
  }

  /** So many ticks have passed; what is due by then breaks, except that after a brown-out nothing does before the restart. */
  pass(ticks: number): void {
    this.ticks += ticks;
    while (this.#ahead.length > 0 && this.#ahead[0].fault.atTick <= this.ticks && !this.brownOutDue) {
      const { fault, words } = this.#ahead.shift()!;
      this.#happen(fault, words);
      this.changes++;
    }
  }

  #isDueBrownOut({ kind, atTick }: DynamicFault): boolean {
    return kind === 'brownOut' && atTick <= this.ticks;
  }

  #happen({ kind, cell }: DynamicFault, [which, how]: Uint32Array): void {
    const { cells } = this.#die.profile;
    const index = cell ?? Math.floor((which * cells) / UINT32);
    if (CELL_FAULTS.includes(kind) && index >= cells)
      throw new RangeError(`bug: a fault of cell ${index} on a board of ${cells}`);
    if (kind === 'deadCell') this.cellStates[index] = CELL_STATE.dead;
    else if (kind === 'saturatingCell')
      this.cellStates[index] = how & 1 ? CELL_STATE.atUpperRail : CELL_STATE.atLowerRail;
    else if (kind === 'stuckAdcChannel') this.stuckCodes.set(index, this.#adcCode(how));
    else if (kind === 'thermalDrift') this.warmingSince = this.ticks;
  }

  /** A code that a sound channel could give: |v| ≤ 1 V_fs. */
  #adcCode(word: number): number {
    return (word | 0) >> (33 - this.#die.profile.adcBits);
  }
}

function drawBroken(dieSeed: number, draw: DieDraw, sharePpm: number, cells: number): number[] {
  const words = new Uint32Array(cells);
  drawWords(dieSeed, draw, 0, words);
  const limit = Math.floor((sharePpm * UINT32) / MILLION);
  return [...words.keys()].filter((cell) => words[cell] < limit);
}
