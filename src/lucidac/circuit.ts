import { ThermolinkError } from '../errors.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import type { Matrix } from '../linalg/matrix.js';
import { formDense } from '../linalg/products.js';
import { counted } from '../number-text.js';
import { CONSTANT_POSITIVE, type InitialBody, MAGNITUDE_ONE } from './messages.js';

/** The parts of a LUCIDAC (lucidac-firmware, `block/`): integrators, and lanes with one coefficient each. */
export const INTEGRATORS = 8;
export const LANES = 32;
/** k₀ of a fast integrator, 1/s. The output falls at the rate k₀ · (sum of the inputs). */
export const RATE = 10_000;
/** Number of steps of a coefficient from 0 to 1 (lucidac-firmware, AD5452). */
export const COEFFICIENT_STEPS = 7447;
/** The crossbar output that carries the constant: 15 in lanes 0 to 15, and 14 in the other lanes. */
const CONSTANT_OUTPUTS = [15, 14] as const;

/** The coupling of unknown `from` into the equation of unknown `into`. */
interface Coupling {
  readonly from: number;
  readonly into: number;
  /** αA_ij, −1 to 1. */
  readonly factor: number;
}

/**
 * A system for the machine, the same for every drive:
 *
 *     dv/dt = −k₀(A'v − e'),   A' = αA,   α = fill/max|A|.
 */
export interface Circuit {
  /** N. */
  readonly unknowns: number;
  /** α, in units of 1/A. */
  readonly scale: number;
  readonly couplings: readonly Coupling[];
  /**
   * Identifies the requested system. Circuits with the same `wiring` differ only by corrections of their
   * coefficients.
   */
  readonly wiring: string;
}

/**
 * The integrator of each unknown, and the lane of each coupling and drive. Gains of lanes and offsets of
 * integrators are errors of the machine. Another placement moves these errors to other places of the system.
 */
export interface Placement {
  /** Integrator of each unknown. */
  readonly integrators: readonly number[];
  /** Lane of each coupling. */
  readonly couplingLanes: readonly number[];
  /** Lane of the drive of each unknown. */
  readonly driveLanes: readonly number[];
}

/** A as a dense matrix. It is the matrix of `system` itself, not a copy, if `system` is dense. */
export function denseOf(system: LinearSystem): Matrix {
  return system.kind === 'dense' ? system.matrix : formDense(system.factor, system.damping);
}

/**
 * The circuit of a system; its largest coupling is `fill`. A coupling that is 0 needs no lane. Errors:
 * TOO_LARGE, with the number of integrators or lanes.
 */
export function circuitOf(system: LinearSystem, fill = 1): Circuit {
  const unknowns = system.kind === 'dense' ? system.matrix.rows : system.factor.columns;
  if (unknowns > INTEGRATORS) throw tooLarge(counted(unknowns, 'unknown'), `${INTEGRATORS} integrators`);
  const { data } = denseOf(system);
  const largest = data.reduce((max, entry) => Math.max(max, Math.abs(entry)), 0);
  const couplings: Coupling[] = [];
  for (let into = 0; into < unknowns; into++)
    for (let from = 0; from < unknowns; from++) {
      const entry = data[into * unknowns + from];
      if (entry !== 0) couplings.push({ from, into, factor: (fill * entry) / largest });
    }
  const lanes = couplings.length + unknowns;
  if (lanes > LANES)
    throw tooLarge(
      `${counted(unknowns, 'unknown')} with ${counted(couplings.length, 'coupling')}`,
      `${LANES} lanes; this system needs ${lanes}: one for each coupling and one for each unknown`,
    );
  const scale = largest === 0 ? 1 : fill / largest;
  return { unknowns, scale, couplings, wiring: JSON.stringify([unknowns, scale, couplings]) };
}

function tooLarge(system: string, machine: string): ThermolinkError {
  return new ThermolinkError('TOO_LARGE', `The system has ${system}; a LUCIDAC has ${machine}.`, {
    hint: 'Five unknowns always fit. Up to eight fit if couplings and unknowns together are at most 32. For more use another board, for example emulator:ideal-64.',
    data: { integrators: INTEGRATORS, lanes: LANES },
  });
}

/**
 * Placement number `turn` ≥ 0. Number 0 uses integrators and lanes in order; the others use a permutation of
 * them.
 */
export function placementOf(circuit: Circuit, turn: number): Placement {
  const integrators = permutation(INTEGRATORS, turn);
  const lanes = permutation(LANES, turn);
  return {
    integrators: integrators.slice(0, circuit.unknowns),
    couplingLanes: lanes.slice(0, circuit.couplings.length),
    driveLanes: lanes.slice(circuit.couplings.length, circuit.couplings.length + circuit.unknowns),
  };
}

/** A fixed permutation for each turn, made by a shuffle with a small generator of pseudorandom integers. */
function permutation(length: number, turn: number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  if (turn === 0) return order;
  let state = Math.imul(turn, 0x9e3779b1) >>> 0;
  for (let i = length - 1; i > 0; i--) {
    // Marsaglia, "Xorshift RNGs", J. Stat. Softw. 8 (2003), the triple 13, 17, 5.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The drive and the initial values of a run, both in machine units. */
export interface Inputs {
  /** e', length N, −1 to 1. */
  readonly drive: Float64Array;
  /** v(0), length N, −1 to 1. */
  readonly initial: Float64Array;
}

type Item = InitialBody<'Item'>;

/**
 * The whole configuration of a machine with the address `mac`: the input of each lane, its coefficient and
 * its integrator, the settings of the integrators, and the channels of the ADC. The integrators negate their
 * inputs and their initial values.
 */
export function configuration(mac: string, circuit: Circuit, at: Placement, inputs: Inputs): Item[] {
  const sums = new Map<number, number[]>();
  const connections: { input: number; output: number }[] = [];
  const connect = (input: number, lane: number, unknown: number): void => {
    connections.push({ input, output: lane });
    const sum = at.integrators[unknown];
    sums.set(sum, [...(sums.get(sum) ?? []), lane]);
  };
  circuit.couplings.forEach(({ from, into }, k) => {
    connect(at.integrators[from], at.couplingLanes[k], into);
  });
  at.driveLanes.forEach((lane, i) => {
    connect(CONSTANT_OUTPUTS[lane < LANES / 2 ? 0 : 1], lane, i);
  });
  const channels = at.integrators.map((index) => ({ index, gain: 1, offset: 0 }));
  return [
    { entity: { path: mac }, adc: { channels } },
    integratorsItem(mac, at, inputs),
    {
      entity: { path: `${mac}/0/U` },
      select: {
        connections: byOutput(connections),
        constant: CONSTANT_POSITIVE,
        magnitude: MAGNITUDE_ONE,
      },
    },
    coefficientsItem(mac, circuit, at, inputs),
    {
      entity: { path: `${mac}/0/I` },
      sums: {
        connections: [...sums.entries()]
          .sort(([a], [b]) => a - b)
          .map(([output, lanes]) => ({ output, inputs: lanes.sort((a, b) => a - b) })),
      },
    },
  ];
}

/** The part of the configuration that changes with the drive: coefficients and initial values. */
export function inputConfiguration(mac: string, circuit: Circuit, at: Placement, inputs: Inputs): Item[] {
  return [integratorsItem(mac, at, inputs), coefficientsItem(mac, circuit, at, inputs)];
}

function integratorsItem(mac: string, at: Placement, { initial }: Inputs): Item {
  const elements = at.integrators.map((index, i) => ({ index, initial: 0 - initial[i], rate: RATE }));
  return {
    entity: { path: `${mac}/0/M0` },
    integrators: { elements: elements.sort((a, b) => a.index - b.index) },
  };
}

function coefficientsItem(mac: string, { couplings }: Circuit, at: Placement, { drive }: Inputs): Item {
  const elements = [
    ...couplings.map(({ factor }, k) => ({ index: at.couplingLanes[k], factor })),
    ...at.driveLanes.map((index, i) => ({ index, factor: 0 - drive[i] })),
  ];
  return {
    entity: { path: `${mac}/0/C` },
    coefficients: { elements: elements.sort((a, b) => a.index - b.index) },
  };
}

function byOutput<T extends { readonly output: number }>(connections: T[]): T[] {
  return connections.sort((a, b) => a.output - b.output);
}
