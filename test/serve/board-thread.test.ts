import { createHook } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Die, findProfile } from '../../emulator/index.js';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import { SYSTEM_CLOCK } from '../../src/driver/system-clock.js';
import { openBoardThread } from '../../src/serve/board-thread.js';
import { isBuilt, JsonProcess } from '../support/child-process.js';
import { diagonalProgram } from '../support/test-board.js';

const IDEAL: Die = { profile: findProfile('ideal-8')!, dieSeed: 1 };
const ENDLESS = { bank: 0, runSeed: 1, burnInTicks: 2 ** 50, sampleCount: 0, ticksPerSample: 0 };

function threadsStarted(): () => number {
  let count = 0;
  const hook = createHook({
    init(_, type) {
      if (type === 'WORKER') count++;
    },
  }).enable();
  onTestFinished(() => void hook.disable());
  return () => count;
}

async function opened(uri: string, ownThread?: boolean): Promise<Device> {
  const device = await connect(uri, ownThread === undefined ? {} : { ownThread });
  onTestFinished(() => device.close());
  return device;
}

/** The samples of a program with noise, and the digest of the final state. */
async function response(device: Device) {
  const { cells, couplingBits } = device.identity;
  const program = {
    ...diagonalProgram(cells),
    couplings: diagonalProgram(cells).couplings.map((code) => code >> (16 - couplingBits)),
    couplingBits,
    noiseAmplitude: 20_000,
    noiseShift: 14,
  };
  const commit = await device.loadProgram(0, program);
  const { codes, report } = await device.acquire({
    bank: 0,
    runSeed: 7,
    burnInTicks: 100,
    sampleCount: 500,
    ticksPerSample: 3,
    onOverload: 'mark',
  });
  const { tick, stateDigest } = await device.readStatus();
  return { commit, codes, report, tick, stateDigest };
}

describe.runIf(isBuilt)('a board in a thread of its own', () => {
  it.each(['harsh-64?die=2&faults=deadCell:3@700,thermalDrift@200'])(
    '%s gives the same bits as in this thread',
    expectSameBits,
  );
  it.each(['ideal-64', 'prototype-64?die=3'])(
    '%s gives the same bits as in this thread',
    { tags: 'long' },
    expectSameBits,
  );

  async function expectSameBits(name: string): Promise<void> {
    const here = await response(await opened(`emulator:${name}`, false));
    const there = await response(await opened(`emulator:${name}`, true));
    expect(there).toEqual(here);
    expect(new Set(here.codes).size).toBeGreaterThan(50);
  }

  it('is started for a second board while the first one is open', async () => {
    const threads = threadsStarted();
    const first = await opened('emulator:ideal-8');
    expect(threads()).toBe(0);
    const second = await opened('emulator:ideal-64');
    expect(threads()).toBe(1);
    expect([first.identity.model, second.identity.model]).toEqual(['ideal-8', 'ideal-64']);
    await Promise.all([first.close(), second.close()]);
    await (await opened('emulator:ideal-8')).close();
    expect(threads()).toBe(1);
  });

  it('is not started for a second board if the first one has the clock of the caller', async () => {
    const threads = threadsStarted();
    const first = await connect('emulator:ideal-8', { clock: SYSTEM_CLOCK });
    onTestFinished(() => first.close());
    await opened('emulator:ideal-8');
    expect(threads()).toBe(0);
    await opened('emulator:ideal-8');
    expect(threads()).toBe(1);
  });

  it('is started for a board while any of several boards in this thread is open', {
    tags: 'long',
  }, async () => {
    const threads = threadsStarted();
    await opened('emulator:ideal-8', false);
    await (await opened('emulator:ideal-8', false)).close();
    await opened('emulator:ideal-8');
    expect(threads()).toBe(1);
  });

  it('closes during a run, and receives nothing more', { tags: 'long' }, async () => {
    const port = await openBoardThread(IDEAL, 'emulator:test');
    const device = await Device.open(port);
    await device.loadProgram(0, diagonalProgram(8));
    await device.run(ENDLESS);
    await port.close();
    await expect(device.readStatus()).rejects.toMatchObject({ code: 'LINK_LOST' });
    await device.close();
  });

  it('that fails ends the session with LINK_LOST and the reason', async () => {
    // The answer to HELLO cannot hold a negative `tauNs`, so the board throws.
    const broken: Die = { ...IDEAL, profile: { ...IDEAL.profile, tauNs: -1 } };
    const port = await openBoardThread(broken, 'emulator:broken');
    await expect(Device.open(port)).rejects.toMatchObject({
      code: 'LINK_LOST',
      message: expect.stringContaining('emulator:broken'),
      cause: {
        code: 'LINK_LOST',
        message: expect.stringMatching(/^The thread of emulator:broken ended: .+/),
      },
    });
  });

  it('that can not start gives CANNOT_CONNECT, with the reason', async () => {
    const impossible: Die = { ...IDEAL, profile: { ...IDEAL.profile, cells: -1 } };
    await expect(openBoardThread(impossible, 'emulator:none')).rejects.toMatchObject({
      code: 'CANNOT_CONNECT',
      cause: { name: 'RangeError' },
    });
  });

  it('is not started for a caller that has aborted', async () => {
    const threads = threadsStarted();
    const signal = AbortSignal.abort();
    await expect(openBoardThread(IDEAL, 'emulator:test', { signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(threads()).toBe(0);
  });

  it('ends when the caller aborts during its start', async () => {
    const ended: boolean[] = [];
    const watch = (worker: Worker) => {
      const at = ended.push(false) - 1;
      worker.once('exit', () => (ended[at] = true));
    };
    process.on('worker', watch);
    onTestFinished(() => void process.off('worker', watch));
    const controller = new AbortController();
    const opening = openBoardThread(IDEAL, 'emulator:test', { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
    // The thread has ended by then.
    expect(ended).toEqual([true]);
  });

  it('does not keep a process alive that forgets to close it', { tags: 'long' }, async () => {
    const script = `
      const { connect } = await import(${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)});
      const boards = [await connect('emulator:ideal-8'), await connect('emulator:ideal-8')];
      console.log(JSON.stringify({ event: 'open', pingMs: await boards[1].ping() }));`;
    const process = new JsonProcess(['--input-type=module', '--eval', script]);
    await process.next('open');
    expect(await process.ended()).toBe(0);
  });
});

it('a closed board in this thread does not stay in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const device = await (async () => {
    const opened = await connect('emulator:ideal-8', { ownThread: false });
    await opened.close();
    return new WeakRef(opened);
  })();
  // A weak reference keeps its object until the turn of the event loop ends.
  for (let turn = 0; turn < 50 && device.deref(); turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  expect(device.deref()).toBeUndefined();
});
