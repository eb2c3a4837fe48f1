import { tickOf } from '../board/board-range.js';
import { BoardRuns, type Readings } from '../board/board-runs.js';
import { ZERO_COST } from '../board/cost.js';
import { refuseTooLarge, refuseTooLong } from '../board/equilibrium-plan.js';
import { type NoiseRegister, noiseRegister, noiseTemperatureRange } from '../board/noise-register.js';
import { overloadError } from '../board/overload-error.js';
import {
  programImage,
  quantizeDrive,
  quantizeInitialState,
  quantizeSystem,
  type SystemCodes,
} from '../board/quantize.js';
import { finiteTimeScaling, type TimedScaling, undo } from '../board/scaling.js';
import type { SystemMeasure } from '../board/system-measure.js';
import type { BoardDevice, DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import type { AnalogSolverOptions } from './board-solver.js';
import { checkRelaxation, isZeroRelaxation, type RelaxRequest, type RelaxResult } from './contract.js';

const RELAX_COUPLING_BITS = 8;
/** The sixth overload is an error: by then s_x has grown 32-fold and s_A 16-fold. */
const RUNS_MAX = 6;

/**
 * x(t) of dx/dt = −(A x − b) from x₀, by n ticks of the board and one reading at tick n: for the codes as programmed
 * the board computes v_n = (1 − hÂ)ⁿ v₀ + (1 − (1 − hÂ)ⁿ) Â⁻¹ê, with h = 2⁻ᵏ and n·h/s_A = t exactly.
 *
 * After an overload the same problem runs again from the same x₀ with s_x doubled; from the second on, n and s_A are
 * doubled too. x₀ = b = 0 gives 0 and sends nothing.
 *
 * Errors: BAD_MATRIX, BAD_ARGUMENT, TOO_LARGE, UNSUPPORTED before any byte; OVERLOAD after the sixth.
 */
export async function relaxOnBoard(
  device: BoardDevice,
  options: AnalogSolverOptions,
  request: RelaxRequest,
): Promise<RelaxResult> {
  const { identity } = device;
  const board = new BoardRuns(device, request.address, request.signal);
  const measure = board.charge('mapMs', () => checkOnBoard(request, identity));
  if (isZeroRelaxation(request)) return { x: new Float64Array(request.drive.length), cost: ZERO_COST };
  const noise = relaxNoise(options, identity);
  let scaling = chooseScaling(request, measure, identity, options);
  let codes: SystemCodes | undefined;
  let readings: Readings | undefined;
  for (let run = 0; run < RUNS_MAX; run++) {
    codes = board.charge('mapMs', () => systemCodesFor(request.system, scaling, codes, run));
    await board.program(board.charge('mapMs', () => imageOf(codes!, scaling, request, identity, noise)));
    readings = await board.acquire({ burnInTicks: scaling.ticks, sampleCount: 1, ticksPerSample: 0 });
    const { codes: reading, overloaded } = readings;
    if (!overloaded) {
      const x = board.charge('readoutMs', () => undo(reading, scaling.solutionScale, identity.adcBits));
      return { x, cost: board.cost };
    }
    scaling = afterOverload(scaling, run);
  }
  throw runawayError(readings!, scaling, identity);
}

function checkOnBoard(request: RelaxRequest, identity: DeviceIdentity): SystemMeasure {
  const measure = checkRelaxation(request);
  refuseTooLarge(request.system, identity);
  return measure;
}

function chooseScaling(
  request: RelaxRequest,
  measure: SystemMeasure,
  identity: DeviceIdentity,
  options: AnalogSolverOptions,
): TimedScaling {
  const couplingBits = Math.min(options.relaxCouplingBits ?? RELAX_COUPLING_BITS, identity.couplingBits);
  const { system, time, drive, initial } = request;
  const scaling = finiteTimeScaling(system, measure, time, drive, initial, identity, couplingBits);
  refuseTooLong(scaling.ticks, options.ticksMax);
  return scaling;
}

/** Couplings depend on s_A alone, which the first retry leaves as it is. */
function systemCodesFor(
  system: LinearSystem,
  scaling: TimedScaling,
  previous: SystemCodes | undefined,
  run: number,
): SystemCodes {
  return previous !== undefined && run === 1 ? previous : quantizeSystem(system, scaling);
}

function imageOf(
  codes: SystemCodes,
  scaling: TimedScaling,
  request: RelaxRequest,
  identity: DeviceIdentity,
  noise: NoiseRegister,
) {
  const drive = quantizeDrive(request.drive, scaling, identity);
  const initial = quantizeInitialState(request.initial, scaling.solutionScale);
  return programImage(codes, drive, initial, noise);
}

function afterOverload(scaling: TimedScaling, run: number): TimedScaling {
  const solutionScale = 2 * scaling.solutionScale;
  if (run === 0) return { ...scaling, solutionScale };
  return { ...scaling, solutionScale, ticks: 2 * scaling.ticks, systemScale: 2 * scaling.systemScale };
}

function relaxNoise(options: AnalogSolverOptions, identity: DeviceIdentity): NoiseRegister {
  const noiseTemperature = options.relaxNoiseTemperature ?? 0;
  const tick = tickOf(identity);
  const { min, max } = noiseTemperatureRange(identity, tick);
  // Rounding to 5 digits: the ends of the range are register values themselves.
  const isPossible =
    noiseTemperature === 0 || (noiseTemperature >= min * 0.9999 && noiseTemperature <= max * 1.0001);
  if (isPossible) return noiseRegister(noiseTemperature, tick, identity);
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `A noise temperature of ${noiseTemperature} V_fs² is outside this board's noise register.`,
    {
      hint: `Choose 0, or a value between ${min.toExponential(1)} and ${max.toExponential(1)} V_fs².`,
      data: { noiseTemperature, min, max },
    },
  );
}

function runawayError(
  { report }: Readings,
  scaling: TimedScaling,
  identity: DeviceIdentity,
): ThermolinkError {
  return overloadError(
    `The board ran into its rails ${RUNS_MAX} times in a row, last after ${report.ticksDone} of ${scaling.ticks / 2} ticks.`,
    'The relaxation grows without bound: is the system positive definite, and the time sensible?',
    report,
    identity,
    { ...report, solutionScale: scaling.solutionScale / 2 },
  );
}
