import { fields, list, number, parseFields } from '../../../emulator/profiles/fields.js';
import { checkPlant, type LinearPlant } from '../../algorithms/control/plant.js';
import { identityMatrix, rotaryPendulum } from '../../algorithms/control/rotary-pendulum.js';
import { badFile, readInputFile } from '../../files/input-file.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';

/** The formats that `readPlant` takes. */
export const PLANTS = 'qube, qube-down, or a .json file (docs/how-to/control-a-plant.md)';

/** A plant with the further data that experiments need. */
export interface PlantFile extends LinearPlant {
  /** K₀, M×N. */
  readonly initialGain?: Matrix | undefined;
  /** Inputs stay within ± these, length M. */
  readonly inputMax?: Float64Array | undefined;
  /** The state in which a closed loop starts, length N. */
  readonly initialState?: Float64Array | undefined;
}

/**
 * The first gain of the upright pendulum. It is optimal if the angle of the arm has the weight 30,000. With
 * Q = I its cost is 18 times the optimum.
 */
const QUBE_GAIN = [-70.648, 208.135, -16.237, 18.543];
/**
 * A pendulum that hangs down, with its arm turned by 1.2 rad and a motor of ±2 V. The weights of the cost are
 * such that the plan reaches the bounds of the motor.
 */
const QUBE_DOWN = {
  weights: [5, 50, 0.1, 0.1],
  inputWeight: 0.1,
  inputMax: [2],
  initialState: [1.2, 0, 0, 0],
};

const ENTRY_MAX = 1e12;
const value = () => number(-ENTRY_MAX, ENTRY_MAX);
const rows = () => list(list(value()));
const schema = fields({
  A: rows(),
  B: rows(),
  Q: rows().optional(),
  R: rows().optional(),
  discount: number(0, 1).optional(),
  initialGain: rows().optional(),
  inputMax: list(number(0, ENTRY_MAX)).optional(),
  initialState: list(value()).optional(),
});

/** A plant by its name, or of a file. Errors: BAD_FILE that names the field; those of `checkPlant`. */
export async function readPlant(name: string): Promise<PlantFile> {
  if (name === 'qube')
    return { ...rotaryPendulum('up'), initialGain: matrix(1, 4, Float64Array.from(QUBE_GAIN)) };
  if (name === 'qube-down')
    return {
      ...rotaryPendulum('down'),
      stateCost: diagonal(QUBE_DOWN.weights),
      inputCost: diagonal([QUBE_DOWN.inputWeight]),
      inputMax: Float64Array.from(QUBE_DOWN.inputMax),
      initialState: Float64Array.from(QUBE_DOWN.initialState),
    };
  const plant = plantOf(name, parsed(name, new TextDecoder().decode(await readInputFile(name))));
  checkPlant(plant);
  return plant;
}

function diagonal(entries: readonly number[]): Matrix {
  const out = identityMatrix(entries.length);
  for (const [i, entry] of entries.entries()) out.data[i * (entries.length + 1)] = entry;
  return out;
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badFile(path, `${path} is no JSON, or is cut.`, `A plant is one of ${PLANTS}.`, cause);
  }
}

function plantOf(path: string, data: unknown): PlantFile {
  const outcome = parseFields(schema, data);
  if (!('value' in outcome)) {
    const { field, problem } = outcome;
    throw bad(path, `${field === '' ? 'it' : field} ${problem}`);
  }
  const { A, B, Q, R, discount, initialGain, inputMax, initialState } = outcome.value;
  const of = (name: string, entries: readonly (readonly number[])[]): Matrix => matrixOf(path, name, entries);
  const inputMatrix = of('B', B);
  return {
    stateMatrix: of('A', A),
    inputMatrix,
    stateCost: Q === undefined ? identityMatrix(A.length) : of('Q', Q),
    inputCost: R === undefined ? identityMatrix(inputMatrix.columns) : of('R', R),
    ...(discount === undefined ? {} : { discount }),
    initialGain: initialGain && of('initialGain', initialGain),
    inputMax: inputMax && vectorOf(path, 'inputMax', inputMax, inputMatrix.columns),
    initialState: initialState && vectorOf(path, 'initialState', initialState, A.length),
  };
}

function matrixOf(path: string, name: string, entries: readonly (readonly number[])[]): Matrix {
  const columns = entries[0]?.length ?? 0;
  if (columns === 0) throw bad(path, `${name} is empty`);
  const odd = entries.findIndex((row) => row.length !== columns);
  if (odd >= 0)
    throw bad(path, `row ${odd} of ${name} has ${entries[odd].length} entries and row 0 ${columns}`);
  return matrix(entries.length, columns, Float64Array.from(entries.flat()));
}

function vectorOf(path: string, name: string, entries: readonly number[], length: number): Float64Array {
  if (entries.length !== length) throw bad(path, `${name} has ${entries.length} entries; it takes ${length}`);
  return Float64Array.from(entries);
}

function bad(path: string, what: string): Error {
  return badFile(
    path,
    `${path} holds no plant: ${what}.`,
    'A plant has A and B, and may have Q, R, discount, initialGain, inputMax and initialState.',
  );
}
