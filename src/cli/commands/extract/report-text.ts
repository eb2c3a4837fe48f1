import {
  type AnyImperfection,
  type EffectName,
  IMPERFECTION_LIST,
  IMPERFECTIONS,
} from '../../../../emulator/imperfections/table.js';
import type { BoardProfile } from '../../../../emulator/index.js';
import type { Comparison } from '../../../measure/compare.js';
import { counted, formatCount, formatNumber } from '../../../number-text.js';
import { formatTable } from '../../output/table.js';

/** The result of one effect. */
export interface Captured {
  readonly effect: EffectName;
  /**
   * `each`: the profile has the value of every cell or crosspoint. `spread`: the profile has only the spread
   * of the values. `none`: the values are no larger than their errors. `unknown`: the effect is not measured.
   */
  readonly how: 'each' | 'spread' | 'none' | 'unknown';
}

/**
 * The kind of part for which an effect has measured values, such as the cells. Undefined if the effect is not
 * measured.
 */
const eachOf = (effect: AnyImperfection) => Object.values(effect.measured ?? {})[0]?.each;
const isUnseen = (effect: AnyImperfection) => eachOf(effect) === undefined;
/** The effects that only a dense array has. */
const OF_COUPLINGS: readonly EffectName[] = ['couplingMismatch', 'crosstalk'];
/** The effects in the order of the tables: effects of couplings first, effects that are not measured last. */
const EFFECTS = [...IMPERFECTION_LIST].sort(
  ([a, one], [b, other]) =>
    Number(OF_COUPLINGS.includes(b)) - Number(OF_COUPLINGS.includes(a)) ||
    Number(isUnseen(one)) - Number(isUnseen(other)),
);

export function capturedOf({ effects, measured }: BoardProfile, hasCouplings: boolean): Captured[] {
  return EFFECTS.map(([effect, rules]) => {
    if (isUnseen(rules) || (!hasCouplings && OF_COUPLINGS.includes(effect)))
      return { effect, how: 'unknown' };
    if (effects?.[effect] == null) return { effect, how: 'none' };
    return { effect, how: measured !== undefined && effect in measured ? 'each' : 'spread' };
  });
}

export function extractionText(
  { effects }: BoardProfile,
  captured: readonly Captured[],
  comparison: Comparison,
): string {
  const found = captured.filter(({ how }) => how === 'each' || how === 'spread');
  const names = (how: Captured['how']) =>
    captured.filter((entry) => entry.how === how).map(({ effect }) => effect);
  const lists = [
    ['no larger than the errors', names('none')],
    ['not measured', names('unknown')],
  ] as const;
  return [
    ...(found.length === 0
      ? ['No imperfection was found: the profile is an ideal board.\n']
      : [
          formatTable(
            found.map(({ effect, how }) => [effect, kept(effect, how), magnitudes(effects?.[effect])]),
            { header: ['effect', 'kept', 'size'] },
          ),
        ]),
    formatTable(lists.flatMap(([title, effects]) => (effects.length ? [[title, effects.join(', ')]] : []))),
    comparisonText(comparison),
  ].join('\n');
}

function kept(effect: EffectName, how: Captured['how']): string {
  if (how === 'spread') return 'its spread';
  const each = eachOf(IMPERFECTIONS[effect]);
  return each === 'named' ? 'which ones' : `every ${each}`;
}

/** `spreadPpm 4,943`. */
function magnitudes(effect: object | null | undefined): string {
  return Object.entries(effect ?? {})
    .flatMap(([name, value]) =>
      typeof value === 'number' && value !== 0 ? [`${name} ${formatNumber(value)}`] : [],
    )
    .join(', ');
}

function comparisonText({ programs, identical, differences }: Comparison): string {
  if (identical === programs)
    return `The board and its profile gave the same samples and states, bit for bit, on ${counted(programs, 'random program')}.\n`;
  const rows = Object.entries(differences).map(([mode, { rmsLsb, largestLsb }]) => [
    mode,
    formatNumber(rmsLsb, 2),
    formatCount(largestLsb),
  ]);
  const table = formatTable(rows, {
    header: ['programs', 'rms', 'largest'],
    align: ['left', 'right', 'right'],
  });
  return `Differences of readings between the board and its profile, in steps of the ADC (random programs without noise):\n\n${table}`;
}
