import { checkObject } from '../argument-checks.js';
import type { Characterization } from './characterize.js';
import type { Estimates } from './estimates.js';

/** A quantity of every cell, with its names in tables, plots and the record. */
export interface Quantity {
  /** Field of the record. It never changes. */
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  /** The value on a board without imperfections, in `unit`s. */
  readonly nominal: number;
  readonly estimates: Estimates;
}

/** All quantities of cells that were measured, in the order of the tables. Errors: BAD_ARGUMENT. */
export function quantitiesOf(measured: Characterization): Quantity[] {
  checkObject(
    'measured',
    measured,
    'await characterize(device, { seed: 0, samples: 20000, crosspointsPerRow: 16 })',
  );
  const { adc, drive, timeConstant, noiseTemperature, couplings } = measured;
  const all: Quantity[] = [
    { key: 'adcOffset', title: 'ADC offset', unit: 'V_fs', nominal: 0, estimates: adc.offset },
    { key: 'adcGain', title: 'ADC gain', unit: '1', nominal: 1, estimates: adc.gain },
    { key: 'adcCurvature', title: 'ADC curvature', unit: '1/V_fs', nominal: 0, estimates: adc.curvature },
    { key: 'driveOffset', title: 'drive offset', unit: 'V_fs·G_fs', nominal: 0, estimates: drive.offset },
    { key: 'driveGain', title: 'drive gain', unit: '1', nominal: 1, estimates: drive.gain },
    { key: 'leakage', title: 'leakage', unit: 'G_fs', nominal: 0, estimates: drive.leakage },
    { key: 'timeConstant', title: 'time constant', unit: 'τ', nominal: 1, estimates: timeConstant },
    {
      key: 'noiseTemperature',
      title: 'noise temperature',
      unit: 'κ',
      nominal: 1,
      estimates: noiseTemperature,
    },
  ];
  if (couplings === undefined) return all;
  return [
    ...all,
    { key: 'fromNext', title: 'crosstalk from next', unit: '1', nominal: 0, estimates: couplings.fromNext },
    {
      key: 'fromBefore',
      title: 'crosstalk from before',
      unit: '1',
      nominal: 0,
      estimates: couplings.fromBefore,
    },
  ];
}
