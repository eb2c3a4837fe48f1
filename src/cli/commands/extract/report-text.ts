import type { BoardProfile, DieEffects } from '../../../../emulator/index.js';
import type { Comparison } from '../../../measure/compare.js';
import { formatCount, formatNumber } from '../../output/format.js';
import { formatTable } from '../../output/table.js';

/** What became of one effect. */
export interface Captured {
  readonly effect: keyof DieEffects;
  /** `each`: the board's own values; `spread`: its size alone; `none`: no larger than the errors; `unknown`: not measured. */
  readonly how: 'each' | 'spread' | 'none' | 'unknown';
}

/** Effects that no measurement looks for. */
const UNSEEN: readonly (keyof DieEffects)[] = [
  'softSaturation',
  'noiseColour',
  'commonModeNoise',
  'drift',
  'flicker',
];
/** Effects of the dense array. */
const OF_COUPLINGS: readonly (keyof DieEffects)[] = ['couplingMismatch', 'crosstalk'];
const EFFECTS: readonly (keyof DieEffects)[] = [
  ...OF_COUPLINGS,
  'timeConstantMismatch',
  'noiseMismatch',
  'inputOffset',
  'leakage',
  'driveConverter',
  'adc',
  'deadCells',
  'stuckAdcChannels',
  ...UNSEEN,
];

export function capturedOf({ effects, measured }: BoardProfile, hasCouplings: boolean): Captured[] {
  return EFFECTS.map((effect) => {
    if (UNSEEN.includes(effect) || (!hasCouplings && OF_COUPLINGS.includes(effect)))
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

function kept(effect: keyof DieEffects, how: Captured['how']): string {
  if (how === 'spread') return 'its spread';
  if (effect === 'deadCells' || effect === 'stuckAdcChannels') return 'which ones';
  return effect === 'couplingMismatch' ? 'every crosspoint' : 'every cell';
}

/** `spreadPpm 4,943`. */
function magnitudes(effect: object | null | undefined): string {
  return Object.entries(effect ?? {})
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${formatNumber(value)}`] : []))
    .join(', ');
}

function comparisonText({ programs, identical, differences }: Comparison): string {
  if (identical === programs)
    return `The board and its profile gave the same samples and states, bit for bit, on ${programs} random programs.\n`;
  const rows = Object.entries(differences).map(([mode, { rmsLsb, largestLsb }]) => [
    mode,
    formatNumber(rmsLsb, 2),
    formatCount(largestLsb),
  ]);
  const table = formatTable(rows, {
    header: ['programs', 'rms', 'largest'],
    align: ['left', 'right', 'right'],
  });
  return `The board against its profile, readings without noise of random programs, in steps of the ADC:\n\n${table}`;
}
