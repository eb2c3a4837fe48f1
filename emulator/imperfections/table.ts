import { adc } from './adc.js';
import { commonModeNoise } from './common-mode-noise.js';
import { couplingMismatch } from './coupling-mismatch.js';
import { crosstalk } from './crosstalk.js';
import { deadCells } from './dead-cells.js';
import { drift } from './drift.js';
import { driveConverter } from './drive-converter.js';
import { flicker } from './flicker.js';
import type { Imperfection, IntegerRules, ListRules, Lists, Magnitudes, NoLists } from './imperfection.js';
import { inputOffset } from './input-offset.js';
import { leakage } from './leakage.js';
import { noiseColour } from './noise-colour.js';
import { noiseMismatch } from './noise-mismatch.js';
import { rowGain } from './row-gain.js';
import { rowOffset } from './row-offset.js';
import { softSaturation } from './soft-saturation.js';
import { stuckAdcChannels } from './stuck-adc-channels.js';
import { timeConstantMismatch } from './time-constant-mismatch.js';

/**
 * Every effect that a board can have, in the order of device-model.md. Commit and tick walk through this
 * table: effects that have the same hook act in its order.
 */
export const IMPERFECTIONS = {
  /** The gain of every crosspoint. The forward and the transposed array have separate draws. */
  couplingMismatch,
  /** 1/τ of every cell. Fluctuation and dissipation change together, so equilibria do not change. */
  timeConstantMismatch,
  /** Amplitude of every cell's noise: noise temperatures differ. */
  noiseMismatch,
  /** A constant error of every cell's drive, which is added to the drive of the program. */
  inputOffset,
  /** A conductance from every cell to ground. */
  leakage,
  driveConverter,
  adc,
  /** The currents that a cell's line of the array picks up from the lines beside it. */
  crosstalk,
  /** The error of every row amplifier's gain in a factored array. */
  rowGain,
  /** The error of every row amplifier's output, which is added to the output. */
  rowOffset,
  /** Beyond a knee each tick pulls the cell's voltage back, before it reaches the rail. */
  softSaturation,
  /** Noise that is correlated from one tick to the next. */
  noiseColour,
  /** Noise that is the same in all cells, up to the noise amplitude of each cell. */
  commonModeNoise,
  /** The drive reference wanders with the temperature of the die. */
  drift,
  /** 1/f noise: the offset of every cell wanders, and large changes take longer. */
  flicker,
  /** Cells that stand at 0 V for ever. */
  deadCells,
  /** ADC channels that always give the same code. */
  stuckAdcChannels,
} as const;

type Table = typeof IMPERFECTIONS;
export type EffectName = keyof Table;
type MagnitudesOf<I> = I extends Imperfection<infer M, infer _> ? Magnitudes<M> : never;
type ListsOf<I> = I extends Imperfection<infer _, infer L> ? L : never;

/**
 * The imperfections of a board type. Each is null (off), or holds its magnitudes and their source. Magnitudes
 * are integers with the unit in their name. A spread is the standard deviation between the cells
 * (crosspoints, channels) of a die. `Ppm` counts millionths of the nominal value for a gain, of V_fs·G_fs for
 * a drive, and of G_fs for a conductance. Magnitudes and ranges are listed in device-model.md, "Profiles",
 * equations in "Imperfections".
 */
export type DieEffects = { readonly [E in EffectName]: MagnitudesOf<Table[E]> | null };

type MeasuredName = { [E in EffectName]: ListsOf<Table[E]> extends NoLists ? never : E }[EffectName];

/**
 * The measured errors of one board, in place of the errors that the die seed would draw. Each part belongs
 * to the effect of its name, and this effect must be on. Entry i of a list belongs to cell i, unless another
 * list names the cells. The die seed draws every part that is missing here. Ranges and units are in
 * device-model.md, "Profiles".
 */
export type MeasuredParts = {
  /** How these values were measured. */
  readonly source: string;
} & { readonly [E in MeasuredName]?: Lists<ListsOf<Table[E]>> };

/** An effect without the types of its own magnitudes and lists, for code that treats all effects alike. */
export type AnyImperfection = Imperfection<IntegerRules, ListRules>;

/** The table as a list, for code that treats all effects alike. */
export const IMPERFECTION_LIST = Object.entries(IMPERFECTIONS) as unknown as readonly (readonly [
  EffectName,
  AnyImperfection,
])[];

/** An effect that a board type has. */
interface ActiveEffect {
  readonly effect: AnyImperfection;
  readonly magnitudes: Magnitudes<IntegerRules>;
  readonly measured: Lists<ListRules> | undefined;
}

/** The effects that are on, in the order of the table. */
export function effectsOn(profile: {
  readonly effects: DieEffects | null;
  readonly measured?: MeasuredParts;
}): ActiveEffect[] {
  const { effects, measured } = profile;
  return IMPERFECTION_LIST.flatMap(([name, effect]) => {
    const magnitudes = effects?.[name] as ActiveEffect['magnitudes'] | null | undefined;
    if (!magnitudes) return [];
    const lists = measured as Readonly<Record<string, ActiveEffect['measured']>> | undefined;
    return [{ effect, magnitudes, measured: lists?.[name] }];
  });
}

/** The effects in `on`; all others are off. Errors: none. */
export function effectsOf(on: Partial<DieEffects>): DieEffects {
  return Object.fromEntries(
    IMPERFECTION_LIST.map(([name]) => [name, on[name] ?? null]),
  ) as unknown as DieEffects;
}
