import { beforeEach, describe, expect, it } from 'vitest';
import { relax } from '../../src/algorithms/relax.js';
import { connect } from '../../src/connect.js';
import type { BoardDevice } from '../../src/driver/device-api.js';
import { ThermolinkError } from '../../src/errors.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { randomSource } from '../../src/linalg/random.js';
import { normalVector } from '../../src/linalg/random-system.js';
import { missingPackage, runPython, serveBoard } from './package.js';
import { recordingDevice, type Sent } from './recording-device.js';

/** One call, in both languages. `x` of the outcome is what has to be the same beside what is sent. */
interface Case {
  readonly name: string;
  readonly call: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly here: (device: BoardDevice) => Promise<{ readonly x: Float64Array }>;
}

interface Outcome {
  readonly sent: readonly Sent[];
  readonly result?: { readonly x: readonly number[] };
  readonly error?: string;
}

const SEED = 11;
const random = randomSource({ seed: SEED, stream: 274 });
const rowsOf = ({ rows, columns, data }: Matrix): number[][] =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
const randomMatrix = (rows: number, columns: number): Matrix =>
  matrix(rows, columns, normalVector(random, rows * columns));

function relaxCase(
  name: string,
  [rows, columns]: readonly [number, number],
  time: number,
  extra: {
    readonly driveFactor?: number;
    readonly couplingBits?: number;
    readonly noiseTemperature?: number;
  },
): Case {
  const { driveFactor = 1, couplingBits = 8, noiseTemperature = 0 } = extra;
  const factor = randomMatrix(rows, columns);
  const drive = normalVector(random, columns).map((value) => value * driveFactor);
  const initial = normalVector(random, columns);
  const damping = 0.125;
  const address = { seed: 7, step: 3, block: 2 };
  return {
    name: `relax, ${name}`,
    call: 'relax',
    arguments: {
      ...{ factor: rowsOf(factor), drive: [...drive], damping, time, initial: [...initial], ...address },
      ...{ coupling_bits: couplingBits, noise_temperature: noiseTemperature },
    },
    here: (device) =>
      relax(device, {
        ...{ system: { kind: 'factored', factor, damping }, drive, initial, time, address },
        ...{ couplingBits, noiseTemperature },
      }),
  };
}

const RELAXATIONS = [
  relaxCase('8-bit couplings', [5, 8], 0.5, {}),
  relaxCase('16-bit couplings and noise', [8, 8], 2, { couplingBits: 16, noiseTemperature: 1e-5 }),
  relaxCase('a time of 0', [3, 5], 0, {}),
  relaxCase('a large drive, one unknown left over from four', [7, 7], 3, { driveFactor: 1e9 }),
  relaxCase('a drive that is tiny', [1, 1], 1, { driveFactor: 1e-12 }),
];

/** What this library sends to a board and answers for a case. */
async function outcomeHere(profile: string, { here }: Case): Promise<Outcome> {
  const sent: Sent[] = [];
  const device = await connect(`emulator:${profile}`);
  try {
    const { x } = await here(recordingDevice(device, sent));
    return { sent, result: { x: [...x] } };
  } catch (error) {
    if (error instanceof ThermolinkError) return { sent, error: error.code };
    throw error;
  } finally {
    await device.close();
  }
}

async function outcomesInPython(profile: string, cases: readonly Case[]): Promise<Outcome[]> {
  const uri = await serveBoard(profile);
  const script = new URL('run_cases.py', import.meta.url).pathname;
  const input = JSON.stringify(cases.map(({ call, arguments: given }) => ({ call, arguments: given })));
  const { exitCode, stdout, stderr } = await runPython([script, uri], { input });
  expect(exitCode, stderr).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome);
}

async function expectSameBits(profile: string, cases: readonly Case[]): Promise<void> {
  const found = await outcomesInPython(profile, cases);
  for (const [at, one] of cases.entries()) {
    const wanted = await outcomeHere(profile, one);
    const { sent, result, error } = found[at];
    expect(sent, one.name).toEqual(wanted.sent);
    expect({ x: result?.x, error }, one.name).toEqual({ x: wanted.result?.x, error: wanted.error });
  }
}

describe('the Python package sends what this library sends, bit for bit', () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  it(`relaxations on ideal-8 (seed ${SEED})`, () => expectSameBits('ideal-8', RELAXATIONS));
});
