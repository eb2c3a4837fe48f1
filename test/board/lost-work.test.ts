import { expect, it } from 'vitest';
import { repeated } from '../../src/board/lost-work.js';
import { type BoardSession, inSession } from '../../src/board/session.js';
import { connect } from '../../src/connect.js';
import type { BoardDevice } from '../../src/driver/device-api.js';
import { ThermolinkError } from '../../src/errors.js';
import { failure, pause, pluggedBoard } from '../support/plugged-board.js';
import { diagonalProgram } from '../support/test-board.js';

const PROGRAM = { ...diagonalProgram(8), noiseAmplitude: 20011, noiseShift: 12 };
const FIRST = { burnInTicks: 100, sampleCount: 20, ticksPerSample: 3 };
const NEXT = { burnInTicks: 3, sampleCount: 20, ticksPerSample: 3, continues: true };
/** The run is long enough to pull a cable during it. */
const LONG = { ...FIRST, burnInTicks: 1_000_000 };

/** Loads a program, does a board run, awaits `between`, and does a second run that continues the first. */
function work(device: BoardDevice, between: () => Promise<unknown> = async () => undefined, first = FIRST) {
  const use = { address: { seed: 7, step: 3, block: 5 } };
  return inSession(
    device,
    use,
    () => undefined,
    async (session: BoardSession) => {
      await session.program(PROGRAM);
      const readings = [[...(await session.acquire(first)).codes]];
      await between();
      readings.push([...(await session.acquire(NEXT)).codes]);
      const { ticks, uploadBytes, repeats } = session.cost;
      return { result: { readings, ticks, uploadBytes }, repeats };
    },
  );
}

async function undisturbed(first = FIRST) {
  const device = await connect('emulator:ideal-8');
  try {
    return await work(device, undefined, first);
  } finally {
    await device.close();
  }
}

it('a session that is lost between two board runs changes no bit', async () => {
  const { device, board, clock, hub } = await pluggedBoard(PROGRAM);
  const found = await clock.run(
    work(device, async () => {
      await hub.pull('A');
      board.disconnect();
      hub.plugIn('A', '/dev/ttyACM1');
    }),
  );
  const { result, repeats } = await undisturbed();
  expect(repeats).toBe(0);
  expect(found.result).toEqual(result);
  expect(found.repeats).toBe(1);
});

it('a session that is lost in a board run changes no bit, for any duration of the loss', {
  tags: 'long',
}, async () => {
  const { device, board, clock, hub } = await pluggedBoard(PROGRAM);
  const working = work(device, undefined, LONG);
  await pause(clock, 1);
  await hub.pull('A');
  board.disconnect();
  void clock.schedule(25_000, () => hub.plugIn('A', '/dev/ttyACM1'));
  const found = await clock.run(working);
  expect(found.result).toEqual((await undisturbed(LONG)).result);
  expect(found.repeats).toBeGreaterThan(0);
});

it('a board that stays away ends the work with the error of the search', async () => {
  const { device, clock, hub, kinds } = await pluggedBoard(PROGRAM, { reconnect: { giveUpMs: 10_000 } });
  await hub.pull('A');
  const error = await clock.run(failure(work(device)));
  expect(error).toMatchObject({ code: 'LINK_LOST', message: /could not be reached again/, retryable: true });
  expect(kinds().filter((kind) => kind === 'repeating')).toEqual([]);
});

it('a board that somebody stopped is not started again', async () => {
  const { device, clock } = await pluggedBoard(PROGRAM);
  const error = await clock.run(failure(work(device, () => device.stop())));
  expect(error).toMatchObject({ code: 'DEVICE_REFUSED' });
});

it('the repair of another loss does not acknowledge a stop', async () => {
  const { device, board, clock, hub } = await pluggedBoard(PROGRAM);
  const error = await clock.run(
    failure(
      work(device, async () => {
        await device.stop();
        await hub.pull('A');
        board.disconnect();
        hub.plugIn('A', '/dev/ttyACM1');
      }),
    ),
  );
  expect(error).toMatchObject({ code: 'DEVICE_REFUSED', message: /was stopped/ });
});

it('work that is lost repeatedly ends with an error that tells the number of attempts', async () => {
  const { device } = await pluggedBoard(PROGRAM);
  const recovered: unknown[] = [];
  let tries = 0;
  const error = await failure(
    repeated(
      { ...device, recover: async (cause: unknown) => void recovered.push(cause) } as never,
      undefined,
      {
        work: async () => {
          tries++;
          throw new ThermolinkError('SAMPLES_LOST', 'Samples 3 to 5 did not arrive.', { hint: 'Ask again.' });
        },
        restore: async () => undefined,
        sessionCount: () => 1,
      },
    ),
  );
  expect([tries, recovered.length]).toEqual([201, 200]);
  expect(error).toMatchObject({
    code: 'SAMPLES_LOST',
    message: 'The same work was lost 201 times in a row. The last error: Samples 3 to 5 did not arrive.',
    hint: 'The line or the board is too bad for this work: check cable, baud rate and power. Ask again.',
    retryable: true,
    data: { repeats: 200 },
  });
});
