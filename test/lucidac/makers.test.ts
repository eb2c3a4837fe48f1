import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { matrix } from '../../src/linalg/matrix.js';
import { circuitOf, configuration, placementOf } from '../../src/lucidac/circuit.js';
import { createLucidacSolver, openLucidac } from '../../src/lucidac/index.js';
import { encode } from '../../src/lucidac/messages.js';
import { runCommand } from '../../src/lucidac/run.js';
import { MAC } from './fake-lucidac.js';

const PYTHON = process.env['PYTHON'] ?? 'python3';
const SCRIPT = new URL('makers.py', import.meta.url).pathname;

/** The missing package, or undefined. No package index has it, so CI skips these tests. */
function missingPackage(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import pybrid.base.proto.main_pb2, pybrid.mock.dummy_dac']);
  return status === 0
    ? undefined
    : 'pybrid-computing, the Python package of the LUCIDAC’s makers, is missing';
}
const missing = missingPackage();

const address = { seed: 1, step: 0, block: 0 };
const circuit = circuitOf({ kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) });

describe('the package of the makers', () => {
  const children: ChildProcess[] = [];

  beforeEach((context) => {
    context.skip(missing !== undefined, missing);
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill();
  });

  function decoded(bytes: Uint8Array): unknown {
    const input = Buffer.from(bytes).toString('hex');
    const { stdout, stderr } = spawnSync(PYTHON, [SCRIPT, 'decode'], { input, encoding: 'utf8' });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }

  it('reads a configuration as it was meant', () => {
    const inputs = { drive: Float64Array.of(0.25, -0.5), initial: Float64Array.of(0, 0.125) };
    const items = configuration(MAC, circuit, placementOf(circuit, 0), inputs);
    const command = { module: { items }, resetBefore: true };
    const path = (block: string) => ({ path: `${MAC}${block}` });
    expect(decoded(encode('Envelope', { message: { id: 'one', configCommand: command } }))).toEqual({
      message_v1: {
        id: 'one',
        config_command: {
          reset_before: true,
          module: {
            items: [
              { entity: path(''), adc_config: { channels: [{ gain: 1 }, { idx: 1, gain: 1 }] } },
              {
                entity: path('/0/M0'),
                itor_config: { elements: [{ k: 10_000 }, { idx: 1, ic: -0.125, k: 10_000 }] },
              },
              {
                entity: path('/0/U'),
                select_config: {
                  connections: [
                    {},
                    { input: 1, output: 1 },
                    { output: 2 },
                    { input: 1, output: 3 },
                    { input: 15, output: 4 },
                    { input: 15, output: 5 },
                  ],
                  constant: 'POS_REF',
                },
              },
              {
                entity: path('/0/C'),
                coef_config: {
                  elements: [
                    { factor: 1 },
                    { idx: 1, factor: 0.25 },
                    { idx: 2, factor: 0.25 },
                    { idx: 3, factor: 0.75 },
                    { idx: 4, factor: -0.25 },
                    { idx: 5, factor: 0.5 },
                  ],
                },
              },
              {
                entity: path('/0/I'),
                sum_config: { connections: [{ inputs: [0, 1, 4] }, { inputs: [2, 3, 5], output: 1 }] },
              },
            ],
          },
        },
      },
    });
  });

  it('reads the start of a run and a calibration as they were meant', () => {
    const request = { id: 'r', operatingTimeNs: 2_000_000, channels: 3, sampleRate: 62_500 };
    const started = decoded(
      encode('Envelope', { message: { id: 'a', startRunCommand: runCommand(request) } }),
    );
    expect(started).toMatchObject({
      message_v1: {
        start_run_command: {
          run: { id: 'r' },
          run_config: {
            op_time: { value: '2000000', prefix: 'NANO' },
            halt_on_overload: false,
            streaming: true,
          },
          daq_config: { num_channels: 4, sample_rate: 62_500, sample_op: true, sample_op_end: true },
        },
      },
    });
    const config = { leader: { path: MAC }, gain: 1, offset: 1 };
    expect(
      decoded(encode('Envelope', { message: { id: 'b', calibrationCommand: { config } } })),
    ).toMatchObject({
      message_v1: {
        calibration_command: { config: { leader: { path: MAC }, gain: 'Enabled', offset: 'Enabled' } },
      },
    });
  });

  it('has a mock that is opened, configured, calibrated, run and read; it computes nothing', async () => {
    const child = spawn(PYTHON, [SCRIPT, 'serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    await using lucidac = await openLucidac({ host: '127.0.0.1', port: Number(line) });
    expect(lucidac.facts).toMatchObject({ mac: '00-00-00-00-00-00', carrierVersion: '1.0.0' });
    expect(lucidac.facts.parts.map(({ path }) => path)).toContain('/00-00-00-00-00-00/0/M0');
    expect(await lucidac.ping()).toBeGreaterThan(0);
    const { x } = await createLucidacSolver(lucidac).relax({
      system: { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) },
      drive: new Float64Array(2),
      ...{ initial: Float64Array.of(0.8, 0.4), time: 2, address },
    });
    // At a scale of 1 the mock ends its runs at −1 and 0. The values are halved once it is calibrated.
    expect([...x]).toEqual([-0.5, 0]);
  });
});
