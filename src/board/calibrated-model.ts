import { type BoardModel, nominalModel } from './board-model.js';
import { adcStep, type BoardRange, driveStep } from './board-range.js';
import { matrixOnBoard, quantizeForBoard, type RowGains } from './calibrated-couplings.js';
import { type BoardCalibration, type BoardName, refuseForeign } from './calibration.js';
import { programmedSystem, quantizeSystem, quantizeVector } from './quantize.js';

/** The purpose that a calibrated board is programmed for. */
export interface CalibratedModelOptions {
  /**
   * Whether every row is programmed multiplied by the noise temperature of its cell. The covariance at
   * equilibrium is then κA⁻¹, as sampling needs it. It is possible only for dense systems. Default false:
   * then only the means are right.
   */
  readonly equalizeNoise?: boolean;
}

/**
 * The model of a board: with a calibration the measured board, without one an ideal board. Errors:
 * BAD_CALIBRATION for a calibration of another board.
 */
export function modelOf(
  identity: BoardRange & BoardName,
  calibration: BoardCalibration | undefined,
  options?: CalibratedModelOptions,
): BoardModel {
  if (calibration === undefined) return nominalModel(identity);
  refuseForeign(calibration.board, identity);
  return calibratedModel(calibration, identity, options);
}

/**
 * The model of a board that was measured. Errors of drives and readings are always compensated. Errors of
 * crosspoints, lines and leakage are compensated for dense systems; for factored systems only the mean
 * leakage is. Errors: none.
 */
export function calibratedModel(
  calibration: BoardCalibration,
  range: BoardRange,
  { equalizeNoise = false }: CalibratedModelOptions = {},
): BoardModel {
  const rowGains: RowGains = equalizeNoise ? calibration.noiseTemperature : undefined;
  const meanLeakage = meanOf(calibration.leakage);
  const limit = 2 ** (range.driveBits - 1) - 1;
  return {
    couplingMargin: couplingMarginOf(calibration, rowGains),
    dampingSpread: rowGains === undefined ? 0 : largestOf(rowGains, (gain) => Math.abs(gain - 1)),
    equalizesNoise: rowGains !== undefined,
    driveMargin: driveMarginOf(calibration),
    quantizeSystem: (system, scaling, damping) => {
      if (system.kind === 'dense') return quantizeForBoard(system, scaling, damping, calibration, rowGains);
      const leaked = meanLeakage * scaling.systemScale;
      return quantizeSystem({ ...system, damping: Math.max(0, system.damping - leaked) }, scaling);
    },
    programmedSystem: (codes, systemScale) => {
      const nominal = programmedSystem(codes, systemScale);
      return nominal.kind === 'dense'
        ? { kind: 'dense', matrix: matrixOnBoard(codes, systemScale, calibration, rowGains) }
        : { ...nominal, damping: nominal.damping + meanLeakage * systemScale };
    },
    quantizeDrive: (drive, { systemScale, solutionScale }) => {
      const { driveOffset, driveGain, driveCurvature } = calibration;
      const asked = drive.map((value, i) => {
        const e = (value * (rowGains?.[i] ?? 1)) / (systemScale * solutionScale);
        return invertTransfer(e, driveOffset[i], driveGain[i], driveCurvature[i]);
      });
      return quantizeVector(asked, 1 / driveStep(range), limit);
    },
    programmedDrive: (codes, { systemScale, solutionScale }) => {
      const { driveOffset, driveGain, driveCurvature } = calibration;
      const step = driveStep(range);
      return Float64Array.from(codes, (code, i) => {
        const x = code * step;
        const e = driveOffset[i] + x * (driveGain[i] + driveCurvature[i] * x);
        return (e * systemScale * solutionScale) / (rowGains?.[i] ?? 1);
      });
    },
    readOut: (codes, solutionScale) => {
      const { adcOffset, adcGain, adcCurvature } = calibration;
      const step = adcStep(range.adcBits);
      return Float64Array.from(
        codes,
        (code, i) => solutionScale * invertTransfer(code * step, adcOffset[i], adcGain[i], adcCurvature[i]),
      );
    },
    readOutSpread: (codes, solutionScale) => {
      const unit = solutionScale * adcStep(range.adcBits);
      return Float64Array.from(codes, (code, i) => (unit * code) / calibration.adcGain[i]);
    },
  };
}

/** Solves y = offset + gain·x + curvature·x² for x. The curvature must be small. */
function invertTransfer(y: number, offset: number, gain: number, curvature: number): number {
  const straight = (y - offset) / gain;
  const bend = curvature / gain;
  return straight - bend * (straight - bend * straight * straight) ** 2;
}

/**
 * The largest factor between an effective coupling and its nominal value. A conductance g is programmed as
 * g/(1 + ε) minus the pick-up of its line, and multiplied by γ when integrated.
 */
function couplingMarginOf(calibration: BoardCalibration, rowGains: RowGains): number {
  const { couplingErrors, fromNext, fromBefore, timeConstant } = calibration;
  const magnitude = (x: number) => Math.abs(x);
  const weakest = couplingErrors === undefined ? 1 : 1 / (1 - largestOf(couplingErrors, (e) => -e));
  const picked = largestOf(fromNext, magnitude) + largestOf(fromBefore, magnitude);
  const fastest = largestOf(timeConstant, (value) => 1 / value);
  const raised = rowGains === undefined ? 1 : Math.max(1, largestOf(rowGains, magnitude));
  return raised * Math.max(weakest + picked, fastest);
}

/**
 * The largest factor between an effective drive and its nominal value. A drive e is programmed as (e −
 * offset)/gain, and multiplied by γ when integrated.
 */
function driveMarginOf({ driveGain, driveOffset, timeConstant }: BoardCalibration): number {
  const weakest = largestOf(driveGain, (gain) => 1 / gain);
  const fastest = largestOf(timeConstant, (value) => 1 / value);
  return Math.max(weakest, fastest) + largestOf(driveOffset, (offset) => Math.abs(offset));
}

function largestOf(values: Float64Array, of: (value: number) => number): number {
  let largest = -Infinity;
  for (const value of values) largest = Math.max(largest, of(value));
  return largest;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
