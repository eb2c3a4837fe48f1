import type { Clock } from '../../../firmware-protocol/clock.js';
import { RUN_OUTCOME } from '../../../firmware-protocol/device-status.js';
import { BLOCK_FLAG } from '../../../firmware-protocol/messages/acquisition.js';
import type { Command, CommandName, Event } from '../../../firmware-protocol/messages/index.js';
import { commandRow } from '../../../firmware-protocol/messages/index.js';
import { START_STATE } from '../../../firmware-protocol/messages/run.js';
import type { Port } from '../../../firmware-protocol/port.js';
import { badArgument } from '../../argument-checks.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { identityOf } from '../../driver/hello.js';
import { ThermolinkError, throwIfAborted } from '../../errors.js';
import { imageOf, ProgramWrites } from '../program-writes.js';
import type { TraceMessage } from '../trace-message.js';
import { BLOCKS_MIN } from './block-length.js';
import { compareFields, type FieldDifference } from './compare-fields.js';
import { type Comparison, compareRuns, type RunComparison } from './compare-runs.js';
import { judge, type Verdict } from './judge.js';
import { OtherBoard, type OtherRun, type Reply } from './other-board.js';
import { type RunFacts, readingVariance } from './reading-noise.js';
import { commonSamples, type FirstDifference, firstDifference, RunRecord } from './run-samples.js';
import { studentTails } from './student.js';

/** How samples are compared. */
export type VerifyMode = 'exact' | 'statistical';

export interface VerifyOptions {
  /** How often a sound board of the same kind may raise an alarm, for the whole file. Default 1e-3. */
  readonly rate?: number;
  /**
   * `exact`: every code must be equal. `statistical`: samples may differ as noise differs. Default: exact
   * where recorded and other board are the same die of the same digital model, else statistical.
   */
  readonly mode?: VerifyMode;
  /** Names new noise: the runs get other run seeds, so that a digital board is compared statistically. */
  readonly freshNoise?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Called after each recorded message, with its number. */
  readonly onProgress?: (message: number) => void;
}

/** A board run in both sessions. */
export interface VerifiedRun {
  /** Number of the recorded `start`. */
  readonly message: number;
  readonly cells: number;
  readonly recordedSamples: number;
  readonly foundSamples: number;
  /** Time from one sample to the next, in τ. */
  readonly spacingTau: number;
  readonly firstDifference: FirstDifference | undefined;
  /** Whether its samples are part of a comparison of statistics. */
  readonly compared: boolean;
}

/** Runs whose statistics were compared as one: of one program, or too short to be compared by program. */
export interface ComparedSamples extends RunComparison {
  /** Which runs, as places in `runs`. */
  readonly runs: readonly number[];
  /** Whether they are runs of one program, read at the same interval. */
  readonly isOneProgram: boolean;
}

export interface VerifyResult {
  readonly mode: VerifyMode;
  /** Why this mode. */
  readonly reason: string;
  readonly recorded: DeviceIdentity;
  readonly found: DeviceIdentity;
  /** How many commands were sent, and how many messages of the board were compared. */
  readonly commands: number;
  readonly replies: number;
  readonly samples: number;
  readonly runs: readonly VerifiedRun[];
  /** Differences in what is digital. */
  readonly differences: readonly FieldDifference[];
  /** How many samples are not equal, bit for bit: runs that have one. */
  readonly runsThatDiffer: number;
  readonly comparisons: readonly ComparedSamples[];
  readonly verdict: Verdict;
  /** Runs with samples of which nothing could be said, because they are too few or too correlated. */
  readonly runsNotCompared: number;
  /** The trace ended in the middle of something: these many runs have no end in it. */
  readonly runsWithoutEnd: number;
  readonly passed: boolean;
}

const RATE_DEFAULT = 1e-3;
/** Differences beyond so many are counted by the first ones. */
const DIFFERENCES_MAX = 1000;
/** Models whose noise is a function of seeds. The first word of a firmware version names one. */
const DIGITAL_FIRMWARE = /^(emulator|reference) /;

/**
 * Sends the host's side of a recorded session to the board on `port`, in the same causal order, and compares
 * what comes back: exactly in everything digital; in samples exactly or statistically. The port is closed at
 * the end.
 *
 * Errors: BAD_ARGUMENT; BAD_FILE for a trace without a session; ABORTED; those of the link.
 */
export async function verifyTrace(
  messages: Iterable<TraceMessage>,
  port: Port,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const { rate = RATE_DEFAULT } = options;
  if (!(rate > 0 && rate < 1)) throw badArgument('rate', rate, 'a number above 0 and below 1');
  const verification = new Verification(new OtherBoard(port, options), options);
  try {
    for (const message of messages) {
      throwIfAborted(options.signal);
      await verification.take(message);
      options.onProgress?.(message.index);
    }
    return await verification.finish(rate);
  } finally {
    await verification.close();
  }
}

/** Samples that are compared together. */
interface RunGroup {
  readonly cells: number;
  readonly runs: number[];
  readonly recorded: Int16Array[];
  readonly found: Int16Array[];
}

interface RunInProgress {
  readonly message: number;
  /** The program, and the ticks of its first reading. */
  readonly facts: (RunFacts & { readonly ticksPerSample: number }) | undefined;
  /** Runs with the same text are of the same program and interval. */
  readonly program: string;
  readonly recorded: RunRecord;
  readonly spacingTau: number;
  /** The run on the other board, or undefined when it was refused. */
  readonly other: Promise<OtherRun | undefined>;
  recordedEnd: Event<'runEnded'> | undefined;
}

class Verification {
  readonly #board: OtherBoard;
  readonly #options: VerifyOptions;
  #mode: VerifyMode | undefined;
  #reason = '';
  #recorded: DeviceIdentity | undefined;
  #found: DeviceIdentity | undefined;
  #session = 0;
  #lastStop = 0;
  /** Replies on their way, by request id. */
  readonly #replies = new Map<number, Promise<Reply>>();
  /** Whether a run was in progress when the command was sent, by request id. */
  readonly #duringRun = new Map<number, boolean>();
  readonly #bankCells = new Map<number, number>();
  /** Runs of this session, by the run id of the recording. */
  readonly #inProgress = new Map<number, RunInProgress>();
  readonly #starting = new Map<number, RunInProgress>();
  /** The run id that the other board gave to a recorded run. */
  readonly #runIds = new Map<number, number>();
  readonly #runs: VerifiedRun[] = [];
  readonly #comparisons: ComparedSamples[] = [];
  readonly #differences: FieldDifference[] = [];
  #programs = new ProgramWrites();
  /** Readings that stand out, of runs with too few samples for statistics. */
  readonly #readings: Comparison[] = [];
  #readingCount = 0;
  readonly #runsRead = new Set<number>();
  /** Counts the writes to each bank. */
  readonly #bankWrites = new Map<number, number>();
  /** The runs of the last program. */
  #group: { readonly program: string; readonly runs: RunGroup } | undefined;
  /** Runs of programs with too few samples, by the number of cells. */
  readonly #short = new Map<number, RunGroup>();
  #commands = 0;
  #compared = 0;
  #samples = 0;
  #runsWithoutEnd = 0;

  constructor(board: OtherBoard, options: VerifyOptions) {
    this.#board = board;
    this.#options = options;
  }

  close(): Promise<void> {
    return this.#board.close();
  }

  async take(message: TraceMessage): Promise<void> {
    if (message.kind === 'bad') return;
    if (message.name === 'hello') return this.#takeHello(message);
    // Before the first session, and after its board turned another client away, nothing is compared.
    if (this.#session === 0) return;
    if (message.direction === 'toDevice') {
      if (message.name === 'stop') await this.#stop(message);
      else if (message.kind === 'command') await this.#send(message);
      return;
    }
    if (message.samples) this.#takeSamples(message);
    else if (message.name === 'runEnded') await this.#takeEnd(message);
    else if (message.kind === 'answer' || message.name === 'refusal') await this.#takeReply(message);
  }

  async #takeHello(message: TraceMessage): Promise<void> {
    if (message.kind !== 'answer' || message.session === this.#session) return;
    await this.#endSession();
    this.#session = message.session;
    const session = await this.#board.open();
    const recorded = identityOf(message.fields as never);
    this.#recorded ??= recorded;
    this.#found ??= session.identity;
    this.#chooseMode(recorded, session.identity);
    const { hasDense, hasFactored, hasHold } = session.identity;
    const features = (hasDense ? 1 : 0) + (hasFactored ? 2 : 0) + (hasHold ? 4 : 0);
    this.#compare(message, { ...message.fields, ...session.identity, features } as never, false);
  }

  #chooseMode(recorded: DeviceIdentity, found: DeviceIdentity): void {
    if (this.#mode) return;
    const { mode, freshNoise } = this.#options;
    const digital = [recorded, found].every(({ firmwareVersion }) => DIGITAL_FIRMWARE.test(firmwareVersion));
    const sameDie = recorded.model === found.model && recorded.serialNumber === found.serialNumber;
    if (mode) [this.#mode, this.#reason] = [mode, 'as asked for'];
    else if (freshNoise !== undefined)
      [this.#mode, this.#reason] = ['statistical', `with the new noise ${freshNoise}`];
    else if (digital && sameDie)
      [this.#mode, this.#reason] = ['exact', 'the same die of a model with digital noise'];
    else
      [this.#mode, this.#reason] = [
        'statistical',
        digital ? 'another die has other errors and other noise' : 'analog noise is never the same',
      ];
  }

  async #stop({ fields }: TraceMessage): Promise<void> {
    const stopNumber = Number(fields['stopNumber']);
    if (stopNumber <= this.#lastStop) return;
    this.#lastStop = stopNumber;
    await this.#catchUp();
    this.#commands++;
    await this.#board.stop();
  }

  async #send(message: TraceMessage): Promise<void> {
    const { requestId, fields } = message;
    const name = message.name as CommandName;
    if (commandRow(name)?.channel !== 'command') return;
    if (name === 'abort') await this.#catchUp();
    const isRunning = this.#inProgress.size > 0;
    this.#duringRun.set(requestId, isRunning);
    this.#commands++;
    if (name === 'defineProgram') {
      this.#bankCells.set(Number(fields['bank']), Number(fields['cells']));
      this.#board.noteCouplingBits(Number(fields['couplingBits']));
    }
    this.#programs.take(message);
    if (name !== 'start' && typeof fields['bank'] === 'number')
      this.#bankWrites.set(fields['bank'], (this.#bankWrites.get(fields['bank']) ?? 0) + 1);
    const reply = name === 'start' ? this.#start(message) : this.#board.send(name, this.#translated(message));
    reply.catch(() => undefined);
    this.#replies.set(requestId, reply);
  }

  /** Run ids of the recording are those of its session; the other session has its own. */
  #translated({ name, fields }: TraceMessage): TraceMessage['fields'] {
    if (name !== 'abort') return fields;
    const runId = Number(fields['runId']);
    return { runId: this.#runIds.get(runId) ?? runId };
  }

  async #start(message: TraceMessage): Promise<Reply> {
    const fields = message.fields as unknown as Command<'start'>;
    const cells = this.#bankCells.get(fields.bank) ?? 0;
    const tau = 2 ** -(this.#recorded?.tickLog2 ?? 0);
    const { freshNoise } = this.#options;
    const start = { ...fields };
    if (freshNoise !== undefined) Object.assign(start, { runSeed: newSeed(fields.runSeed, freshNoise) });
    const started = this.#board.start(start, cells);
    this.#starting.set(message.requestId, {
      message: message.index,
      facts: this.#factsOf(fields),
      program: [this.#session, fields.bank, this.#bankWrites.get(fields.bank), fields.ticksPerSample].join(
        ' ',
      ),
      recorded: new RunRecord(cells),
      spacingTau: fields.ticksPerSample * tau,
      other: started.then(({ run }) => run),
      recordedEnd: undefined,
    });
    return (await started).reply;
  }

  #factsOf({ bank, startState, burnInTicks, ticksPerSample }: Command<'start'>): RunInProgress['facts'] {
    const program = this.#programs.banks.get(bank);
    if (!program) return undefined;
    const ticks = startState === START_STATE.load ? burnInTicks : undefined;
    return { image: imageOf(program), ticks, ticksPerSample };
  }

  async #takeReply(message: TraceMessage): Promise<void> {
    const { requestId, fields } = message;
    const reply = this.#replies.get(requestId);
    if (message.name === 'stop') return;
    if (!reply) return;
    this.#replies.delete(requestId);
    const duringRun = (this.#duringRun.get(requestId) ?? false) || this.#inProgress.size > 0;
    this.#duringRun.delete(requestId);
    const run = this.#starting.get(requestId);
    this.#starting.delete(requestId);
    if (run && message.kind === 'answer') this.#inProgress.set(Number(fields['runId']), run);
    const found = await reply;
    if (run) this.#runIds.set(Number(fields['runId']), Number(found.fields['runId']));
    const isRefused = message.name === 'refusal';
    if (isRefused === (found.kind === 'refusal')) {
      this.#compare(message, { ...message.fields, ...found.fields }, duringRun);
      return;
    }
    this.#compared++;
    const said = (refused: boolean) => (refused ? 'refused' : 'done');
    this.#note({
      message: message.index,
      name: message.name,
      field: 'outcome of the command',
      recorded: said(isRefused),
      found: said(!isRefused),
    });
  }

  #takeSamples(message: TraceMessage): void {
    const { header, codes } = message.samples!;
    this.#inProgress.get(header.runId)?.recorded.take({
      ...header,
      codes,
      overload: (header.flags & BLOCK_FLAG.overload) !== 0,
      clipped: (header.flags & BLOCK_FLAG.clip) !== 0,
    });
  }

  async #takeEnd(message: TraceMessage): Promise<void> {
    const runId = Number(message.fields['runId']);
    const run = this.#inProgress.get(runId);
    if (!run) return;
    this.#inProgress.delete(runId);
    const other = await run.other;
    if (!other) return;
    const { outcome } = message.fields;
    // The silence of the host can't be repeated: this run is ended by hand.
    if (outcome === RUN_OUTCOME.watchdog) await this.#board.stop();
    const [ended] = await Promise.all([other.ended, other.read]);
    if (outcome !== RUN_OUTCOME.watchdog) this.#compare(message, { ...ended }, false);
    this.#compareBlocks(message, run, other.samples);
    this.#finishRun(run, other.samples);
  }

  /** Compares what the blocks of a run say beside codes. How the samples are cut into blocks may differ. */
  #compareBlocks(end: TraceMessage, { recorded }: RunInProgress, found: RunRecord): void {
    const note = (field: string, was: number, is: number): void => {
      if (was !== is)
        this.#note({ message: end.index, name: 'sampleBlock', field, recorded: was, found: is });
    };
    if (recorded.first?.firstSample === found.first?.firstSample)
      note('tick', recorded.first?.tick ?? 0, found.first?.tick ?? 0);
    const { outcome } = end.fields;
    if (outcome !== RUN_OUTCOME.completed) return;
    note('whole samples', recorded.wholeSamples, found.wholeSamples);
    if (this.#mode !== 'exact') return;
    note('overload', Number(recorded.overload), Number(found.overload));
    note('clipped', Number(recorded.clipped), Number(found.clipped));
  }

  #finishRun(run: RunInProgress, found: RunRecord): void {
    const { message, program, recorded, spacingTau } = run;
    this.#samples += recorded.samples;
    this.#runs.push({
      message,
      cells: recorded.cells,
      recordedSamples: recorded.samples,
      foundSamples: found.samples,
      spacingTau,
      firstDifference: firstDifference(recorded, found),
      compared: false,
    });
    if (this.#mode !== 'statistical' || recorded.samples === 0) return;
    const [a, b] = commonSamples(recorded, found);
    if (a.codes.length < BLOCKS_MIN * recorded.cells) this.#compareReadings(run, a.codes, b.codes);
    if (this.#group?.program !== program || codesIn(this.#group.runs) > GROUP_CODES_MAX) this.#endGroup();
    this.#group ??= { program, runs: emptyGroup(recorded.cells) };
    add(this.#group.runs, { runs: [this.#runs.length - 1], recorded: [a.codes], found: [b.codes] });
  }

  /** Compares the codes of a short run one by one, by the noise that its program can have. */
  #compareReadings({ recorded: { cells }, facts }: RunInProgress, a: Int16Array, b: Int16Array): void {
    for (let sample = 0; facts && sample * cells < a.length; sample++) {
      const ticks = facts.ticks === undefined ? undefined : facts.ticks + sample * facts.ticksPerSample;
      const variance = readingVariance({ image: facts.image, ticks }, this.#recorded!);
      if (variance?.length !== cells) return;
      const place = { run: this.#runs.length - 1, sample };
      this.#runsRead.add(place.run);
      for (let cell = 0; cell < cells; cell++) {
        const [recorded, found] = [a[sample * cells + cell], b[sample * cells + cell]];
        const error = Math.sqrt(2 * variance[cell]);
        this.#readingCount++;
        if (Math.abs(found - recorded) < READING_ERRORS_MIN * error) continue;
        const probability = studentTails((found - recorded) / error, NORMAL_DOF);
        if (this.#readings.length < READINGS_MAX)
          this.#readings.push({ statistic: 'reading', cell, place, recorded, found, error, probability });
      }
    }
  }

  /** Compares the runs of one program. Too few samples wait for those of other programs. */
  #endGroup(): void {
    const group = this.#group?.runs;
    this.#group = undefined;
    if (!group || this.#compareGroup(group, true)) return;
    const short = this.#short.get(group.cells) ?? emptyGroup(group.cells);
    this.#short.set(group.cells, short);
    add(short, group);
    if (codesIn(short) <= GROUP_CODES_MAX) return;
    this.#compareGroup(short, false);
    this.#short.delete(group.cells);
  }

  /** Whether the samples were enough to be compared. */
  #compareGroup({ cells, runs, recorded, found }: RunGroup, isOneProgram: boolean): boolean {
    const comparison = compareRuns({ cells, codes: joined(recorded) }, { cells, codes: joined(found) });
    if (!comparison.blocks) return false;
    this.#comparisons.push({ ...comparison, runs, isOneProgram });
    for (const run of runs) this.#runs[run] = { ...this.#runs[run], compared: true };
    return true;
  }

  #addReadings(): void {
    if (this.#readingCount === 0) return;
    const runs = [...this.#runsRead];
    const { cells } = this.#runs[runs[0]];
    for (const run of runs) this.#runs[run] = { ...this.#runs[run], compared: true };
    const none = new Float64Array(cells);
    this.#comparisons.push({
      runs,
      isOneProgram: false,
      samples: this.#readingCount / cells,
      cells,
      blocks: undefined,
      lag: 0,
      spreads: { recorded: none, found: none },
      comparisons: this.#readings,
      readings: this.#readingCount,
    });
  }

  /** Waits until the other board has sent as many samples as were recorded up to here. */
  async #catchUp(): Promise<void> {
    for (const run of this.#inProgress.values()) await (await run.other)?.reached(run.recorded.samples);
  }

  #compare(message: TraceMessage, found: TraceMessage['fields'], duringRun: boolean): void {
    this.#compared++;
    const sameNoise = this.#mode === 'exact';
    for (const difference of compareFields(message, found, { sameNoise, duringRun })) this.#note(difference);
  }

  #note(difference: FieldDifference): void {
    if (this.#differences.length < DIFFERENCES_MAX) this.#differences.push(difference);
  }

  /** What the recording says no more about is given up. */
  async #endSession(): Promise<void> {
    const open = [...this.#inProgress.values(), ...this.#starting.values()];
    this.#runsWithoutEnd += open.length;
    this.#inProgress.clear();
    this.#starting.clear();
    this.#replies.clear();
    this.#duringRun.clear();
    this.#bankCells.clear();
    this.#programs = new ProgramWrites();
    this.#runIds.clear();
    this.#lastStop = 0;
    for (const run of open) {
      const other = await run.other.catch(() => undefined);
      await other?.reached(run.recorded.samples);
      if (other) this.#finishRun(run, other.samples);
    }
    this.#endGroup();
  }

  async finish(rate: number): Promise<VerifyResult> {
    const replies = [...this.#replies.values()];
    await Promise.all(replies);
    await this.#endSession();
    const [recorded, found] = [this.#recorded, this.#found];
    if (!recorded || !found || !this.#mode)
      throw new ThermolinkError('BAD_FILE', 'The trace holds no session.', {
        hint: 'Record one, for example by `thermolink ping --record session.mcap`.',
      });
    for (const short of this.#short.values()) this.#compareGroup(short, false);
    this.#addReadings();
    const verdict = judge(this.#comparisons, rate);
    const differing = this.#runs.filter((run) => run.firstDifference !== undefined);
    const isExact = this.#mode === 'exact';
    return {
      mode: this.#mode,
      reason: this.#reason,
      recorded,
      found,
      commands: this.#commands,
      replies: this.#compared,
      samples: this.#samples,
      runs: this.#runs,
      differences: this.#differences,
      runsThatDiffer: differing.length,
      comparisons: this.#comparisons,
      verdict,
      runsNotCompared: isExact
        ? 0
        : this.#runs.filter((run) => !run.compared && run.recordedSamples > 0).length,
      runsWithoutEnd: this.#runsWithoutEnd,
      passed:
        this.#differences.length === 0 &&
        verdict.deviations.length === 0 &&
        (!isExact || differing.length === 0),
    };
  }
}

/** Readings that differ by less are not kept. */
const READING_ERRORS_MIN = 1;
const READINGS_MAX = 100_000;
/** Student's distribution of so many degrees of freedom is the normal one. */
const NORMAL_DOF = 1e6;

/** Codes of a run that are compared at once, so that a long session does not fill the memory. */
const GROUP_CODES_MAX = 32 * 1024 * 1024;

function emptyGroup(cells: number): RunGroup {
  return { cells, runs: [], recorded: [], found: [] };
}

function add(group: RunGroup, { runs, recorded, found }: Omit<RunGroup, 'cells'>): void {
  group.runs.push(...runs);
  group.recorded.push(...recorded);
  group.found.push(...found);
}

function codesIn({ recorded }: RunGroup): number {
  return recorded.reduce((sum, { length }) => sum + length, 0);
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Another run seed for each run seed and each name of new noise. */
function newSeed(runSeed: number, freshNoise: number): number {
  return (Math.imul(runSeed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(freshNoise + 1, 0xc2b2ae35)) >>> 0;
}
