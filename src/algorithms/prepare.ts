import { COUPLING_BITS_MAX, COUPLING_BITS_MIN } from '../../firmware-protocol/limits.js';
import { checkDevice, checkNumber, checkObject, checkSignal, checkWhole } from '../argument-checks.js';
import { type BoardUse, HeldCouplings } from '../board/board-use.js';
import { refuseForeign } from '../board/calibration.js';
import { type CheckedSystem, checkSystem, checkVector, refuseTooLarge } from '../board/checked-system.js';
import { type EquilibriumPlan, planEquilibrium, plusDamping } from '../board/equilibrium-plan.js';
import { type BoardSession, inSession } from '../board/session.js';
import type { BoardDevice } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { matrix, symmetricPart } from '../linalg/matrix.js';
import { isZero } from '../linalg/products.js';
import { zeroSolution } from './acceptance.js';
import type { SolveRequest, SolveResult } from './contract.js';
import type {
  PreparedMomentsRequest,
  PreparedSamplingRequest,
  PreparedSystem,
  PrepareRequest,
  SettledInverse,
  SettledInverseRequest,
  SettleRequest,
  SettleResult,
} from './prepared-system.js';
import { checkColumnAddresses, checkSolveRequest, checkTolerance } from './request-checks.js';
import {
  checkSamplingRequest,
  type DrivenDraws,
  drawPlanned,
  planSampling,
  type SamplingResult,
} from './sample.js';
import { averagePlanned, checkMoments, type MomentsResult } from './sample-moments.js';
import { isOfCodes, type SolvePlan, SolvePlans } from './solve/plan.js';
import { refine } from './solve/refine.js';
import { settleTo } from './solve/settle-to.js';

/**
 * Prepares a board for one system and many drives. Nothing is sent before the first call.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED, BAD_CALIBRATION.
 */
export function prepare(device: BoardDevice, request: PrepareRequest): PreparedSystem {
  checkDevice(device);
  checkObject('The request', request, "{ system: { kind: 'dense', matrix } }");
  const { dampingMax = 0, calibration, ticksMax } = request;
  checkNumber('dampingMax', dampingMax, 0);
  checkNumber('ticksMax', ticksMax ?? 1, 1);
  checkWhole('couplingBits', request.couplingBits ?? COUPLING_BITS_MAX, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  if (calibration !== undefined) refuseForeign(calibration.board, device.identity);
  const system = checkSystem(request.system);
  refuseTooLarge(system.system, device.identity);
  const { weights } = system.evened;
  if (dampingMax > 0 && weights.some((weight) => weight !== 1))
    throw new ThermolinkError(
      'UNSUPPORTED',
      'The diagonal of this system is uneven, so the board holds a scaled system, to which the damping register cannot add λI.',
      { hint: 'Scale the unknowns yourself until the diagonal is even, or add the damping to the matrix.' },
    );
  void system.evened.checked.spectrum;
  return new Prepared(device, system, { ...request, dampingMax });
}

/** The part of a request that concerns the board. A request that is not an object is refused later. */
function useOf({ address, signal }: Pick<BoardUse, 'address' | 'signal'> = {} as BoardUse) {
  return { address, signal };
}

function checkInverseRequest(request: SettledInverseRequest, dimension: number): void {
  checkObject('The request', request, '{ tolerance: 1e-1, address: { seed: 1, step: 0, block: 0 } }');
  checkTolerance(request.tolerance);
  checkColumnAddresses(request.address, dimension);
  checkSignal(request.signal);
  if (request.passesMax !== undefined) checkWhole('passesMax', request.passesMax, 1);
}

function calibratedMoments(): ThermolinkError {
  return new ThermolinkError(
    'UNSUPPORTED',
    'A calibration corrects each reading, so it cannot correct sums of readings.',
    {
      hint: 'Use `sample`, or leave the calibration out.',
    },
  );
}

class Prepared implements PreparedSystem {
  readonly dimension: number;
  readonly #device: BoardDevice;
  readonly #system: CheckedSystem;
  readonly #request: PrepareRequest & { readonly dampingMax: number };
  readonly #held = new HeldCouplings();
  #plans: SolvePlans | undefined;
  /** The plan without damping. */
  #plain: EquilibriumPlan | undefined;
  /** The plan of draws with a calibration. */
  #sampling: EquilibriumPlan | undefined;
  /** The plan of draws with a damping that the register cannot add. */
  #damped: { readonly damping: number; readonly plan: EquilibriumPlan } | undefined;
  /** The last s_x, divided by the first guess for its drive. */
  #scaleFactor = 1;

  constructor(device: BoardDevice, system: CheckedSystem, request: PrepareRequest & { dampingMax: number }) {
    this.dimension = system.dimension;
    this.#device = device;
    this.#system = system;
    this.#request = request;
  }

  solve(request: Omit<SolveRequest, 'system'>): Promise<SolveResult> {
    return this.#inTurn(
      useOf(request),
      () => this.#checkDrive(request),
      async (session) => {
        const { tolerance } = request;
        const plans = this.#solvePlans(session);
        plans.refuseBeyondFloat64(tolerance);
        if (isZero(request.drive)) return { ...zeroSolution(this.dimension), cost: session.cost };
        const answer = await refine(plans, session, request);
        return { ...answer, cost: session.cost };
      },
    );
  }

  settle(request: SettleRequest): Promise<SettleResult> {
    return this.#inTurn(
      useOf(request),
      () => {
        this.#checkDrive(request);
        this.#checkDamping(request.damping);
        if (request.passesMax !== undefined) checkWhole('passesMax', request.passesMax, 1);
      },
      async (session) => {
        const { drive, damping = 0 } = request;
        if (isZero(drive)) {
          const x = new Float64Array(this.dimension);
          return { x, relativeResidual: 0, passes: 0, cost: session.cost };
        }
        if (damping > 0) {
          const plan = session.charge('mapMs', () => this.#dampedPlan(session, damping));
          return this.#settled(session, plan, request);
        }
        return this.#settledByPlans(session, this.#solvePlans(session), request);
      },
    );
  }

  async #settledByPlans(
    session: BoardSession,
    plans: SolvePlans,
    request: SettleRequest,
  ): Promise<SettleResult> {
    for (;;)
      try {
        return await this.#settled(session, plans.current, request);
      } catch (error) {
        if (!isOfCodes(error) || !plans.advance()) throw error;
      }
  }

  async invert(request: SettledInverseRequest): Promise<SettledInverse> {
    return this.#inTurn(
      { ...useOf(request), sendsChangesOnly: true },
      () => checkInverseRequest(request, this.dimension),
      async (session) => {
        const size = this.dimension;
        const plans = this.#solvePlans(session);
        const read = matrix(size, size);
        let relativeResidual = 0;
        let passes = 0;
        for (let j = 0; j < size; j++) {
          const drive = new Float64Array(size);
          drive[j] = 1;
          session.readdress({ ...request.address, block: request.address.block + j });
          const column = await this.#settledByPlans(session, plans, { ...request, drive });
          read.data.set(column.x, j * size);
          relativeResidual = Math.max(relativeResidual, column.relativeResidual);
          passes += column.passes;
        }
        return { inverse: symmetricPart(read), relativeResidual, passes, cost: session.cost };
      },
    );
  }

  async sample(request: PreparedSamplingRequest): Promise<SamplingResult> {
    const { calibration } = this.#request;
    return this.#inTurn(
      useOf(request),
      () => {
        checkObject('The request', request, '{ count: 100, address: { seed: 1, step: 0, block: 0 } }');
        this.#checkDamping(request.damping);
        checkSamplingRequest(request, this.dimension);
        this.#checkDriven(request.driven);
      },
      (session) => {
        const plan = session.charge('mapMs', () => this.#samplingPlan(session, request.damping ?? 0));
        return drawPlanned(session, plan, this.#system.evened.weights, { ...request, calibration });
      },
    );
  }

  async moments(request: PreparedMomentsRequest): Promise<MomentsResult> {
    const { identity } = this.#device;
    return this.#inTurn(
      useOf(request),
      () => {
        checkObject('The request', request, '{ count: 4000, address: { seed: 1, step: 0, block: 0 } }');
        this.#checkDamping(request.damping);
        // Every count is allowed here, because the board adds the readings up and the host stores no draws.
        checkSamplingRequest({ ...request, count: 1, onProgress: undefined }, this.dimension);
        this.#checkDriven(request.driven);
        if (this.#request.calibration !== undefined) throw calibratedMoments();
        checkMoments(request, this.dimension, identity);
      },
      (session) => {
        const plan = session.charge('mapMs', () => this.#samplingPlan(session, request.damping ?? 0));
        const wanted = checkMoments(request, this.dimension, identity);
        return averagePlanned(session, plan, this.#system.evened.weights, {
          ...wanted,
          driven: request.driven,
        });
      },
    );
  }

  #inTurn<Result>(
    use: Pick<BoardUse, 'address' | 'signal' | 'sendsChangesOnly'>,
    check: () => void,
    run: (session: BoardSession) => Promise<Result>,
  ): Promise<Result> {
    const { calibration } = this.#request;
    const shared = { calibration, held: this.#held };
    return inSession(this.#device, { ...use, ...shared }, check, run);
  }

  #checkDrive(request: Omit<SolveRequest, 'system'>): void {
    checkObject(
      'The request',
      request,
      '{ drive, tolerance: 1e-2, address: { seed: 1, step: 0, block: 0 } }',
    );
    checkSolveRequest({ ...request, system: this.#system });
  }

  #checkDriven(driven: DrivenDraws | undefined): void {
    if (driven === undefined) return;
    checkObject('driven', driven, '{ drive, mean }');
    for (const [name, vector] of Object.entries({ drive: driven.drive, mean: driven.mean }))
      checkVector(vector, this.#system, name);
  }

  #checkDamping(damping = 0): void {
    checkNumber('damping', damping, 0);
    const { dampingMax } = this.#request;
    if (damping <= dampingMax) return;
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `damping is ${damping}; this system was prepared for ${dampingMax}.`,
      {
        hint: 'Prepare it with a larger `dampingMax`.',
        data: { damping, dampingMax },
      },
    );
  }

  #solvePlans(session: BoardSession): SolvePlans {
    const plain = () => this.#plainPlan(session);
    this.#plans ??= new SolvePlans(session, this.#system, undefined, this.#request.ticksMax, plain);
    return this.#plans;
  }

  #plainPlan({ identity, model }: BoardSession): EquilibriumPlan {
    const { dampingMax } = this.#request;
    const couplingBits = Math.min(this.#request.couplingBits ?? COUPLING_BITS_MAX, identity.couplingBits);
    const board = { ...identity, couplingBits };
    this.#plain ??= planEquilibrium(this.#system.evened.checked, board, model, dampingMax);
    return this.#plain;
  }

  #samplingPlan(session: BoardSession, damping: number): EquilibriumPlan {
    const { calibration, dampingMax } = this.#request;
    if (calibration === undefined) return plusDamping(this.#plainPlan(session), damping);
    const { evened } = this.#system;
    this.#sampling ??= planSampling(session.identity, evened, calibration, dampingMax);
    if (damping === 0 || !this.#sampling.model.equalizesNoise) return plusDamping(this.#sampling, damping);
    // Rows are programmed multiplied by the noise temperatures of their cells, but the damping register is
    // not. It would add λ divided by these temperatures to the diagonal. So λ has to be in the couplings.
    if (this.#damped?.damping !== damping) {
      const checked = evened.checked.damped(damping);
      this.#damped = { damping, plan: planSampling(session.identity, { ...evened, checked }, calibration) };
    }
    return this.#damped.plan;
  }

  #dampedPlan(session: BoardSession, damping: number): SolvePlan {
    const { evened } = this.#system;
    const plan = plusDamping(this.#plainPlan(session), damping);
    return { ...plan, evened: { ...evened, checked: evened.checked.damped(damping) }, damping: 0 };
  }

  async #settled(session: BoardSession, plan: SolvePlan, request: SettleRequest): Promise<SettleResult> {
    const { scaleFactor, ...answer } = await settleTo(plan, session, request, this.#scaleFactor);
    this.#scaleFactor = scaleFactor;
    return { ...answer, cost: session.cost };
  }
}
