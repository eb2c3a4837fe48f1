import { describe, expect, it } from 'vitest';
import { matrix } from '../../src/linalg/matrix.js';
import {
  createLucidacSolver,
  type Lucidac,
  type OpenLucidacOptions,
  openLucidac,
} from '../../src/lucidac/index.js';
import { type Anything, expectRefusals } from '../support/refusals.js';
import { type FakeLucidac, type FakeOptions, startFake, USUAL } from './fake-lucidac.js';

const address = { seed: 1, step: 0, block: 0 };
const system = { kind: 'dense', matrix: matrix(2, 2, Float64Array.of(4, 1, 1, 3)) } as const;
const request = { system, drive: Float64Array.of(1, 2), tolerance: 1e-2, address };

async function onFake(
  options: FakeOptions,
  work: (open: (more?: Partial<OpenLucidacOptions>) => Promise<Lucidac>, fake: FakeLucidac) => Promise<void>,
): Promise<void> {
  const fake = await startFake(options);
  try {
    await work((more) => openLucidac({ host: '127.0.0.1', port: fake.port, timeoutMs: 400, ...more }), fake);
  } finally {
    await fake.close();
  }
}

describe('opening refuses', () => {
  expectRefusals([
    ['no options', () => (openLucidac as Anything)(), /options is missing/],
    ['no host', () => (openLucidac as Anything)({}), /host is missing/],
    ['a port number that is too large', () => openLucidac({ host: 'x', port: 70_000 }), /port is 70000/],
    ['no time', () => openLucidac({ host: 'x', timeoutMs: 0 }), /timeoutMs is 0/],
    ['a solver without a machine', () => (createLucidacSolver as Anything)({}), /lucidac is not/],
  ]);

  it.each<[string, FakeOptions, string, RegExp]>([
    [
      'lines of JSON: firmware 1.x',
      { faults: { answer: Buffer.from('{"error":"bad json"}\n') } },
      'VERSION_MISMATCH',
      /firmware 1\.x/,
    ],
    [
      'bytes that are no message',
      { faults: { answer: new Uint8Array(40).fill(0xff) } },
      'NOT_A_BOARD',
      /ff ff ff/,
    ],
    [
      'messages of another protocol',
      { faults: { answer: Uint8Array.of(3, 0x0f, 1, 2) } },
      'NOT_A_BOARD',
      /03 0f 01 02/,
    ],
    ['silence', { faults: { silent: 'extractCommand' } }, 'NO_ANSWER', /within 400 ms/],
    ['a machine of two carriers', { carriers: 2 }, 'UNSUPPORTED', /2 carriers/],
    ['a machine without a carrier', { carriers: 0 }, 'NOT_A_BOARD', /no carrier/],
    ['a machine that stays busy', { faults: { busy: 100 } }, 'BUSY', /another client/],
    ['a refusal', { faults: { refuse: ['extractCommand', 'not\u0007 now'] } }, 'DEVICE_REFUSED', /not now/],
  ])('%s, and leaves nothing open', async (_what, options, code, message) => {
    await onFake(options, async (open, fake) => {
      await expect(open()).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
        hint: expect.any(String),
      });
      await expect.poll(() => fake.clients).toBe(0);
    });
  });

  it('firmware 1.x that waits for the end of a line', async () => {
    const answer = Buffer.from('{"code":0}\n');
    const fake = await startFake({ faults: { answerAfterLine: answer } });
    await expect(openLucidac({ host: '127.0.0.1', port: fake.port, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
    });
    await fake.close();
  });

  it('a port at which nothing listens, and tells what to check', async () => {
    const fake = await startFake();
    await fake.close();
    await expect(openLucidac({ host: '127.0.0.1', port: fake.port })).rejects.toMatchObject({
      code: 'CANNOT_CONNECT',
      hint: expect.stringMatching(/LUCIDAC is on/),
    });
  });

  it('an aborted signal', async () => {
    await onFake({ faults: { silent: 'extractCommand' } }, async (open) => {
      const controller = new AbortController();
      const opening = open({ signal: controller.signal, timeoutMs: 60_000 });
      controller.abort();
      await expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
    });
  });
});

describe('a machine', () => {
  it('that is busy for a moment is asked again', async () => {
    await onFake({ faults: { busy: 1 } }, async (open) => {
      await using lucidac = await open({ timeoutMs: 5000 });
      expect(await lucidac.ping()).toBeGreaterThan(0);
    });
  });

  it.each<[string, FakeOptions['faults'], string, RegExp]>([
    [
      'refuses a configuration',
      { refuse: ['configCommand', 'no such block'] },
      'DEVICE_REFUSED',
      /no such block/,
    ],
    ['refuses a calibration', { refuse: ['calibrationCommand', ''] }, 'DEVICE_REFUSED', /error 7/],
    ['refuses a run', { refuse: ['startRunCommand', 'queue is full'] }, 'DEVICE_REFUSED', /queue is full/],
    ['ends a run with an error', { run: 'error' }, 'RUN_ENDED', /the supply failed/],
    ['hangs in a run', { run: 'hang' }, 'TIMEOUT', /was not done/],
    ['is lost in a run', { run: 'lose' }, 'LINK_LOST', /ended/],
    ['sends too few samples', { run: 'few' }, 'SAMPLES_LOST', /sent \d+ of them/],
    ['sends too many samples', { run: 'many' }, 'SAMPLES_LOST', /or more/],
    ['sends no end', { run: 'no end' }, 'SAMPLES_LOST', /and the values at its end/],
    ['sends samples of an unknown type', { run: 'garbled' }, 'SAMPLES_LOST', /cannot be read/],
    ['overloads at every scale', { run: 'overload' }, 'OVERLOAD', /M0\/3/],
    ['does not say whether it overloaded', { silent: 'overloadCommand' }, 'TIMEOUT', /overloads/],
  ])(
    'that %s ends a solve, and the machine is left without a run and a circuit',
    async (_what, faults, code, message) => {
      await onFake({ faults: faults ?? {} }, async (open, fake) => {
        await using lucidac = await open();
        await expect(createLucidacSolver(lucidac).solve(request)).rejects.toMatchObject({
          code,
          message: expect.stringMatching(message),
        });
        if (code === 'LINK_LOST') return;
        const isRunning = faults?.run !== undefined && faults.run !== 'overload';
        expect(fake.commands.includes('stopRunCommand')).toBe(
          isRunning || faults?.silent !== undefined || faults?.refuse?.[0] === 'startRunCommand',
        );
        expect(fake.machine.isConfigured).toBe(false);
      });
    },
  );

  it('has its run stopped after an abort, and can be used again', async () => {
    await onFake({ faults: { run: 'hang' }, errors: USUAL }, async (open, fake) => {
      await using lucidac = await open({ timeoutMs: 60_000 });
      const controller = new AbortController();
      const solver = createLucidacSolver(lucidac);
      const solving = solver.solve({ ...request, signal: controller.signal });
      await expect.poll(() => fake.commands.includes('startRunCommand')).toBe(true);
      controller.abort();
      await expect(solving).rejects.toMatchObject({ code: 'ABORTED' });
      expect(fake.commands.slice(-2)).toEqual(['stopRunCommand', 'resetCommand']);
      expect(fake.machine.isConfigured).toBe(false);
      delete fake.faults.run;
      expect((await solver.solve(request)).passes).toBeGreaterThan(0);
    });
  });

  it('reports at the next use, too, that it is lost', async () => {
    await onFake({ faults: { run: 'lose' } }, async (open) => {
      await using lucidac = await open();
      const solver = createLucidacSolver(lucidac);
      await expect(solver.solve(request)).rejects.toMatchObject({ code: 'LINK_LOST', retryable: true });
      await expect(solver.solve(request)).rejects.toMatchObject({ code: 'LINK_LOST' });
      expect(lucidac.isLost).toBe(true);
      await expect(lucidac.ping()).rejects.toMatchObject({ code: 'LINK_LOST' });
    });
  });

  it('serves several calls in turn', async () => {
    await onFake({}, async (open) => {
      await using lucidac = await open({ timeoutMs: 5000 });
      const solver = createLucidacSolver(lucidac);
      const [first, second] = await Promise.all([
        solver.solve(request),
        solver.relax({
          ...{ system, drive: request.drive, address },
          initial: new Float64Array(2),
          time: 20,
        }),
      ]);
      for (const x of [first.x, second.x]) {
        expect(x[0]).toBeCloseTo(1 / 11, 3);
        expect(x[1]).toBeCloseTo(7 / 11, 3);
      }
    });
  });
});
