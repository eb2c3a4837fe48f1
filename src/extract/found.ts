import type { DieEffects, MeasuredParts } from '../../emulator/index.js';

/** What one kind of measurement makes of effects and parts; an effect that was not found is null. */
export interface Found {
  readonly effects: Partial<DieEffects>;
  readonly measured: Partial<MeasuredParts>;
}
