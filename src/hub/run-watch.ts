import type { Clock } from '../../firmware-protocol/clock.js';
import { RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import type { Answer, Command, Event } from '../../firmware-protocol/messages/index.js';
import { STATISTICS } from '../../firmware-protocol/messages/run.js';
import { adcStep } from '../board/board-range.js';
import type { TraceMessage, TraceSamples } from '../traces/trace-message.js';
import { type HubEvent, type HubEventOf, type RunView, SHOWN_CELLS_MAX } from './api.js';
import { BankWatch, type ExpectedMoments } from './expected-moments.js';
import { type Moments, RunningMoments, SummedMoments } from './running-moments.js';

/** Least times between two events with voltages and with moments. */
const VOLTAGES_MS = 100;
const MOMENTS_MS = 500;
/** Largest number of unanswered starts and readings of sums. A host has few. */
const ASKED_MAX = 64;

const OUTCOMES = Object.keys(RUN_OUTCOME) as (keyof typeof RUN_OUTCOME)[];
const STATISTICS_NAMES = Object.keys(STATISTICS) as RunView['statistics'][];

/** Data sources and listeners of the watch of a board's runs. */
export interface RunWatchOptions {
  readonly clock: Clock;
  readonly board: string;
  readonly owner: () => string;
  readonly identity: () => Answer<'hello'> | undefined;
  /** Whether there is an observer. Without one, figures are not computed. */
  readonly isWatched: () => boolean;
  readonly tell: (event: HubEvent) => void;
}

interface OpenRun {
  readonly view: RunView;
  readonly runId: number;
  readonly bank: number;
  /** The write count of its bank when the run began. */
  readonly bankWrites: number;
  readonly batches: number;
  readonly startMs: number;
  readonly samples: RunningMoments | undefined;
  readonly sums: SummedMoments | undefined;
  /** Computed when it is sent first; null if there is no expectation. */
  expected: ExpectedMoments | null | undefined;
  hasEnded: boolean;
}

/** Follows the runs of one board: when they begin and end, the voltages in them, and their moments. */
export class RunWatch {
  readonly #options: RunWatchOptions;
  readonly #banks = new BankWatch();
  readonly #asked = new Map<number, Command<'start'> | Command<'readAverages'>>();
  #runs = 0;
  #run: OpenRun | undefined;
  readonly #volts = new Float64Array(SHOWN_CELLS_MAX);
  #voltagesMs = Number.NEGATIVE_INFINITY;
  #momentsMs = Number.NEGATIVE_INFINITY;
  /** The run whose moments were sent last. */
  #toldRun = 0;
  /** The last time at which moments were sent at the end of a run. */
  #lastMs = Number.NEGATIVE_INFINITY;
  #cancelLast: () => void = () => undefined;

  constructor(options: RunWatchOptions) {
    this.#options = options;
  }

  /** The run in progress. */
  get view(): RunView | null {
    return this.#run === undefined || this.#run.hasEnded ? null : this.#run.view;
  }

  /** Takes the messages that pass, in their order. */
  take(message: TraceMessage): void {
    const { kind, name, fields, requestId, samples } = message;
    if (kind === 'command') {
      if (name === 'start' || name === 'readAverages') this.#ask(requestId, fields);
      else this.#banks.ask(message);
      return;
    }
    if (requestId !== 0) this.#banks.answer(requestId, name === 'refusal');
    if (name === 'start') this.#begin(requestId, fields as unknown as Answer<'start'>);
    else if (name === 'readAverages') this.#readSums(requestId, fields as unknown as Answer<'readAverages'>);
    else if (name === 'runEnded') this.#end(fields as unknown as Event<'runEnded'>);
    else if (name === 'hello' && fields['resumed'] === 0) this.lose();
    else if (name === 'refusal') this.#asked.delete(requestId);
    if (samples !== undefined) this.#readSamples(samples);
  }

  /** The client or the board has disconnected, so a run in progress gets no report. */
  lose(): void {
    this.#asked.clear();
    this.#banks.lose();
    const run = this.#run;
    if (run === undefined || run.hasEnded) return;
    this.#tellEnd(run, 'lost', { ticksDone: 0, samplesTaken: 0, samplesLost: 0, overloadedCellCount: 0 });
  }

  #ask(requestId: number, fields: TraceMessage['fields']): void {
    this.#asked.set(requestId, { ...fields } as unknown as Command<'start'>);
    if (this.#asked.size > ASKED_MAX) this.#asked.delete(this.#asked.keys().next().value!);
  }

  #begin(requestId: number, { runId }: Answer<'start'>): void {
    const asked = this.#asked.get(requestId);
    const identity = this.#options.identity();
    this.#asked.delete(requestId);
    if (asked === undefined || !('burnInTicks' in asked)) return;
    const cells = this.#banks.cellsOf(asked.bank);
    const statistics = STATISTICS_NAMES[asked.statistics];
    const batches = asked.batchSamples === 0 ? 0 : asked.sampleCount / asked.batchSamples;
    const view: RunView = {
      run: ++this.#runs,
      cells,
      burnInTicks: asked.burnInTicks,
      sampleCount: asked.sampleCount,
      ticksPerSample: asked.ticksPerSample,
      tickNs: identity === undefined ? 0 : identity.tauNs * 2 ** -identity.tickLog2,
      statistics,
      owner: this.#options.owner(),
    };
    this.#run = {
      view,
      runId,
      bank: asked.bank,
      bankWrites: this.#banks.writesOf(asked.bank),
      batches,
      startMs: this.#options.clock.nowMs(),
      samples: statistics === 'samples' && cells > 0 ? new RunningMoments(cells) : undefined,
      sums:
        statistics !== 'samples' && cells > 0
          ? new SummedMoments(cells, statistics === 'secondMoments')
          : undefined,
      expected: undefined,
      hasEnded: false,
    };
    this.#tell({ type: 'runBegan', timeMs: Date.now(), board: this.#options.board, run: view });
  }

  #readSamples({ header, codes }: TraceSamples): void {
    const run = this.#run;
    if (run === undefined || header.runId !== run.runId || run.samples === undefined) return;
    if (!this.#options.isWatched()) return;
    const { firstCell, cellCount } = header;
    const whole = Math.floor(codes.length / cellCount);
    if (whole === 0) return;
    if (firstCell === 0 && cellCount === run.samples.cells) run.samples.add(codes, whole);
    const nowMs = this.#options.clock.nowMs();
    const last = (whole - 1) * cellCount;
    for (let i = 0; i < cellCount && firstCell + i < SHOWN_CELLS_MAX; i++)
      this.#volts[firstCell + i] = codes[last + i] * this.#stepVolts;
    if (
      nowMs - this.#voltagesMs >= VOLTAGES_MS &&
      firstCell + cellCount >= Math.min(run.view.cells, SHOWN_CELLS_MAX)
    ) {
      this.#voltagesMs = nowMs;
      this.#tell({
        type: 'voltages',
        timeMs: Date.now(),
        board: this.#options.board,
        run: run.view.run,
        sample: header.firstSample + whole - 1,
        tick: header.tick + (whole - 1) * run.view.ticksPerSample,
        volts: Array.from(this.#volts.subarray(0, Math.min(run.view.cells, SHOWN_CELLS_MAX))),
      });
    }
    if (nowMs - this.#momentsMs >= MOMENTS_MS) this.#tellMoments(run, run.samples.look(this.#stepVolts));
  }

  #readSums(requestId: number, { samples, sums }: Answer<'readAverages'>): void {
    const asked = this.#asked.get(requestId);
    this.#asked.delete(requestId);
    const run = this.#run;
    if (asked === undefined || !('part' in asked) || run?.sums === undefined || asked.runId !== run.runId)
      return;
    if (asked.part === 0) run.sums.addSums(asked.firstEntry, sums);
    else run.sums.addProducts(asked.firstEntry, sums);
    const { sums: read } = run;
    this.#tellLast(run, () => read.look(samples, run.batches, this.#stepVolts));
  }

  #end({
    runId,
    outcome,
    ticksDone,
    samplesTaken,
    samplesLost,
    overloadedCellCount,
  }: Event<'runEnded'>): void {
    const run = this.#run;
    if (run === undefined || run.hasEnded || run.runId !== runId) return;
    const { samples } = run;
    if (samples !== undefined && samples.samples > 0)
      this.#tellLast(run, () => samples.look(this.#stepVolts));
    this.#tellEnd(run, OUTCOMES[outcome], { ticksDone, samplesTaken, samplesLost, overloadedCellCount });
  }

  #tellEnd(
    run: OpenRun,
    outcome: HubEventOf<'runEnded'>['outcome'],
    report: Pick<
      HubEventOf<'runEnded'>,
      'ticksDone' | 'samplesTaken' | 'samplesLost' | 'overloadedCellCount'
    >,
  ): void {
    run.hasEnded = true;
    this.#tell({
      type: 'runEnded',
      timeMs: Date.now(),
      board: this.#options.board,
      run: run.view.run,
      outcome,
      ...report,
      seconds: (this.#options.clock.nowMs() - run.startMs) / 1000,
    });
  }

  /**
   * Sends the moments of a run at its end, at most once every MOMENTS_MS. If runs are shorter, some are left
   * out, but not the last one: its moments are sent if no other run ends within MOMENTS_MS after it.
   */
  #tellLast(run: OpenRun, look: () => Moments | undefined): void {
    const { clock, isWatched } = this.#options;
    this.#cancelLast();
    this.#cancelLast = () => undefined;
    if (!isWatched()) return;
    const tell = (): void => {
      const moments = look();
      if (moments === undefined) return;
      this.#lastMs = clock.nowMs();
      this.#tellMoments(run, moments);
    };
    if (clock.nowMs() - this.#lastMs >= MOMENTS_MS) tell();
    else
      this.#cancelLast = clock.schedule(MOMENTS_MS, () => {
        // The moments of a newer run may have been sent meanwhile.
        if (isWatched() && this.#toldRun <= run.view.run) tell();
      });
  }

  #tellMoments(run: OpenRun, moments: Moments): void {
    this.#momentsMs = this.#options.clock.nowMs();
    this.#toldRun = run.view.run;
    // A run of a single sample is read before equilibrium, so it has no expected moments.
    const identity = this.#options.identity();
    if (run.expected === undefined && identity !== undefined)
      run.expected =
        run.view.sampleCount > 1 && run.bankWrites === this.#banks.writesOf(run.bank)
          ? (this.#banks.equilibriumOf(run.bank, identity) ?? null)
          : null;
    const { meanVolts, covarianceVolts2 } = run.expected ?? { meanVolts: null, covarianceVolts2: null };
    this.#tell({
      type: 'moments',
      timeMs: Date.now(),
      board: this.#options.board,
      run: run.view.run,
      ...moments,
      expectedMeanVolts: meanVolts,
      expectedCovarianceVolts2: covarianceVolts2,
    });
  }

  get #stepVolts(): number {
    const identity = this.#options.identity();
    return identity === undefined ? 0 : adcStep(identity.adcBits) * identity.fullScaleMicrovolts * 1e-6;
  }

  #tell(event: HubEvent): void {
    this.#options.tell(event);
  }
}
