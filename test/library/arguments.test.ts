import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import { type Anything, expectRefusals } from '../support/refusals.js';

const {
  checkSystem,
  connect,
  createAnalogSolver,
  createBoardGroupSolver,
  createCholeskySolver,
  createIdealSampler,
  createNoSolver,
  Device,
  drawLaplace,
  drawLogistic,
  drawPosterior,
  drawSamples,
  sampleMoments,
  fittingEmulator,
  gaussianPosterior,
  invert,
  laplacePosterior,
  logDeterminant,
  logisticPosterior,
  matrix,
  naturalPolicyGradient,
  parseDeviceUri,
  posteriorMoments,
  predictiveControl,
  prepare,
  regressionPosterior,
  relax,
  solve,
  solveLyapunov,
  solveQp,
  summarizeDraws,
} = library as Anything;

const address = { seed: 1, step: 0, block: 0 };
const dense = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) };
const drive = Float64Array.of(1, 2);
const solving = { system: dense, drive, tolerance: 1e-2, address };
const relaxing = { system: dense, drive, initial: drive, time: 1, address };
let device: Anything;

beforeAll(async () => {
  device = await connect('emulator:ideal-8');
});

afterAll(() => device.close());

describe('connect and parseDeviceUri refuse', () => {
  expectRefusals([
    ['no URI', () => connect(), /device URI is missing/],
    ['an address object', () => connect({ kind: 'emulator' }), /device URI is an object/],
    ['a text as options', () => connect('emulator:ideal-8', 'debug'), /options is the text "debug"/],
    [
      'a controller for a signal',
      () => connect('emulator:ideal-8', { signal: new AbortController() }),
      /signal/,
    ],
    [
      'a text for ownThread',
      () => connect('emulator:ideal-8', { ownThread: 'yes' }),
      /ownThread is the text "yes"/,
    ],
    ['no text', () => parseDeviceUri(8), /device URI is 8/],
    ['a text that is no URI', () => parseDeviceUri('ideal-8'), /"ideal-8"/, 'BAD_DEVICE_URI'],
    ['no port', () => Device.open(), /port is missing/],
  ]);
});

describe('a connected device refuses', () => {
  const image = {
    ...{ mode: 0, cells: 2, rows: 2, couplingBits: 16, rowAttenuation: 0, couplings: new Int16Array(4) },
    ...{
      drive: new Int16Array(2),
      initialState: new Int16Array(2),
      damping: 0,
      noiseAmplitude: 0,
      noiseShift: 8,
    },
  };
  const load = (change: object) => () => device.loadProgram(0, { ...image, ...change });
  expectRefusals([
    ['no program', () => device.loadProgram(), /bank is missing/],
    ['a bank that the board does not have', () => device.loadProgram(2, image), /bank is 2/],
    ['no image', () => device.loadProgram(0), /program image is missing/],
    ['an unknown mode', load({ mode: 'dense' }), /image.mode is the text "dense"/],
    ['plain arrays', load({ couplings: [1, 0, 0, 1] }), /image.couplings.*Int16Array/],
    ['too few codes', load({ drive: new Int16Array(1) }), /image.drive has 1 code; it must have 2/],
    ['a damping with a fraction', load({ damping: 0.5 }), /image.damping is 0.5/],
    [
      'an empty object as the image of a rewrite',
      () => device.rewriteProgram(0, {}),
      /image.mode is missing/,
    ],
    ['no couplings to upload', () => device.uploadCouplings(0, null), /program image is null/],
    ['no run', () => device.run(), /run is missing/],
    ['an empty run', () => device.run({}), /bank is missing/],
    ['no readings', () => device.acquire({ bank: 0 }), /sampleCount is missing/],
    ['a controller for a signal', () => device.run({ bank: 0, signal: new AbortController() }), /signal/],
  ]);
});

describe('matrix refuses', () => {
  expectRefusals([
    ['a negative side', () => matrix(-1, 2), /rows is -1/],
    ['a fraction', () => matrix(1, 2.5), /columns is 2.5/],
    ['a number in a string', () => matrix('2', 2), /rows is the text "2"/],
    ['a plain array', () => matrix(1, 2, [1, 2]), /data is an object of type Array.*Float64Array/],
    ['too few numbers', () => matrix(2, 2, new Float64Array(3)), /2×2.*3 entries/, 'BAD_MATRIX'],
    ['more entries than a memory holds', () => matrix(1e9, 1e9), /rows × columns/],
  ]);
});

const solvers: [string, () => Anything][] = [
  ['createAnalogSolver', () => createAnalogSolver(device)],
  ['createIdealSampler', () => createIdealSampler()],
  ['createCholeskySolver', () => createCholeskySolver()],
];

describe.each(solvers)('solve of %s refuses', (_, create) => {
  const solveWith = (change: object) => () => create().solve({ ...solving, ...change });
  const longer = { rows: 2, columns: 2, data: new Float64Array(5).fill(1) };
  expectRefusals([
    ['no request', () => create().solve(), /request is missing/],
    ['no system', solveWith({ system: undefined }), /system is missing/],
    ['a matrix for a system', solveWith({ system: dense.matrix }), /system.kind is missing/],
    [
      'an unknown kind',
      solveWith({ system: { ...dense, kind: 'sparse' } }),
      /system.kind is the text "sparse"/,
    ],
    ['no matrix', solveWith({ system: { kind: 'dense' } }), /system.matrix is missing/],
    [
      'nested rows',
      solveWith({ system: { kind: 'dense', matrix: [[4]] } }),
      /system.matrix is an object of type Array/,
    ],
    [
      'data in a plain array',
      solveWith({ system: { kind: 'dense', matrix: { ...dense.matrix, data: [4, 1, 1, 3] } } }),
      /data/,
    ],
    [
      'more data than its shape',
      solveWith({ system: { kind: 'dense', matrix: longer } }),
      /5 entries/,
      'BAD_MATRIX',
    ],
    ['no factor', solveWith({ system: { kind: 'factored', damping: 1 } }), /system.factor is missing/],
    [
      'no damping',
      solveWith({ system: { kind: 'factored', factor: dense.matrix } }),
      /system.damping is missing/,
    ],
    ['a plain array for a drive', solveWith({ drive: [1, 2] }), /right-hand side is an object of type Array/],
    ['no drive', solveWith({ drive: undefined }), /right-hand side is missing/],
    ['no tolerance', solveWith({ tolerance: undefined }), /tolerance is missing/],
    ['a tolerance in a string', solveWith({ tolerance: '0.01' }), /tolerance is the text "0.01"/],
    ['no address', solveWith({ address: undefined }), /address is missing/],
    ['an empty address', solveWith({ address: {} }), /address.seed is missing/],
    ['a negative seed', solveWith({ address: { ...address, seed: -1 } }), /address.seed is -1/],
    ['a seed with a fraction', solveWith({ address: { ...address, seed: 0.5 } }), /address.seed is 0.5/],
    [
      'a seed beyond 32 bits',
      solveWith({ address: { ...address, seed: 2 ** 32 } }),
      /address.seed is 4294967296/,
    ],
    [
      'a block beyond 16 bits',
      solveWith({ address: { ...address, block: 65_536 } }),
      /address.block is 65536/,
    ],
    ['a controller for a signal', solveWith({ signal: new AbortController() }), /signal/],
    ['onProgress that is no function', solveWith({ onProgress: true }), /onProgress is true/],
  ]);
});

describe.each(solvers.slice(0, 2))('relax of %s refuses', (_, create) => {
  const relaxWith = (change: object) => () => create().relax({ ...relaxing, ...change });
  const factor = { rows: 1, columns: 2, data: Float64Array.of(1, 2, 3) };
  expectRefusals([
    ['no request', () => create().relax(), /request is missing/],
    ['no system', relaxWith({ system: null }), /system is null/],
    [
      'a factor longer than its shape',
      relaxWith({ system: { kind: 'factored', factor, damping: 1 } }),
      /3 entries/,
      'BAD_MATRIX',
    ],
    ['no initial state', relaxWith({ initial: undefined }), /initial state is missing/],
    ['a time in a string', relaxWith({ time: '1' }), /time is the text "1"/],
    ['no time', relaxWith({ time: undefined }), /time is missing/],
    ['no address', relaxWith({ address: undefined }), /address is missing/],
    ['a step that is no number', relaxWith({ address: { ...address, step: null } }), /address.step is null/],
  ]);
});

describe('the factories of solvers refuse', () => {
  expectRefusals([
    ['no list of boards', () => createBoardGroupSolver(device), /devices is/],
    ['no device', () => createAnalogSolver(), /device is missing/],
    [
      'a promise in place of a device',
      () => createAnalogSolver(Promise.resolve()),
      /device is an object of type Promise/,
    ],
    ['a URI in place of a device', () => createAnalogSolver('emulator:ideal-8'), /device is the text/],
    [
      '17 coupling bits',
      () => createAnalogSolver(device, { relaxCouplingBits: 17 }),
      /relaxCouplingBits is 17/,
    ],
    ['bits in a string', () => createAnalogSolver(device, { relaxCouplingBits: '8' }), /relaxCouplingBits/],
    [
      'negative noise',
      () => createAnalogSolver(device, { relaxNoiseTemperature: -1 }),
      /relaxNoiseTemperature/,
    ],
    [
      'a bound that is no number',
      () => createAnalogSolver(device, { ticksMax: Number.NaN }),
      /ticksMax is NaN/,
    ],
    ['a number as options', () => createAnalogSolver(device, 8), /options is 8/],
    [
      'negative noise of the ideal sampler',
      () => createIdealSampler({ noiseTemperature: -1 }),
      /noiseTemperature/,
    ],
    ['a number as options of the ideal sampler', () => createIdealSampler(0.1), /options is 0.1/],
  ]);
});

describe('sampling and inverting refuse', () => {
  const draw = (change: object) => () =>
    drawSamples(device, { precision: dense, count: 4, address, ...change });
  const inverse = (change: object) => () =>
    invert(device, { system: dense, tolerance: 1e-2, address, ...change });
  expectRefusals([
    ['no device to draw on', () => drawSamples(), /device is missing/],
    ['no request for draws', () => drawSamples(device), /request is missing/],
    ['no precision', draw({ precision: undefined }), /precision is missing/],
    ['no draws', draw({ count: 0 }), /number of draws is 0/],
    ['draws at no address', draw({ address: undefined }), /address is missing/],
    ['a controller for the signal of draws', draw({ signal: new AbortController() }), /signal/],
    ['a text as the progress callback of draws', draw({ onProgress: 'log' }), /onProgress/],
    ['no device for moments', () => sampleMoments(), /device is missing/],
    ['no request for moments', () => sampleMoments(device), /request is missing/],
    ['no device to invert on', () => invert(), /device is missing/],
    ['nothing to invert', () => invert(device), /request is missing/],
    ['no system to invert', inverse({ system: dense.matrix }), /system.kind is missing/],
    ['an inverse without tolerance', inverse({ tolerance: undefined }), /tolerance is missing/],
    ['an inverse at a block of −1', inverse({ address: { ...address, block: -1 } }), /address.block is -1/],
    ['a text for the progress of an inverse', inverse({ onProgress: 'log' }), /onProgress/],
    ['cells in a string', () => fittingEmulator('8'), /cells is the text "8"/],
  ]);
});

describe('solve, relax and checkSystem refuse', () => {
  const solved = (change: object) => () => solve(device, { ...solving, ...change });
  const relaxed = (change: object) => () => relax(device, { ...relaxing, ...change });
  expectRefusals([
    ['no device to solve on', () => solve(), /device is missing/],
    ['nothing to solve', () => solve(device), /request is missing/],
    ['no time for a solve', solved({ ticksMax: 0 }), /ticksMax is 0/],
    ['no device to relax on', () => relax(), /device is missing/],
    ['nothing to relax', () => relax(device), /request is missing/],
    ['couplings of 17 bits', relaxed({ couplingBits: 17 }), /couplingBits is 17/],
    ['noise below zero', relaxed({ noiseTemperature: -1 }), /noiseTemperature is -1/],
    ['nothing to load', () => createAnalogSolver(device).truncated(), /request is missing/],
    ['no request for the solver without a board', () => createNoSolver().truncated(), /request is missing/],
    [
      'a number as a factor',
      () => createAnalogSolver(device).truncated({ factor: 3, address }, async () => 0),
      /system.factor is 3/,
    ],
    ['nothing to check', async () => checkSystem(), /system is missing/],
    ['a matrix for a system', async () => checkSystem(dense.matrix), /system.kind is missing/],
  ]);
});

describe('prepare refuses', () => {
  const settleWith = (change: object) => () =>
    prepare(device, { system: dense }).settle({ drive, tolerance: 1e-2, address, ...change });
  expectRefusals([
    ['no device', () => prepare(), /device is missing/],
    ['no request', () => prepare(device), /request is missing/],
    ['no system', () => prepare(device, {}), /system is missing/],
    ['a damping below 0', () => prepare(device, { system: dense, dampingMax: -1 }), /dampingMax is -1/],
    ['no drive', settleWith({ drive: undefined }), /right-hand side is missing/],
    ['an address without a seed', settleWith({ address: { step: 0, block: 0 } }), /address.seed is missing/],
    ['a damping that it was not prepared for', settleWith({ damping: 1 }), /damping is 1; this system/],
    ['no draws', () => prepare(device, { system: dense }).sample({ address }), /number of draws is missing/],
  ]);
});

describe('solveQp refuses', () => {
  const one = matrix(1, 1, Float64Array.of(1));
  const bounds = { lower: Float64Array.of(0), upper: Float64Array.of(1) };
  const program = { hessian: one, linear: Float64Array.of(1), constraints: one, ...bounds };
  const change = (changed: object) => () => solveQp(device, { ...program, ...changed }, { address });
  const asked = (changed: object) => () => solveQp(device, program, { address, ...changed });
  expectRefusals([
    ['no device', () => solveQp(), /device is missing/],
    ['no program', () => solveQp(device), /program is missing/],
    ['no request', () => solveQp(device, program), /request is missing/],
    ['no Hessian', change({ hessian: undefined }), /hessian is missing/],
    ['plain arrays', change({ linear: [1] }), /linear is an object of type Array/],
    ['a tolerance of 0', asked({ tolerance: 0 }), /tolerance is 0/],
    ['no iterations', asked({ iterationsMax: 0 }), /iterationsMax is 0/],
    ['half a start', asked({ warmStart: { x: Float64Array.of(1) } }), /warmStart.y is missing/],
  ]);
});

describe('naturalPolicyGradient and predictiveControl refuse', () => {
  const one = matrix(1, 1, Float64Array.of(1));
  const plant = { stateMatrix: one, inputMatrix: one, stateCost: one, inputCost: one };
  const learnt = (changed: object) => () =>
    naturalPolicyGradient(device, { plant, initialGain: one, address, ...changed });
  const bounds = { initialState: Float64Array.of(1), inputMax: Float64Array.of(1) };
  const planned = (changed: object) => () =>
    predictiveControl(device, { plant, ...bounds, address, ...changed });
  const wide = matrix(1, 2, Float64Array.of(1, 1));
  expectRefusals([
    ['no device', () => naturalPolicyGradient(), /device is missing/],
    ['no request', () => naturalPolicyGradient(device), /request is missing/],
    ['no plant', learnt({ plant: undefined }), /plant is missing/],
    ['no gain', learnt({ initialGain: undefined }), /initialGain is missing/],
    ['a gain of another shape', learnt({ initialGain: wide }), /initialGain is 1×2/, 'BAD_MATRIX'],
    ['no rows', learnt({ rows: 0 }), /rows is 0/],
    ['a discount of 2', learnt({ plant: { ...plant, discount: 2 } }), /discount is 2/],
    ['no device to plan on', () => predictiveControl(), /device is missing/],
    ['nothing to plan', () => predictiveControl(device), /request is missing/],
    [
      'a B of another shape',
      planned({ plant: { ...plant, inputMatrix: wide } }),
      /inputCost is 1×1/,
      'BAD_MATRIX',
    ],
    ['no bounds', planned({ inputMax: undefined }), /inputMax is missing/],
    ['a bound of 0', planned({ inputMax: Float64Array.of(0) }), /inputMax\[0\] is 0/],
    ['no horizon', planned({ horizon: 0 }), /horizon is 0/],
  ]);
});

describe('solveLyapunov refuses', () => {
  const one = matrix(1, 1, Float64Array.of(1));
  const asked = (changed: object) => () =>
    solveLyapunov(device, { matrix: one, rhs: one, address, ...changed });
  expectRefusals([
    ['no device', () => solveLyapunov(), /device is missing/],
    ['no request', () => solveLyapunov(device), /request is missing/],
    ['no A', asked({ matrix: undefined }), /matrix is missing/],
    ['no S', asked({ rhs: null }), /rhs is null/],
    ['too few readings', asked({ readings: 100 }), /readings is 100/],
  ]);
});

describe('logDeterminant refuses', () => {
  const asked = (changed: object) => () => logDeterminant(device, { system: dense, address, ...changed });
  const indefinite = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(1, 2, 2, 1)) };
  expectRefusals([
    ['no device', () => logDeterminant(), /device is missing/],
    ['no request', () => logDeterminant(device), /request is missing/],
    ['no system', asked({ system: undefined }), /system is missing/],
    ['no readings', asked({ readings: 0 }), /readings is 0/],
    ['an indefinite matrix', asked({ system: indefinite }), /not positive definite/, 'NOT_POSITIVE_DEFINITE'],
  ]);
});

describe('posteriors refuse', () => {
  const inputs = matrix(3, 1, Float64Array.of(1, 2, 4));
  const observed = { inputs, targets: Float64Array.of(1, 2, 3), noiseSd: 1, priorPrecision: 1 };
  const regress = (change: object) => () => regressionPosterior({ ...observed, ...change });
  const draw = (change: object) => () =>
    drawPosterior(device, { posterior: regressionPosterior(observed), draws: 8, address, ...change });
  const moments = (change: object) => () =>
    posteriorMoments(device, { posterior: regressionPosterior(observed), draws: 64, address, ...change });
  const gaussian = {
    priorMean: drive,
    priorPrecision: dense.matrix,
    noisePrecision: dense.matrix,
    observations: matrix(1, 2, drive),
  };
  const mean = (change: object) => () => gaussianPosterior({ ...gaussian, ...change });
  expectRefusals([
    ['no regression', () => regressionPosterior(), /request is missing/],
    ['no inputs', regress({ inputs: undefined }), /inputs is missing/],
    ['targets in a plain array', regress({ targets: [1, 2, 3] }), /targets is an object of type Array/],
    ['noise in a string', regress({ noiseSd: '1' }), /noiseSd is the text "1"/],
    ['a prior of NaN', regress({ priorPrecision: Number.NaN }), /priorPrecision is NaN/],
    ['no Gaussian', () => gaussianPosterior(), /request is missing/],
    ['no prior', mean({ priorPrecision: undefined }), /priorPrecision is missing/],
    ['a plain array for a mean', mean({ priorMean: [1, 2] }), /priorMean is an object of type Array/],
    ['observations of another size', mean({ observations: matrix(1, 3) }), /1×3/, 'BAD_MATRIX'],
    ['no device to draw a posterior on', () => drawPosterior(), /request is missing/],
    ['no posterior', draw({ posterior: undefined }), /posterior is missing/],
    ['no draws of a posterior', draw({ draws: 0 }), /number of draws is 0/],
    ['a mean of another kind', draw({ mean: 'exact' }), /mean is the text "exact"/],
    ['no request for moments of a posterior', () => posteriorMoments(), /request is missing/],
    ['no posterior for its moments', moments({ posterior: undefined }), /posterior is missing/],
    ['moments of no draws', moments({ draws: 0 }), /number of draws is 0/],
    ['no last layer', () => laplacePosterior(), /layer is missing/],
    [
      'no weights',
      () => laplacePosterior({ features: inputs, probabilities: inputs }, 1),
      /weights is missing/,
    ],
    ['no networks to draw', () => drawLaplace(device), /request is missing/],
    ['no posterior of a layer', () => drawLaplace(device, { networks: 1, address }), /posterior is missing/],
    ['no logistic regression', () => logisticPosterior(), /request is missing/],
    ['no labels', () => logisticPosterior({ inputs, priorPrecision: 1 }), /labels is missing/],
    ['no device for logistic draws', () => drawLogistic(), /device is missing/],
    ['nothing to draw', () => drawLogistic(device), /request is missing/],
    ['no logistic posterior', () => drawLogistic(device, { draws: 8, address }), /posterior is missing/],
    ['nothing to summarize', () => summarizeDraws(), /chains is missing/],
    ['a chain in a plain array', () => summarizeDraws([[1, 2, 3, 4]]), /chain 1 is an object of type Array/],
  ]);
});

describe('every exported function', () => {
  it('has a test in this file', () => {
    const functions = Object.entries(library).filter(([, value]) => typeof value === 'function');
    const source = readFileSync(new URL('arguments.test.ts', import.meta.url), 'utf8');
    const isCalled = (name: string) => new RegExp(`(?<![.\\w])${name}[.(]`).test(source);
    // Two exports need no test here. ThermolinkError is the class of the errors, and stopBoardsOnExit would
    // change how this process ends.
    expect(
      functions
        .map(([name]) => name)
        .filter((name) => !isCalled(name))
        .sort(),
    ).toEqual(['ThermolinkError', 'stopBoardsOnExit']);
  });
});
