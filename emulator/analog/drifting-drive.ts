import { clamp } from '../../firmware-protocol/fixed-point.js';
import { type BoardFaults, CELL_STATE } from './board-faults.js';
import type { Die } from './die.js';
import { DIE_DRAW, drawGaussians } from './die-draws.js';
import { largestDrive } from './drive-dac.js';
import type { EffectiveProgram } from './effective-program.js';
import { GAIN_LOG2, ppmSpreadOf, roundDivide, scaled, UNIT_GAIN } from './gain.js';
import { OCTAVES_ROOT, SEGMENT_TICKS, sharedSlowNoise, slowNoise } from './slow-noise.js';

const VOLTAGE_LOG2 = 24;
/** Thermal drift as a fault: segments that it takes, and where it ends. Assumed. */
const WARMING_SEGMENTS = 64;
const WARM_GAIN_PPM = 20000;
const WARM_OFFSET_PPM = 5000;

/** Drives that wander: e_i·(1 + drift) + flicker_i, held for a segment of ticks, and what a warming die adds. */
export class DriftingDrive {
  readonly #die: Die;
  readonly #faults: BoardFaults;
  readonly #largest: number;
  /** The last result and what it is of. */
  #last:
    | { from: Int32Array; runSeed: number; segment: number; warmth: number; drive: Int32Array }
    | undefined;

  constructor(die: Die, faults: BoardFaults) {
    this.#die = die;
    this.#faults = faults;
    this.#largest = largestDrive(die);
  }

  /** Whether any drive wanders now. */
  get any(): boolean {
    const { effects } = this.#die.profile;
    return effects?.drift != null || effects?.flicker != null || this.#faults.warmingSince !== undefined;
  }

  /** Ticks for which what `at` returns holds. */
  ticksToChange(tick: number): number {
    const { warmingSince, ticks } = this.#faults;
    const ofRun = SEGMENT_TICKS - (tick % SEGMENT_TICKS);
    if (warmingSince === undefined) return ofRun;
    return Math.min(ofRun, SEGMENT_TICKS - ((ticks - warmingSince) % SEGMENT_TICKS));
  }

  /** The drives of the segment that holds `tick`; the same array while nothing has changed. */
  at(program: EffectiveProgram, tick: number, runSeed: number): Int32Array {
    const segment = Math.floor(tick / SEGMENT_TICKS);
    const warmth = this.#warmth();
    const last = this.#last;
    if (last && last.from === program.drive && last.runSeed === runSeed)
      if (last.segment === segment && last.warmth === warmth) return last.drive;
    const drive = this.#compute(program, segment, runSeed, warmth);
    this.#last = { from: program.drive, runSeed, segment, warmth, drive };
    return drive;
  }

  /** 0…WARMING_SEGMENTS. */
  #warmth(): number {
    const { warmingSince, ticks } = this.#faults;
    if (warmingSince === undefined) return 0;
    return Math.min(WARMING_SEGMENTS, 1 + Math.floor((ticks - warmingSince) / SEGMENT_TICKS));
  }

  #compute({ drive, cells }: EffectiveProgram, segment: number, runSeed: number, warmth: number): Int32Array {
    const { profile, dieSeed } = this.#die;
    const { drift, flicker } = profile.effects ?? {};
    const shared = drift ? sharedSlowNoise(dieSeed, runSeed, segment) : 0;
    const own = flicker ? slowNoise(dieSeed, runSeed, segment, cells) : undefined;
    const warm = warmth > 0 ? drawGaussians(dieSeed, DIE_DRAW.thermalOffset, 0, cells + 1) : undefined;
    const part = (value: number, count: number, of: number) => roundDivide(value * count, of);
    let gain = UNIT_GAIN;
    if (drift) gain += part(ppmSpreadOf(drift.spreadPpm, shared, GAIN_LOG2), 1, OCTAVES_ROOT);
    // Which way the reference goes is the sign of the draw after the last cell's.
    if (warm) {
      const full = roundDivide(WARM_GAIN_PPM * UNIT_GAIN, 1000000);
      gain += part(warm[cells] < 0 ? -full : full, warmth, WARMING_SEGMENTS);
    }
    const { cellStates } = this.#faults;
    return drive.map((e, i) => {
      if (cellStates[i] !== CELL_STATE.sound) return e;
      const wandered = own ? part(ppmSpreadOf(flicker!.spreadPpm, own[i], VOLTAGE_LOG2), 1, OCTAVES_ROOT) : 0;
      const warmed = warm
        ? part(ppmSpreadOf(WARM_OFFSET_PPM, warm[i], VOLTAGE_LOG2), warmth, WARMING_SEGMENTS)
        : 0;
      return clamp(scaled(e, gain) + wandered + warmed, -this.#largest, this.#largest);
    });
  }
}
