import { type BoardProfile, effectsOf, type MeasuredParts } from '../../emulator/index.js';
import { parseProfile } from '../../emulator/profiles/index.js';
import { NOISE_AMPLITUDE_MAX, NOISE_AMPLITUDE_MIN } from '../../firmware-protocol/limits.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import type { Characterization } from './characterize.js';
import type { Found } from './profile-numbers.js';
import { measuredCells, measuredConverters, measuredCouplings } from './profile-parts.js';

const MILLION = 1e6;

/**
 * The profile of a measured board. It holds the sizes and ranges from HELLO, an effect for every quantity
 * that differs from the ideal value by more than the errors of the estimates, and the measured values.
 * `effects` is null if there is no such quantity.
 *
 * Errors: UNSUPPORTED, with the name of the field, for a board that no profile can describe.
 */
export function profileOf(measured: Characterization, source: string): BoardProfile {
  const { identity } = measured;
  const parts = [
    measuredCells(measured, source),
    measuredConverters(measured, source),
    measuredCouplings(measured, source),
    brokenCells(measured, source),
  ];
  const effects = effectsOf(Object.assign({}, ...parts.map((part) => part.effects)));
  const own: Partial<MeasuredParts> = Object.assign({}, ...parts.map((part) => part.measured));
  const isIdeal = Object.values(effects).every((effect) => effect === null);
  const isDrawn = Object.keys(own).length === 0;
  return checked({
    ...sizesOf(identity),
    effects: isIdeal ? null : effects,
    ...(isDrawn ? {} : { measured: { source, ...own } }),
  });
}

/** Throws UNSUPPORTED, as `profileOf` does, for sizes and ranges that no profile allows. */
export function checkDescribable(identity: DeviceIdentity): void {
  checked({ ...sizesOf(identity), effects: null });
}

function checked(data: object): BoardProfile {
  const parsed = parseProfile(data);
  if ('profile' in parsed) return parsed.profile;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `No profile can describe this board: ${parsed.field} ${parsed.problem}.`,
    {
      hint: 'See docs/reference/device-model.md, "Profiles", for the allowed values.',
      data: { field: parsed.field },
    },
  );
}

function sizesOf(identity: DeviceIdentity): Omit<BoardProfile, 'effects'> {
  const { cells, rows, hasDense, hasFactored } = identity;
  return {
    // A name in a profile may contain only printable characters of ASCII.
    name: identity.model.replace(/[^ -~]/g, '?') || 'extracted',
    cells,
    rows: hasFactored ? rows : cells,
    banks: identity.banks,
    dense: hasDense,
    factored: hasFactored,
    rowElement: identity.hasRowElement,
    couplingBits: identity.couplingBits,
    driveBits: identity.driveBits,
    adcBits: identity.adcBits,
    tauNs: identity.tauNs,
    tickLog2: identity.tickLog2,
    fullScaleMicrovolts: identity.fullScaleMicrovolts,
    rail: identity.rail,
    driveRange: identity.driveRange,
    noiseAmplitudeMin: NOISE_AMPLITUDE_MIN,
    noiseAmplitudeMax: NOISE_AMPLITUDE_MAX,
    noiseShiftMin: identity.noiseShiftMin,
    noiseShiftMax: identity.noiseShiftMax,
    noiseTemperatureMin: identity.noiseTemperatureMin,
    rowScaleMax: identity.rowScaleMax,
  };
}

/**
 * Broken cells and channels. A cell that does not follow its loaded voltage counts as dead; if its channel
 * always gave the same code, the channel counts as stuck.
 */
function brokenCells({ silent, histograms, identity }: Characterization, source: string): Found {
  const stuck = silent.filter((cell) => histograms[cell].stuckAt !== undefined);
  const share = (cells: readonly number[]) =>
    cells.length === 0
      ? null
      : { sharePpm: Math.max(1, Math.round((MILLION * cells.length) / identity.cells)), source };
  return {
    effects: { deadCells: share(silent), stuckAdcChannels: share(stuck) },
    measured: {
      ...(silent.length === 0 ? {} : { deadCells: { cells: silent } }),
      ...(stuck.length === 0
        ? {}
        : { stuckAdcChannels: { cells: stuck, codes: stuck.map((cell) => histograms[cell].stuckAt!) } }),
    },
  };
}
