import { CELL_STATE } from '../imperfections/imperfection.js';
import type { ArrayState, ArrayTicks } from './array-ticks.js';
import type { BoardFaults } from './board-faults.js';
import { breakCells, breakLines, brokenCells } from './broken-cells.js';
import type { Die } from './die.js';
import { DriftingDrive } from './drifting-drive.js';
import type { EffectiveProgram } from './effective-program.js';
import { PerTickEffects } from './per-tick-effects.js';

type Couplings = Pick<EffectiveProgram, 'forward' | 'transposed'>;

/**
 * Adds to `ticks` the changes that this die makes within a board run. A commit can't include such changes.
 * For a die without such changes it returns `ticks` unchanged.
 */
export function withTimeEffects(die: Die, ticks: ArrayTicks, faults: BoardFaults): ArrayTicks {
  const effects = new PerTickEffects(die);
  const drifting = new DriftingDrive(die, faults);
  const needed =
    (effects.any && !ticks.addsCommonMode) || drifting.any || faults.any || (die.faults ?? []).length > 0;
  return needed ? new ImperfectTicks(die, ticks, faults, effects, drifting) : ticks;
}

/**
 * Ticks of a die that changes while it runs (device-model.md, "Imperfections"). The oracle or the kernel
 * computes stretches of ticks in which nothing changes. Between two stretches this class changes the program
 * or the state, with the same integers for the oracle and the kernel.
 */
class ImperfectTicks implements ArrayTicks {
  readonly state: ArrayState;
  readonly addsCommonMode = true;
  readonly #die: Die;
  readonly #inner: ArrayTicks;
  readonly #faults: BoardFaults;
  readonly #effects: PerTickEffects;
  readonly #drifting: DriftingDrive;
  #changesSeen = 0;
  /** Programs changed for the broken cells, and their changed arrays, which several programs may share. */
  #broken = new WeakMap<EffectiveProgram, EffectiveProgram>();
  #brokenLines = new WeakMap<EffectiveProgram['transposed'], Couplings>();
  /** The program that the inner ticks get, and the program and drive that it was made from. */
  #presented: { from: EffectiveProgram; drive: Int32Array; program: EffectiveProgram } | undefined;

  constructor(
    die: Die,
    inner: ArrayTicks,
    faults: BoardFaults,
    effects: PerTickEffects,
    drifting: DriftingDrive,
  ) {
    this.state = inner.state;
    this.#die = die;
    this.#inner = inner;
    this.#faults = faults;
    this.#effects = effects;
    this.#drifting = drifting;
  }

  advance(
    program: EffectiveProgram,
    ticks: number,
    firstTick: number,
    runSeed: number,
    haltOnOverload: boolean,
  ): number {
    const { cellFlags, rowFlags } = this.state;
    // Flags of earlier ticks would stop this board run. They are therefore put aside until it ends.
    const before = haltOnOverload ? [cellFlags.slice(), rowFlags.slice()] : undefined;
    if (before) clear(cellFlags, rowFlags);
    let done = 0;
    while (done < ticks) {
      done += this.#stretch(program, ticks - done, firstTick + done, runSeed, haltOnOverload);
      if (haltOnOverload && (cellFlags.includes(1) || rowFlags.includes(1))) break;
    }
    if (before) {
      merge(before[0], cellFlags);
      merge(before[1], rowFlags);
    }
    return done;
  }

  /** Passes ticks until something changes, at most `ticks`. Returns how many. */
  #stretch(program: EffectiveProgram, ticks: number, tick: number, runSeed: number, halt: boolean): number {
    const faults = this.#faults;
    if (faults.changes !== this.#changesSeen) this.#takeNote();
    const broken = this.#breakProgram(program);
    const each = !this.#inner.addsCommonMode && this.#effects.concerns(broken);
    // After a brown-out nothing more breaks until the caller restarts the board.
    let count = Math.min(each ? 1 : ticks, faults.brownOutDue ? ticks : faults.ticksToNext);
    if (this.#drifting.any) count = Math.min(count, this.#drifting.ticksToChange(tick));
    const presented = this.#present(broken, tick, runSeed);
    const passed = this.#inner.advance(presented, count, tick, runSeed, halt);
    if (each) this.#effects.apply(broken, this.state, tick, runSeed);
    faults.pass(passed);
    return passed;
  }

  /** Something broke. Programs must be made anew, and a dead cell discharges. */
  #takeNote(): void {
    this.#changesSeen = this.#faults.changes;
    this.#broken = new WeakMap();
    this.#brokenLines = new WeakMap();
    const { v, c, r } = this.state;
    for (let cell = 0; cell < v.length; cell++)
      if (this.#faults.cellStates[cell] === CELL_STATE.dead) v[cell] = c[cell] = r[cell] = 0;
  }

  #breakProgram(program: EffectiveProgram): EffectiveProgram {
    const { cellStates } = this.#faults;
    if (brokenCells(cellStates, program.cells).length === 0) return program;
    const known = this.#broken.get(program);
    if (known) return known;
    const lines = this.#brokenLines.get(program.transposed) ?? breakLines(cellStates, program);
    this.#brokenLines.set(program.transposed, lines);
    const broken = breakCells(this.#die, cellStates, program, lines);
    this.#broken.set(program, broken);
    return broken;
  }

  /** The program with the drives of this segment. Its noise is off if an imperfection makes the noise. */
  #present(program: EffectiveProgram, tick: number, runSeed: number): EffectiveProgram {
    const drive = this.#drifting.any ? this.#drifting.at(program, tick, runSeed) : program.drive;
    const silent = this.#effects.replacesNoise && program.noiseCodeMax !== 0;
    if (drive === program.drive && !silent) return program;
    const last = this.#presented;
    if (last && last.from === program && last.drive === drive) return last.program;
    const noise = silent ? { noiseCodeMin: 0, noiseCodeMax: 0 } : {};
    const presented = { ...program, drive, ...noise };
    this.#presented = { from: program, drive, program: presented };
    return presented;
  }
}

function clear(...flags: Uint8Array[]): void {
  for (const part of flags) part.fill(0);
}

function merge(before: Uint8Array, flags: Uint8Array): void {
  for (let i = 0; i < flags.length; i++) flags[i] |= before[i];
}
