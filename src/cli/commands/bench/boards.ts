import { Device } from '../../../driver/device.js';
import { openBoardThread } from '../../../serve/board-thread.js';
import { percentile } from '../../statistics.js';
import { CountingThreads } from './counting-threads.js';
import { type StepProblem, stepBoard, stepProgram } from './step.js';

export interface BoardsBench {
  /** Median time of one board run of one board while the others are idle. */
  readonly aloneMs: number;
  /** Median time in which all boards did that board run, started together. */
  readonly togetherMs: number;
  /** Median over the rounds of the second time divided by the first one. */
  readonly ratio: number;
  /**
   * The same ratio for threads that only count, in the same rounds. It is above 1 if other work runs on the
   * cores.
   */
  readonly coresRatio: number;
  readonly ticks: number;
}

const ROUNDS = 9;
/** The length of one board run. It is long against the time of starting one. */
const RUN_MS = 150;
const COUNTING_MS = 50;
/**
 * The number of runs before the measured ones, because the host compiles its code in the background. The last
 * of them tells how many ticks take RUN_MS.
 */
const WARM_UP_RUNS = 5;
const WARM_UP_TICKS = 64;

/** Runs the same program on one board, then on all of them at once, each in its own thread, in turns. */
export async function benchBoards(
  problem: StepProblem,
  boards: number,
  signal?: AbortSignal,
): Promise<BoardsBench> {
  const options = signal ? { signal } : {};
  const devices: Device[] = [];
  let counting: CountingThreads | undefined;
  try {
    counting = await CountingThreads.start(boards, COUNTING_MS, signal);
    for (let board = 0; board < boards; board++) {
      const port = await openBoardThread(stepBoard(problem), `emulator:bench-${board}`, options);
      devices.push(await Device.open(port, options));
    }
    const image = stepProgram(problem);
    for (const device of devices) await device.loadProgram(0, image, options);
    const run = async (device: Device, ticks: number): Promise<void> => {
      const { report } = await device.acquire({
        bank: 0,
        runSeed: 1,
        burnInTicks: ticks,
        sampleCount: 0,
        ticksPerSample: 0,
        onOverload: 'mark',
        ...options,
      });
      if (report.ticksDone !== ticks) throw new Error(`bug: ${report.ticksDone} of ${ticks} ticks done`);
    };
    const timed = async (on: readonly Device[], ticks: number): Promise<number> => {
      const startMs = performance.now();
      await Promise.all(on.map((device) => run(device, ticks)));
      return performance.now() - startMs;
    };
    const ticks = await ticksOfRun((count) => timed(devices, count));
    const alone: number[] = [];
    const together: number[] = [];
    const cores: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await timed([devices[round % boards]], ticks));
      together.push(await timed(devices, ticks));
      cores.push(await counting.ratio(signal));
    }
    return {
      aloneMs: percentile(alone, 0.5),
      togetherMs: percentile(together, 0.5),
      ratio: percentile(
        together.map((time, round) => time / alone[round]),
        0.5,
      ),
      coresRatio: percentile(cores, 0.5),
      ticks,
    };
  } finally {
    await Promise.all([counting?.close(), ...devices.map((device) => device.close())]);
  }
}

/** How many ticks take about RUN_MS, once everything is compiled. */
async function ticksOfRun(timeMs: (ticks: number) => Promise<number>): Promise<number> {
  let ticks = WARM_UP_TICKS;
  for (let i = 0; i < WARM_UP_RUNS; i++)
    ticks = Math.max(1, Math.round((ticks * RUN_MS) / (await timeMs(ticks))));
  return ticks;
}
