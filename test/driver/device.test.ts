import { describe, expect, it } from 'vitest';
import { decodeToDevice } from '../../firmware-protocol/codec.js';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { ThermolinkError } from '../../src/errors.js';
import { diagonalProgram, openTestBoard, type Tamper } from '../support/test-board.js';

const RUN = { bank: 0, runSeed: 1, burnInTicks: 10, sampleCount: 20, ticksPerSample: 3 };

async function code(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof ThermolinkError ? error.code : `not ours: ${String(error)}`;
  }
}

describe('a program, a run, its samples', () => {
  it('cells settle at the drive: v = A⁻¹e', async () => {
    const { device, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, diagonalProgram(8, 2048)));
    const { codes, report } = await clock.run(device.acquire({ ...RUN, burnInTicks: 1000 }));
    expect(report).toMatchObject({ outcome: 'completed', samplesTaken: 20, ticksDone: 1000 + 19 * 3 });
    // The drive code 2048 stands for ¼ V_fs, which is ¼ of 16384 ADC codes. The coupling is 32767/32768.
    for (const reading of codes) expect(Math.abs(reading - 4096)).toBeLessThanOrEqual(1);
    expect(codes).toHaveLength(160);
    expect((await clock.run(device.readStatus())).state).toBe('done');
  });

  it('a run whose samples are 0 ticks apart reads the same state each time', async () => {
    const { device, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const { codes } = await clock.run(device.acquire({ ...RUN, burnInTicks: 0, ticksPerSample: 0 }));
    expect(codes).toEqual(new Int16Array(160));
  });

  it('an upload larger than the window arrives whole', async () => {
    const { device, board, clock } = await openTestBoard('ideal-1024');
    const image = diagonalProgram(1024);
    await clock.run(device.loadProgram(1, image));
    const stored = board.board.memory.banks[1].image!.couplings;
    expect(Buffer.from(stored.buffer).equals(Buffer.from(image.couplings.buffer))).toBe(true);
    expect(device.uploadedBytes).toBe(2 * 1024 * 1024 + 2 * 2 * 1024);
  });

  it('a sample of more cells than a block holds is put together', async () => {
    const { device, clock } = await openTestBoard('ideal-1024');
    const cells = 1024;
    await clock.run(
      device.loadProgram(0, {
        ...diagonalProgram(cells),
        initialState: Int16Array.from({ length: cells }, (_, i) => i),
      }),
    );
    const { codes } = await clock.run(
      device.acquire({ ...RUN, burnInTicks: 0, sampleCount: 100, ticksPerSample: 0 }),
    );
    for (let s = 0; s < 100; s++)
      expect(codes.subarray(s * cells, (s + 1) * cells)).toEqual(
        Int16Array.from({ length: cells }, (_, i) => i),
      );
  });

  it('an overload halts the run after exactly its tick and names the cells', async () => {
    const { device, clock } = await openTestBoard('ideal-8');
    const image = diagonalProgram(8, 0);
    image.drive[3] = 32767;
    image.drive[5] = -32768;
    await clock.run(device.loadProgram(0, image));
    const { report } = await clock.run(device.acquire({ ...RUN, burnInTicks: 10_000 }));
    expect(report).toMatchObject({ outcome: 'overload', overloadedCells: [3, 5], overloadedCellCount: 2 });
    expect((await clock.run(device.readStatus())).state).toBe('halted');
    // With a drive of 4 V_fs, v = 4(1 − (15/16)ⁿ) passes 1.25 at n = 6, because ln(1 − 1.25/4)/ln(15/16) =
    // 5.8.
    expect(report.ticksDone).toBe(6);
  });
});

describe('a lossy wire', () => {
  it('commands succeed although every third frame is lost in each direction', async () => {
    let count = 0;
    const lossy: Tamper = (frame, bytes) => (frame && ++count % 3 === 0 ? [] : [bytes]);
    const { device, clock } = await openTestBoard('ideal-64', { toDevice: lossy, toHost: lossy });
    await clock.run(device.loadProgram(0, diagonalProgram(64)));
    expect((await clock.run(device.readStatus())).state).toBe('configured');
    expect(device.linkCounters.retransmissions).toBeGreaterThan(0);
  });

  it('a lost block of samples is reported by its indices, and the run can be done again', async () => {
    let blocks = 0;
    const { device, clock } = await openTestBoard('ideal-256', {
      toHost: (frame, bytes) => (frame?.channel === CHANNEL.sample && ++blocks === 2 ? [] : [bytes]),
    });
    await clock.run(device.loadProgram(0, diagonalProgram(256)));
    // 127 samples of 256 cells fill a block.
    const run = { ...RUN, sampleCount: 400 };
    const error = await clock.run(device.acquire(run).catch((caught: ThermolinkError) => caught));
    expect(error).toBeInstanceOf(ThermolinkError);
    expect((error as ThermolinkError).code).toBe('SAMPLES_LOST');
    const [range] = (error as ThermolinkError).data['ranges'] as { from: number; to: number }[];
    expect(range.to - range.from).toBe(range.from);
    const again = await clock.run(device.acquire(run));
    expect(again.report.samplesTaken).toBe(400);
  });

  it('a lost credit delays samples, but loses none', { tags: 'long' }, async () => {
    let credits = 0;
    const { device, clock } = await openTestBoard('ideal-1024', {
      toDevice: (frame, bytes) => (frame?.channel === CHANNEL.sample && ++credits < 3 ? [] : [bytes]),
    });
    await clock.run(device.loadProgram(0, diagonalProgram(1024)));
    const { report } = await clock.run(device.acquire({ ...RUN, sampleCount: 1500, ticksPerSample: 0 }));
    expect(report.samplesTaken).toBe(1500);
    expect(credits).toBeGreaterThan(2);
  });

  it('a line that fails during an upload gives TIMEOUT, then LINK_LOST', async () => {
    let dead = false;
    const { device, clock } = await openTestBoard('ideal-8', {
      toDevice: (_, bytes) => (dead ? [] : [bytes]),
    });
    dead = true;
    expect(await clock.run(code(device.loadProgram(0, diagonalProgram(8))))).toBe('TIMEOUT');
    expect(await clock.run(code(device.readStatus({ timeoutMs: 60_000 })))).toBe('LINK_LOST');
  });
});

describe('the commands of a rewrite', () => {
  /** A board that does not answer any command while `mutes.on`, and the commands that reach it then. */
  async function muteBoard() {
    const mutes = { on: false };
    const arrived: string[] = [];
    const opened = await openTestBoard('ideal-8', {
      toDevice: (frame, bytes) => {
        if (mutes.on && frame?.channel === CHANNEL.command && frame.payload.length > 0) {
          const message = decodeToDevice(frame.payload);
          arrived.push(message.kind === 'command' ? message.name : message.kind);
        }
        return [bytes];
      },
      toHost: (_, bytes) => (mutes.on ? [] : [bytes]),
    });
    await opened.clock.run(opened.device.loadProgram(0, diagonalProgram(8)));
    return { ...opened, mutes, arrived };
  }

  it('are sent in order, without waiting for an answer', async () => {
    const { device, board, clock, mutes, arrived } = await muteBoard();
    mutes.on = true;
    const rewriting = device.rewriteProgram(0, diagonalProgram(8, 700));
    await clock.run(new Promise<void>((resolve) => clock.schedule(1, resolve)));
    expect(arrived).toEqual(['writeDrive', 'writeInitialState', 'setRegisters', 'commit']);
    expect(board.board.memory.image(0).drive[0]).toBe(700);
    mutes.on = false;
    await clock.run(rewriting);
    expect(board.board.memory.bank(0).committed).toBeDefined();
  });

  it('end with the error of the first refused command, and the bank keeps its program', async () => {
    const { device, board, clock } = await muteBoard();
    const run = await clock.run(device.run({ ...RUN, burnInTicks: 1e12 }));
    const error = await clock.run(
      device.rewriteProgram(0, diagonalProgram(8, 700)).catch((caught: ThermolinkError) => caught),
    );
    expect(error).toMatchObject({
      code: 'DEVICE_REFUSED',
      data: { command: 'writeDrive', reason: 'bankBusy' },
    });
    expect(board.board.memory.image(0).drive[0]).toBe(1000);
    await clock.run(run.abort());
    expect((await clock.run(run.finished)).outcome).toBe('aborted');
  });

  it('end with the TIMEOUT of the first command after the deadline of the call, and the device stays usable', async () => {
    const { device, clock, mutes } = await muteBoard();
    mutes.on = true;
    const error = await clock.run(
      device
        .rewriteProgram(0, diagonalProgram(8, 700), { timeoutMs: 50 })
        .catch((caught: ThermolinkError) => caught),
    );
    expect(error).toMatchObject({ code: 'TIMEOUT' });
    expect((error as ThermolinkError).message).toContain('writeDrive');
    mutes.on = false;
    await clock.run(device.rewriteProgram(0, diagonalProgram(8, 900)));
    expect((await clock.run(device.acquire(RUN))).report.outcome).toBe('completed');
  });
});

describe('stop, abort, deadlines', () => {
  it('a run does not start after a later stop, even if its start still waited for room', async () => {
    let holds = false;
    const held: Uint8Array[] = [];
    const { device, board, clock } = await openTestBoard('ideal-8', {
      toDevice: (frame, bytes) => {
        if (!holds || frame?.channel === CHANNEL.stop) return [...held.splice(0), bytes];
        held.push(bytes.slice());
        return [];
      },
    });
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    await clock.run(device.stop());
    holds = true;
    // These commands are more than queue and window take, so the last ones have no request id yet.
    const pings = Array.from({ length: 120 }, () => code(device.ping()));
    const calls = [device.acknowledge(), device.rewriteProgram(0, diagonalProgram(8))].map(code);
    const starting = code(device.run({ ...RUN, burnInTicks: 1e12 }));
    await new Promise((resolve) => setImmediate(resolve));
    holds = false;
    await clock.run(device.stop());
    expect(await clock.run(starting)).toBe('DEVICE_REFUSED');
    await clock.run(Promise.all([...pings, ...calls]));
    expect(board.board.state).toBe('safe');
    expect(board.board.runId).toBe(0);
  });

  it('stop ends a run, the board is safe until acknowledged', async () => {
    const { device, board, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const run = await clock.run(device.run({ ...RUN, burnInTicks: 1e12 }));
    expect(board.board.state).toBe('running');
    await clock.run(device.stop());
    expect((await clock.run(run.finished)).outcome).toBe('stopped');
    expect(await clock.run(code(device.acquire(RUN)))).toBe('DEVICE_REFUSED');
    expect(await clock.run(device.acknowledge())).toBe('idle');
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    expect((await clock.run(device.acquire(RUN))).report.outcome).toBe('completed');
  });

  it('an aborted acquisition ends the run and leaves the device usable', async () => {
    const { device, board, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const controller = new AbortController();
    const acquiring = device.acquire({ ...RUN, burnInTicks: 1e12, signal: controller.signal });
    await clock.run(device.readStatus());
    controller.abort();
    expect(await clock.run(code(acquiring))).toBe('ABORTED');
    expect((await clock.run(device.acquire(RUN))).report.outcome).toBe('completed');
    expect(board.board.state).toBe('done');
  });

  it('a stop is repeated until it is answered', async () => {
    let stops = 0;
    const { device, clock } = await openTestBoard('ideal-8', {
      toDevice: (frame, bytes) => (frame?.channel === CHANNEL.stop && ++stops < 4 ? [] : [bytes]),
    });
    await clock.run(device.stop());
    expect(stops).toBe(4);
    expect((await clock.run(device.readStatus())).state).toBe('safe');
  });

  it('silence from the host puts a running board into safe; keep-alives prevent it', async () => {
    let silent = false;
    const { device, board, clock } = await openTestBoard('ideal-8', {
      toDevice: (_, bytes) => (silent ? [] : [bytes]),
    });
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    const run = await clock.run(device.run({ ...RUN, burnInTicks: 1e12, watchdogMs: 500 }));
    await clock.run(new Promise<void>((resolve) => clock.schedule(5000, resolve)));
    expect(board.board.state).toBe('running');
    silent = true;
    await clock.run(new Promise<void>((resolve) => clock.schedule(700, resolve)));
    expect(board.board.state).toBe('safe');
    expect((await clock.run(run.finished)).outcome).toBe('watchdog');
  });

  it('a command without an answer ends at its deadline', async () => {
    const { device, clock } = await openTestBoard('ideal-8', {
      toHost: (frame, bytes) =>
        frame?.channel === CHANNEL.command && frame.payload.length > 0 ? [] : [bytes],
    });
    expect(await clock.run(code(device.readStatus({ timeoutMs: 100 })))).toBe('TIMEOUT');
  });

  it('a closed device refuses every call', async () => {
    const { device, clock } = await openTestBoard('ideal-8');
    await clock.run(device.close());
    expect(await clock.run(code(device.readStatus()))).toBe('ABORTED');
  });

  it('a reset forgets programs and session, and the boot epoch grows', async () => {
    const { device, board, clock } = await openTestBoard('ideal-8');
    await clock.run(device.loadProgram(0, diagonalProgram(8)));
    await clock.run(device.reset());
    expect(board.board).toMatchObject({ state: 'safe', bootEpoch: 2 });
    expect(board.board.memory.committedBanks).toBe(0);
  });
});
