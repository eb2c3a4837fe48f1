import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { solve } from '../../src/algorithms/solve/solve.js';
import { checkSystem } from '../../src/board/checked-system.js';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import type { RunOptions } from '../../src/driver/device-api.js';
import { matrix } from '../../src/linalg/matrix.js';
import { programImage } from '../support/analog-boards.js';
import { emptyFlash } from './check-firmware.js';
import { startQemu } from './devices.js';
import { makeMcu, readUf2File } from './firmware.js';
import { life } from './lives.js';
import { PicoChip, readUf2 } from './pico-chip.js';
import { type PluggedIn, plugInUsb } from './pico-port.js';

const CELLS = 64;
const SAMPLES = 10;
const COUPLING_BYTES = 2 * CELLS * CELLS;
const UPLOAD_MS = 5;
const WATCHDOG_NS_MAX = 2.5e9;
const FULL: ProgramImage = programImage({
  cells: CELLS,
  couplings: Int16Array.from({ length: CELLS * CELLS }, (_, i) => (i % (CELLS + 1) === 0 ? 9000 : 3)),
});
const RUN: RunOptions = {
  bank: 0,
  runSeed: 3,
  burnInTicks: 20,
  sampleCount: 1,
  ticksPerSample: 1,
  watchdogMs: 60_000,
};

describe('a Pico that restarts', () => {
  let usb: Uint8Array;
  let expected: unknown;

  beforeAll(async () => {
    usb = readUf2(readUf2File(makeMcu('pico'), 'thermolink-pico.uf2'));
    const emulated = await connect('emulator:ideal-64');
    expected = await life(emulated, CELLS, SAMPLES);
    await emulated.close();
  });

  /** Checks that after a restart no program is there, and that the results are those of a new board. */
  async function nextLife({ port, clock, run }: PluggedIn, epoch: number): Promise<void> {
    const device = await run(Device.open(port, { clock }));
    expect(device.identity.bootEpoch).toBe(epoch);
    expect(await run(device.readStatus())).toMatchObject({ state: 'idle', committedBanks: 0 });
    expect(await run(life(device, CELLS, SAMPLES))).toEqual(expected);
  }

  /** A device that has received a part of a program. */
  async function halfLoad({ port, clock, run, bus }: PluggedIn) {
    const device = await run(Device.open(port, { clock }));
    const loaded = device.loadProgram(0, FULL).then(
      () => true,
      () => false,
    );
    await run(new Promise<void>((resolve) => clock.schedule(UPLOAD_MS, resolve)));
    expect(bus!.counters.outBytes).toBeGreaterThan(COUPLING_BYTES / 8);
    expect(bus!.counters.outBytes).toBeLessThan(COUPLING_BYTES);
    return { device, loaded };
  }

  test('by its power, in the middle of an upload: no program is partly loaded', async () => {
    const flash = emptyFlash();
    const plugged = plugInUsb(new PicoChip(usb, flash));
    await halfLoad(plugged);
    await plugged.port.close();
    await nextLife(plugInUsb(new PicoChip(usb, flash)), 2 * 1024);
  });

  test('by the command reset, in the middle of an upload: no program is partly loaded, and the epoch grows by 1', async () => {
    const plugged = plugInUsb(new PicoChip(usb, emptyFlash()));
    const { device, loaded } = await halfLoad(plugged);
    await plugged.run(device.reset());
    // The commit of the program was not answered.
    expect(await loaded).toBe(false);
    await nextLife(plugged.openAgain(), 1024 + 1);
  });

  test('by its watchdog, after a hang in the middle of a run', async () => {
    const flash = emptyFlash();
    const { port, clock, run, chip } = plugInUsb(new PicoChip(usb, flash));
    const device = await run(Device.open(port, { clock }));
    await run(device.loadProgram(0, FULL));
    const running = await run(device.run({ ...RUN, sampleCount: 0, burnInTicks: 1e9 }));
    running.finished.catch(() => undefined);
    chip.crash();
    const from = chip.nanos;
    chip.run(WATCHDOG_NS_MAX);
    expect(chip.watchdogAtNs).toBeGreaterThan(from);
    await port.close();
    await nextLife(plugInUsb(new PicoChip(usb, flash)), 2 * 1024);
  });
});

const UNKNOWNS = 8;
const SOLVES = 30;
const SOLVES_BEFORE_KILL = 5;

/** This many solves, one after another. `solved` is called after each. */
async function solveSome(
  device: Device,
  solved: (count: number) => void = () => undefined,
): Promise<unknown> {
  const a = matrix(UNKNOWNS, UNKNOWNS);
  for (let i = 0; i < UNKNOWNS; i++)
    for (let j = 0; j < UNKNOWNS; j++) a.data[i * UNKNOWNS + j] = i === j ? 2 : 0.01 * (i + j);
  const told: unknown[] = [];
  for (let step = 0; step < SOLVES; step++) {
    const { x, standardError, cost } = await solve(device, {
      system: checkSystem({ kind: 'dense', matrix: a }),
      drive: Float64Array.from({ length: UNKNOWNS }, (_, i) => Math.sin(i + step)),
      tolerance: 1e-4,
      address: { seed: 3, step, block: 0 },
    });
    told.push([[...x], [...standardError], cost.ticks]);
    solved(step + 1);
  }
  return told;
}

test('a board that is killed between two solves and restarted changes no bit of the results', async () => {
  const emulated = await connect('emulator:ideal-8', { retry: false });
  const expected = await solveSome(emulated);
  await emulated.close();
  const first = await startQemu();
  let second: ReturnType<typeof startQemu> | undefined;
  let repeats = 0;
  const device = await connect(first.uri, {
    onEvent: ({ kind }) => {
      if (kind === 'repeating') repeats++;
    },
  });
  const results = await solveSome(device, (count) => {
    if (count !== SOLVES_BEFORE_KILL) return;
    const exited = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    second = exited.then(() => startQemu(Number(/\d+$/.exec(first.uri)![0])));
  });
  expect(results).toEqual(expected);
  expect(repeats).toBeGreaterThan(0);
  await device.close();
  (await second!).child.kill('SIGKILL');
});
