import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import * as learning from '../../src/learning/index.js';
import * as measure from '../../src/measure/index.js';
import { noiseExamples } from '../support/network-examples.js';
import { type Anything, expectRefusals } from '../support/refusals.js';

const {
  calibrate,
  calibrationOf,
  calibrationRecordOf,
  connect,
  createConvolutionClassifier,
  createIdealSampler,
  createMlp,
  createOptimizer,
  firstExamples,
  heisenbergChain,
  isingChain,
  loadDataset,
  train,
  trainProblem,
} = { ...core, ...learning, ...measure } as Anything;

const network = createMlp({ inputCount: 4, hidden: [3], classes: 2 });
const parameters = network.init(1);
const examples = noiseExamples(8, 4, 2, 1);
const data = { name: 'noise', rows: 2, columns: 2, classes: 2, train: examples, test: examples, digest: '' };
const training = { network, data, optimizer: createOptimizer('sgd'), epochs: 1, batch: 4, seed: 1 };
let device: Anything;

beforeAll(async () => {
  device = await connect('emulator:ideal-8');
});

afterAll(() => device.close());

describe('networks refuse', () => {
  const mlp = (change: object) => () => createMlp({ inputCount: 4, hidden: [3], classes: 2, ...change });
  const convolution = (change: object) => () =>
    createConvolutionClassifier({ rows: 8, columns: 8, classes: 2, ...change });
  expectRefusals([
    ['no settings', () => createMlp(), /settings of a network is missing/],
    ['a hidden layer of −3', mlp({ hidden: [-3] }), /hidden\[0\] is -3/],
    ['a hidden layer of 2.5', mlp({ hidden: [4, 2.5] }), /hidden\[1\] is 2.5/],
    ['a number for hidden', mlp({ hidden: 3 }), /hidden is 3/],
    ['no inputs', mlp({ inputCount: undefined }), /inputCount is missing/],
    ['one class', mlp({ classes: 1 }), /classes is 1/],
    ['classes in a string', mlp({ classes: '10' }), /classes is the text/],
    ['no image', convolution({ rows: 0 }), /rows is 0/],
    ['no channels', convolution({ channels: 0 }), /channels is 0/],
    ['a negative stride', convolution({ stride: -1 }), /stride is -1/],
    ['a kernel of NaN', convolution({ kernel: Number.NaN }), /kernel is NaN/],
    ['a hidden layer of 0 in a convolution', convolution({ hidden: [0] }), /hidden\[0\] is 0/],
    ['a negative seed', () => network.init(-1), /seed is -1/],
    ['a seed with a fraction', () => network.init(1.5), /seed is 1.5/],
    ['no seed', () => network.init(), /seed is missing/],
    ['no parameters', () => network.evaluate(undefined, examples), /parameters is missing/],
    [
      'too few parameters',
      () => network.evaluate(new Float64Array(3), examples),
      /parameters has 3 numbers.*23/,
    ],
    ['no examples', () => network.lossAndGradient(parameters), /examples is missing/],
    ['plain arrays', () => network.evaluate(parameters, { ...examples, inputs: [1] }), /examples.inputs/],
    [
      'too few labels',
      () => network.evaluate(parameters, { ...examples, labels: new Uint8Array(3) }),
      /labels has 3/,
    ],
    [
      'a label beyond the classes',
      () => network.perExampleFactors(parameters, { ...examples, labels: new Uint8Array(8).fill(9) }),
      /labels\[0\] is 9/,
    ],
    ['part of an example', () => network.predict(parameters, new Float32Array(6)), /inputs has 6 numbers/],
  ]);
});

describe('problems and their training refuse', () => {
  const problem = isingChain({ sites: 4, chains: 8 });
  const training = { problem, optimizer: createOptimizer('adam'), steps: 2, seed: 1 };
  const run = (change: object) => () => trainProblem({ ...training, ...change });
  expectRefusals([
    ['no spins', () => isingChain(), /settings is missing/],
    ['two spins', () => isingChain({ sites: 2 }), /sites is 2/],
    ['no field', () => isingChain({ sites: 4, field: 0 }), /field is 0/],
    ['no chains', () => isingChain({ sites: 4, chains: 0 }), /chains is 0/],
    ['an odd ring', () => heisenbergChain({ sites: 7 }), /sites is 7; it must be an even number/],
    ['half a hidden unit', () => heisenbergChain({ sites: 6, density: 0.5 }), /density is 0.5/],
    ['no request', () => trainProblem(), /request is missing/],
    ['no problem', run({ problem: undefined }), /problem is missing/],
    [
      'a problem with a number for evaluate',
      run({ problem: { ...problem, evaluate: 3 } }),
      /problem.evaluate is 3; it must be a function/,
    ],
    ['no steps', run({ steps: 0 }), /steps is 0/],
    ['tests after half a step', run({ testEvery: 0.5 }), /testEvery is 0.5/],
    ['half a tick', () => createOptimizer('tngd', { ticks: 0.5 }), /ticks is 0.5/],
    [
      'ticks and a time',
      () => createOptimizer('tngd', { ticks: 9, time: 1 }),
      /has the option time only without ticks/,
    ],
    [
      'ticks for a solver without ticks',
      () => createOptimizer('tngd', { ticks: 9 }, createIdealSampler()),
      /can't run on this solver/,
      'UNSUPPORTED',
    ],
  ]);
});

describe('optimizers and training refuse', () => {
  const run = (change: object) => () => train({ ...training, ...change });
  expectRefusals([
    ['no name', () => createOptimizer(), /optimizer is missing/],
    ['an unknown optimizer', () => createOptimizer('sdg'), /"sdg"; it must be one of tngd/],
    ['the name of a property of every object', () => createOptimizer('constructor'), /"constructor"/],
    ['a rate in a string', () => createOptimizer('sgd', { rate: '0.1' }), /rate is the text "0.1"/],
    ['a rate in place of options', () => createOptimizer('sgd', 0.1), /options is 0.1/],
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
      'a relaxation from zero that never moves',
      () => createOptimizer('tngd-adam', { time: 0, initial: 'zero' }, createIdealSampler()),
      /no step changes/,
    ],
    ['no request', () => train(), /request is missing/],
    ['no network', run({ network: undefined }), /network is missing/],
    ['no data', run({ data: undefined }), /data is missing/],
    ['a source for data', run({ data: { kind: 'mnist' } }), /data.train is missing/],
    ['a name for an optimizer', run({ optimizer: 'adam' }), /optimizer is the text "adam"/],
    ['a negative seed', run({ seed: -1 }), /seed is -1/],
    ['a seed with a fraction', run({ seed: 0.5 }), /seed is 0.5/],
    ['epochs in a string', run({ epochs: '1' }), /epochs is the text "1"/],
    ['an empty batch', run({ batch: 0 }), /batch is 0/],
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
      /takes an object/,
      'BAD_CALIBRATION',
    ],
    ['no time for the check of a calibration', () => calibrationOf({}), /now is missing/],
    ['a calibration that was not measured', () => calibrationRecordOf(), /result is missing/],
    ['no days', () => calibrationRecordOf({}, new Date(), 0), /validDays is 0/],
    ['no source', () => loadDataset(), /source is missing/],
    ['an unknown source', () => loadDataset({ kind: 'cifar' }), /source.kind is the text "cifar"/],
    ['a directory that is no path', () => loadDataset({ kind: 'directory' }), /source.directory is missing/],
  ]);

  it('accepts time 0 with the initial state `gradient`, or with a delay: then the parameters move', () => {
    expect(createOptimizer('tngd', { time: 0, initial: 'gradient' }, createIdealSampler()).name).toBe('tngd');
    expect(createOptimizer('tngd', { time: 0, delay: 1 }, createIdealSampler()).name).toBe('tngd');
  });
});
