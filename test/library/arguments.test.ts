import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import { noiseExamples } from '../support/model-examples.js';

/** As JavaScript has it: nothing is checked before the call. */
// biome-ignore lint/suspicious/noExplicitAny: these tests pass what no compiler would let through.
type Anything = any;
const {
  calibrate,
  calibrationOf,
  calibrationRecordOf,
  connect,
  createAnalogSolver,
  createCholeskySolver,
  createConvolutionClassifier,
  createIdealSampler,
  createMlp,
  createOptimizer,
  Device,
  firstExamples,
  loadDataset,
  matrix,
  parseDeviceUri,
  train,
} = library as Anything;

const address = { seed: 1, step: 0, block: 0 };
const dense = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) };
const drive = Float64Array.of(1, 2);
const solving = { system: dense, drive, tolerance: 1e-2, address };
const relaxing = { system: dense, drive, initial: drive, time: 1, address };
const model = createMlp({ inputCount: 4, hidden: [3], classes: 2 });
const parameters = model.init(1);
const examples = noiseExamples(8, 4, 2, 1);
const data = { name: 'noise', rows: 2, columns: 2, classes: 2, train: examples, test: examples, digest: '' };
const training = { model, data, optimizer: createOptimizer('sgd'), epochs: 1, batch: 4, seed: 1 };
let device: Anything;

beforeAll(async () => {
  device = await connect('emulator:ideal-8');
});

afterAll(() => device.close());

async function errorOf(call: () => unknown): Promise<Anything> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

type Refusal = readonly [what: string, call: () => unknown, names: RegExp, code?: string];

/** Refused, by an error that names the argument. */
function expectRefusals(cases: readonly Refusal[]): void {
  const rows = cases.map(([what, call, names, code = 'BAD_ARGUMENT']) => ({ what, call, names, code }));
  it.each(rows)('$what', async ({ call, names, code }) => {
    const error = await errorOf(call);
    expect(error).toBeInstanceOf(library.ThermolinkError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(names);
    expect(error.message).toMatch(/^\S.*\.$/);
  });
}

describe('connect and parseDeviceUri refuse', () => {
  expectRefusals([
    ['no URI', () => connect(), /device URI is missing/],
    ['an address object', () => connect({ kind: 'emulator' }), /device URI is an object/],
    ['options that are none', () => connect('emulator:ideal-8', 'debug'), /options is the text "debug"/],
    [
      'a controller for a signal',
      () => connect('emulator:ideal-8', { signal: new AbortController() }),
      /signal/,
    ],
    [
      'a thread by name',
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
    ['a bank that it has not', () => device.loadProgram(2, image), /bank is 2/],
    ['no image', () => device.loadProgram(0), /program image is missing/],
    ['an unknown mode', load({ mode: 'dense' }), /image.mode is the text "dense"/],
    ['plain arrays', load({ couplings: [1, 0, 0, 1] }), /image.couplings.*Int16Array/],
    ['too few codes', load({ drive: new Int16Array(1) }), /image.drive has 1 codes; it must have 2/],
    ['a damping with a fraction', load({ damping: 0.5 }), /image.damping is 0.5/],
    ['an image that is none, to rewrite', () => device.rewriteProgram(0, {}), /image.mode is missing/],
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
    ['more than a machine has', () => matrix(1e9, 1e9), /rows × columns/],
  ]);
});

const solvers: [string, () => Anything][] = [
  ['createAnalogSolver', () => createAnalogSolver(device)],
  ['createIdealSampler', () => createIdealSampler()],
  ['createCholeskySolver', () => createCholeskySolver()],
];

describe.each(solvers)('solve of %s refuses', (_, create) => {
  const solve = (change: object) => () => create().solve({ ...solving, ...change });
  const longer = { rows: 2, columns: 2, data: new Float64Array(5).fill(1) };
  expectRefusals([
    ['no request', () => create().solve(), /request is missing/],
    ['no system', solve({ system: undefined }), /system is missing/],
    ['a matrix for a system', solve({ system: dense.matrix }), /system.kind is missing/],
    ['an unknown kind', solve({ system: { ...dense, kind: 'sparse' } }), /system.kind is the text "sparse"/],
    ['no matrix', solve({ system: { kind: 'dense' } }), /system.matrix is missing/],
    [
      'nested rows',
      solve({ system: { kind: 'dense', matrix: [[4]] } }),
      /system.matrix is an object of type Array/,
    ],
    [
      'data in a plain array',
      solve({ system: { kind: 'dense', matrix: { ...dense.matrix, data: [4, 1, 1, 3] } } }),
      /data/,
    ],
    [
      'more data than its shape',
      solve({ system: { kind: 'dense', matrix: longer } }),
      /5 entries/,
      'BAD_MATRIX',
    ],
    ['no factor', solve({ system: { kind: 'factored', damping: 1 } }), /system.factor is missing/],
    [
      'no damping',
      solve({ system: { kind: 'factored', factor: dense.matrix } }),
      /system.damping is missing/,
    ],
    ['a plain array for a drive', solve({ drive: [1, 2] }), /right-hand side is an object of type Array/],
    ['no drive', solve({ drive: undefined }), /right-hand side is missing/],
    ['no tolerance', solve({ tolerance: undefined }), /tolerance is missing/],
    ['a tolerance in a string', solve({ tolerance: '0.01' }), /tolerance is the text "0.01"/],
    ['no address', solve({ address: undefined }), /address is missing/],
    ['an empty address', solve({ address: {} }), /address.seed is missing/],
    ['a negative seed', solve({ address: { ...address, seed: -1 } }), /address.seed is -1/],
    ['a seed with a fraction', solve({ address: { ...address, seed: 0.5 } }), /address.seed is 0.5/],
    [
      'a seed beyond 32 bits',
      solve({ address: { ...address, seed: 2 ** 32 } }),
      /address.seed is 4294967296/,
    ],
    ['a block beyond 16 bits', solve({ address: { ...address, block: 65_536 } }), /address.block is 65536/],
    ['a controller for a signal', solve({ signal: new AbortController() }), /signal/],
    ['onProgress that is no function', solve({ onProgress: true }), /onProgress is true/],
  ]);
});

describe.each(solvers.slice(0, 2))('relax of %s refuses', (_, create) => {
  const relax = (change: object) => () => create().relax({ ...relaxing, ...change });
  const factor = { rows: 1, columns: 2, data: Float64Array.of(1, 2, 3) };
  expectRefusals([
    ['no request', () => create().relax(), /request is missing/],
    ['no system', relax({ system: null }), /system is null/],
    [
      'a factor longer than its shape',
      relax({ system: { kind: 'factored', factor, damping: 1 } }),
      /3 entries/,
      'BAD_MATRIX',
    ],
    ['no initial state', relax({ initial: undefined }), /initial state is missing/],
    ['a time in a string', relax({ time: '1' }), /time is the text "1"/],
    ['no time', relax({ time: undefined }), /time is missing/],
    ['no address', relax({ address: undefined }), /address is missing/],
    ['a step that is no number', relax({ address: { ...address, step: null } }), /address.step is null/],
  ]);
});

describe('the factories of solvers refuse', () => {
  expectRefusals([
    ['no device', () => createAnalogSolver(), /device is missing/],
    [
      'a device that was not awaited',
      () => createAnalogSolver(Promise.resolve()),
      /device is an object of type Promise/,
    ],
    ['a URI for a device', () => createAnalogSolver('emulator:ideal-8'), /device is the text/],
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
    ['options that are none', () => createAnalogSolver(device, 8), /options is 8/],
    [
      'negative noise of the ideal sampler',
      () => createIdealSampler({ noiseTemperature: -1 }),
      /noiseTemperature/,
    ],
    ['a number for its options', () => createIdealSampler(0.1), /options is 0.1/],
  ]);
});

describe('models refuse', () => {
  const mlp = (change: object) => () => createMlp({ inputCount: 4, hidden: [3], classes: 2, ...change });
  const convolution = (change: object) => () =>
    createConvolutionClassifier({ rows: 8, columns: 8, classes: 2, ...change });
  expectRefusals([
    ['no settings', () => createMlp(), /settings of a model is missing/],
    ['a hidden layer of −3', mlp({ hidden: [-3] }), /hidden\[0\] is -3/],
    ['a hidden layer of 2.5', mlp({ hidden: [4, 2.5] }), /hidden\[1\] is 2.5/],
    ['one width for hidden', mlp({ hidden: 3 }), /hidden is 3/],
    ['no inputs', mlp({ inputCount: undefined }), /inputCount is missing/],
    ['one class', mlp({ classes: 1 }), /classes is 1/],
    ['classes in a string', mlp({ classes: '10' }), /classes is the text/],
    ['no image', convolution({ rows: 0 }), /rows is 0/],
    ['no channels', convolution({ channels: 0 }), /channels is 0/],
    ['a negative stride', convolution({ stride: -1 }), /stride is -1/],
    ['a kernel of NaN', convolution({ kernel: Number.NaN }), /kernel is NaN/],
    ['hidden of a convolution', convolution({ hidden: [0] }), /hidden\[0\] is 0/],
    ['a negative seed', () => model.init(-1), /seed is -1/],
    ['a seed with a fraction', () => model.init(1.5), /seed is 1.5/],
    ['no seed', () => model.init(), /seed is missing/],
    ['no parameters', () => model.evaluate(undefined, examples), /parameters is missing/],
    [
      'too few parameters',
      () => model.evaluate(new Float64Array(3), examples),
      /parameters has 3 numbers.*23/,
    ],
    ['no examples', () => model.lossAndGradient(parameters), /examples is missing/],
    ['plain arrays', () => model.evaluate(parameters, { ...examples, inputs: [1] }), /examples.inputs/],
    [
      'too few labels',
      () => model.evaluate(parameters, { ...examples, labels: new Uint8Array(3) }),
      /labels has 3/,
    ],
    [
      'a label beyond the classes',
      () => model.perExampleFactors(parameters, { ...examples, labels: new Uint8Array(8).fill(9) }),
      /labels\[0\] is 9/,
    ],
    ['part of an example', () => model.predict(parameters, new Float32Array(6)), /inputs has 6 numbers/],
  ]);
});

describe('optimizers and training refuse', () => {
  const run = (change: object) => () => train({ ...training, ...change });
  expectRefusals([
    ['no name', () => createOptimizer(), /optimizer is missing/],
    ['an unknown optimizer', () => createOptimizer('sdg'), /"sdg"; it must be one of tngd/],
    ['a name of every object', () => createOptimizer('constructor'), /"constructor"/],
    ['a rate in a string', () => createOptimizer('sgd', { rate: '0.1' }), /rate is the text "0.1"/],
    ['a rate for options', () => createOptimizer('sgd', 0.1), /options is 0.1/],
    [
      'a device for a solver',
      () => createOptimizer('tngd', {}, device),
      /solver is an object of type Device/,
    ],
    [
      'a relaxation that never moves',
      () => createOptimizer('tngd', { time: 0 }, createIdealSampler()),
      /no step changes/,
    ],
    [
      'nor from zero',
      () => createOptimizer('tngd-adam', { time: 0, initial: 'zero' }, createIdealSampler()),
      /no step changes/,
    ],
    ['no request', () => train(), /request is missing/],
    ['no model', run({ model: undefined }), /model is missing/],
    ['no data', run({ data: undefined }), /data is missing/],
    ['a source for data', run({ data: { kind: 'mnist' } }), /data.train is missing/],
    ['a name for an optimizer', run({ optimizer: 'adam' }), /optimizer is the text "adam"/],
    ['a negative seed', run({ seed: -1 }), /seed is -1/],
    ['a seed with a fraction', run({ seed: 0.5 }), /seed is 0.5/],
    ['epochs in a string', run({ epochs: '1' }), /epochs is the text "1"/],
    ['a batch of none', run({ batch: 0 }), /batch size is 0/],
    ['onStep that is no function', run({ onStep: 'log' }), /onStep/],
    ['a path for output', run({ output: 'runs/first' }), /output is the text/],
    [
      'a misspelt policy',
      run({ output: { directory: '/nonexistent', existing: 'overwite' } }),
      /output.existing/,
    ],
    ['more examples than there are', () => firstExamples(examples, 9), /count is 9/],
    ['no examples', () => firstExamples(undefined, 1), /set is missing/],
    ['no calibration request', () => calibrate(device), /request is missing/],
    [
      'crosspoints in a string',
      () => calibrate(device, { seed: 0, samples: 1000, crosspoints: 'no' }),
      /crosspoints/,
    ],
    [
      'no record of a calibration',
      () => calibrationOf(undefined, new Date()),
      /no object/,
      'BAD_CALIBRATION',
    ],
    ['no time for it', () => calibrationOf({}), /now is missing/],
    ['a calibration that was not measured', () => calibrationRecordOf(), /result is missing/],
    ['no days', () => calibrationRecordOf({}, new Date(), 0), /validDays is 0/],
    ['no source', () => loadDataset(), /source is missing/],
    ['an unknown source', () => loadDataset({ kind: 'cifar' }), /source.kind is the text "cifar"/],
    ['a directory that is no path', () => loadDataset({ kind: 'directory' }), /source.directory is missing/],
  ]);

  it('but time 0 from the gradient, or with a delay of the kept state, is a way to move', () => {
    expect(createOptimizer('tngd', { time: 0, initial: 'gradient' }, createIdealSampler()).name).toBe('tngd');
    expect(createOptimizer('tngd', { time: 0, delay: 1 }, createIdealSampler()).name).toBe('tngd');
  });
});

describe('every exported function', () => {
  it('is in this file', () => {
    const functions = Object.entries(library).filter(([, value]) => typeof value === 'function');
    expect(functions.map(([name]) => name).sort()).toEqual(
      [
        ...[
          'Device',
          'ThermolinkError',
          'calibrate',
          'calibrationOf',
          'calibrationRecordOf',
          'connect',
          'createAnalogSolver',
          'createCholeskySolver',
        ],
        ...['createConvolutionClassifier', 'createIdealSampler', 'createMlp', 'createOptimizer'],
        ...['firstExamples', 'loadDataset', 'matrix', 'parseDeviceUri', 'stopBoardsOnExit', 'train'],
      ].sort(),
    );
  });
});
