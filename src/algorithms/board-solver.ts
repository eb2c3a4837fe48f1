import { COUPLING_BITS_MAX, COUPLING_BITS_MIN } from '../../firmware-protocol/limits.js';
import { checkDevice, checkNumber, checkObject, checkOptionalFlag, checkWhole } from '../argument-checks.js';
import { refuseForeign } from '../board/calibration.js';
import type { BoardDevice } from '../driver/device-api.js';
import type {
  AnalogSolverOptions,
  EquilibriumSolver,
  InverseSolver,
  RelaxationSolver,
  TruncatedSolver,
} from './contract.js';
import { prepare } from './prepare.js';
import { relax, relaxAhead } from './relax.js';
import {
  checkIsInverseRequest,
  checkIsRelaxRequest,
  checkIsSolveRequest,
  checkIsTruncatedRequest,
} from './request-checks.js';
import { solve } from './solve/solve.js';
import { truncated } from './truncated.js';

/**
 * A training needs no more than 8-bit couplings, and they are most of its upload. An inverse sends mostly
 * couplings, too. With 8 bits its readings are right to a few percent.
 */
const COUPLING_BITS = 8;

/**
 * A solver for linear systems that uses a board, real or emulated. The host scales, rounds, averages and
 * forms residuals. Every part of an answer, also each refinement, is a voltage that was read.
 *
 * All uses of one device take turns in the order of their calls. This includes several solvers, `drawSamples`
 * and `invert`.
 *
 * Errors: BAD_ARGUMENT for a value that is not a device (for example a promise of one) and for an option
 * outside its range; BAD_CALIBRATION for a calibration of another board. Its methods throw those of
 * `EquilibriumSolver`, `RelaxationSolver`, `TruncatedSolver` and `InverseSolver`, OVERLOAD when no scale
 * keeps the board off its rails, and the errors of the device.
 */
export function createAnalogSolver(
  device: BoardDevice,
  options: AnalogSolverOptions = {},
): EquilibriumSolver & RelaxationSolver & TruncatedSolver & InverseSolver {
  checkDevice(device);
  checkOptions(options);
  const { relaxCouplingBits, relaxNoiseTemperature, calibration, ticksMax } = options;
  if (calibration !== undefined) refuseForeign(calibration.board, device.identity);
  const settings = {
    ...{ couplingBits: relaxCouplingBits, noiseTemperature: relaxNoiseTemperature, ticksMax },
    chopped: options.relaxChopped,
  };
  const { couplingBits = COUPLING_BITS } = settings;
  const relaxation = { ...settings, couplingBits, roundings: options.relaxRoundings };
  return {
    name: 'analog',
    relax: async (request) => {
      checkIsRelaxRequest(request);
      return relax(device, { ...request, ...relaxation });
    },
    relaxAhead: async (request) => {
      checkIsRelaxRequest(request);
      return relaxAhead(device, { ...request, ...relaxation });
    },
    truncated: async (request, work) => {
      checkIsTruncatedRequest(request);
      return truncated(device, { ...request, ...settings }, work);
    },
    invert: async (request) => {
      checkIsInverseRequest(request);
      const { matrix, ...use } = request;
      const system = { kind: 'dense', matrix } as const;
      return prepare(device, { system, calibration, ticksMax, couplingBits }).invert(use);
    },
    solve: async (request) => {
      checkIsSolveRequest(request);
      return solve(device, { ...request, calibration, ticksMax });
    },
  };
}

function checkOptions(options: AnalogSolverOptions): void {
  checkObject('options', options, '{ relaxCouplingBits: 8 }');
  const { relaxCouplingBits = COUPLING_BITS_MIN, relaxNoiseTemperature = 0, ticksMax = 1 } = options;
  checkWhole('relaxCouplingBits', relaxCouplingBits, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  checkNumber('relaxNoiseTemperature', relaxNoiseTemperature, 0);
  checkNumber('ticksMax', ticksMax, 1);
  checkOptionalFlag('relaxChopped', options.relaxChopped);
  checkWhole('relaxRoundings', options.relaxRoundings ?? 1, 1);
}
