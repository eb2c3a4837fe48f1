import { clamp } from '../../firmware-protocol/clamp.js';
import { scaled, UNIT_GAIN } from '../imperfections/gain.js';
import { CELL_STATE, type DieInfo, type Wandering } from '../imperfections/imperfection.js';
import { SEGMENT_TICKS } from '../imperfections/slow-noise.js';
import { effectsOn } from '../imperfections/table.js';
import { addWarmth, warmthAfter } from '../imperfections/thermal-drift.js';
import type { BoardFaults } from './board-faults.js';
import { type Die, dieInfo } from './die.js';
import { largestDrive } from './drive-dac.js';
import type { EffectiveProgram } from './effective-program.js';

type Wander = (wandering: Wandering, runSeed: number, segment: number) => void;

/**
 * Drives that wander: e_i·gain + offset_i, held for a segment of ticks (device-model.md, "Imperfections").
 * The imperfections of the die and its warming add to gain and offsets.
 */
export class DriftingDrive {
  readonly #info: DieInfo;
  readonly #faults: BoardFaults;
  readonly #largest: number;
  readonly #effects: readonly Wander[];
  /** The last result, and the inputs that it was computed from. */
  #last:
    | { from: Int32Array; runSeed: number; segment: number; warmth: number; drive: Int32Array }
    | undefined;

  constructor(die: Die, faults: BoardFaults) {
    const info = dieInfo(die);
    this.#info = info;
    this.#faults = faults;
    this.#largest = largestDrive(die);
    this.#effects = effectsOn(die.profile).flatMap(
      ({ effect, magnitudes }) => effect.wanders?.(magnitudes, info) ?? [],
    );
  }

  /** Whether any drive wanders now. */
  get any(): boolean {
    return this.#effects.length > 0 || this.#faults.warmingSince !== undefined;
  }

  /** Number of ticks for which the result of `at` is valid. */
  ticksToChange(tick: number): number {
    const { warmingSince, ticks } = this.#faults;
    const ofRun = SEGMENT_TICKS - (tick % SEGMENT_TICKS);
    if (warmingSince === undefined) return ofRun;
    return Math.min(ofRun, SEGMENT_TICKS - ((ticks - warmingSince) % SEGMENT_TICKS));
  }

  /** The drives of the segment that holds `tick`. It returns the same array while nothing has changed. */
  at(program: EffectiveProgram, tick: number, runSeed: number): Int32Array {
    const { warmingSince, ticks } = this.#faults;
    const segment = Math.floor(tick / SEGMENT_TICKS);
    const warmth = warmingSince === undefined ? 0 : warmthAfter(ticks - warmingSince);
    const last = this.#last;
    if (last && last.from === program.drive && last.runSeed === runSeed)
      if (last.segment === segment && last.warmth === warmth) return last.drive;
    const drive = this.#compute(program, segment, runSeed, warmth);
    this.#last = { from: program.drive, runSeed, segment, warmth, drive };
    return drive;
  }

  /** Drives of broken cells stay as they are. */
  #compute({ drive, cells }: EffectiveProgram, segment: number, runSeed: number, warmth: number): Int32Array {
    const wandering = { gain: UNIT_GAIN, offsets: new Float64Array(cells) };
    for (const wander of this.#effects) wander(wandering, runSeed, segment);
    if (warmth > 0) addWarmth(wandering, this.#info, warmth);
    const { cellStates } = this.#faults;
    return drive.map((e, i) =>
      cellStates[i] === CELL_STATE.sound
        ? clamp(scaled(e, wandering.gain) + wandering.offsets[i], -this.#largest, this.#largest)
        : e,
    );
  }
}
