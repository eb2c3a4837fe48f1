import { RUN_OUTCOME } from '../../../firmware-protocol/device-status.js';
import { BLOCK_FLAG } from '../../../firmware-protocol/messages/acquisition.js';
import type { Command, CommandName } from '../../../firmware-protocol/messages/index.js';
import { commandRow } from '../../../firmware-protocol/messages/index.js';
import { START_STATE } from '../../../firmware-protocol/messages/run.js';
import { FEATURE, FEATURES_OF_MINOR_0 } from '../../../firmware-protocol/messages/system.js';
import type { Port } from '../../../firmware-protocol/port.js';
import { badArgument } from '../../argument-checks.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { identityOf } from '../../driver/hello.js';
import { ThermolinkError, throwIfAborted } from '../../errors.js';
import { imageOf, ProgramWrites } from '../program-writes.js';
import type { TraceMessage } from '../trace-message.js';
import { Differences, isCutShort } from './compare-fields.js';
import { judge } from './judge.js';
import { OtherBoard, type OtherRun, type Reply } from './other-board.js';
import { type DoneRun, RunGroups } from './run-groups.js';
import { RunRecord } from './run-samples.js';
import { chooseMode, newSeed } from './verify-mode.js';
import type { VerifyMode, VerifyOptions, VerifyResult } from './verify-result.js';

const RATE_DEFAULT = 1e-3;
/** Longest delay of a watchdog behind its time. A watchdog that trips later counts as not tripped. */
const TRIP_LATE_MS = 5000;
/**
 * Sends the commands of a recorded session to the board on `port`, in the same causal order, and compares the
 * answers. Digital values must be equal; samples are compared exactly or statistically. The port is closed at
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

/** A run that is in progress at this place of the recording. */
interface RunInProgress extends DoneRun {
  readonly watchdogMs: number;
  /** The run on the other board, or undefined when it was refused. */
  readonly other: Promise<OtherRun | undefined>;
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
  /** Replies of the other board to commands whose recorded reply has not been read yet, by request id. */
  readonly #replies = new Map<number, Promise<Reply>>();
  /** For each request id, whether a run was in progress when the command was sent. */
  readonly #duringRun = new Map<number, boolean>();
  readonly #bankCells = new Map<number, number>();
  /** Runs of this session, by the run id of the recording. */
  readonly #inProgress = new Map<number, RunInProgress>();
  readonly #starting = new Map<number, RunInProgress>();
  /** The run id that the other board gave to a recorded run. */
  readonly #runIds = new Map<number, number>();
  /** Whether the host, or its silence, ended the last run early. */
  #afterCut = false;
  readonly #groups = new RunGroups();
  readonly #differences = new Differences();
  #programs = new ProgramWrites();
  /** Counts the writes to each bank. */
  readonly #bankWrites = new Map<number, number>();
  #commands = 0;
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
    // Nothing is compared outside of a session, for example after the board refused another client.
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
    if (!this.#mode) [this.#mode, this.#reason] = chooseMode(this.#options, recorded, session.identity);
    const { hasDense, hasFactored, hasHold, hasRowElement, hasAverages } = session.identity;
    const { hasKnownCovariance, hasIdentify } = session.identity;
    const features =
      (hasDense ? FEATURE.dense : 0) +
      (hasFactored ? FEATURE.factored : 0) +
      (hasHold ? FEATURE.hold : 0) +
      (hasRowElement ? FEATURE.rowElement : 0) +
      (hasAverages ? FEATURE.averages : 0) +
      (hasKnownCovariance ? FEATURE.knownCovariance : 0) +
      (hasIdentify ? FEATURE.identify : 0);
    // A recording of an earlier minor version has only the fields of that version.
    const isOfMinor0 = message.fields['minor'] === 0;
    const told = isOfMinor0
      ? { features: features & FEATURES_OF_MINOR_0, momentCellsMax: 0, calibrationBytesMax: 0 }
      : { features, momentCellsMax: session.identity.momentCellsMax };
    this.#compare(message, { ...message.fields, ...session.identity, ...told } as never, false);
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

  /** Replaces the run id of the recording by that of the new session. */
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
      watchdogMs: fields.watchdogMs,
      other: started.then(({ run }) => run),
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
    const said = (refused: boolean) => (refused ? 'refused' : 'done');
    this.#differences.compared++;
    this.#differences.note({
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
    this.#afterCut = isCutShort(message.fields);
    const isTrip = message.fields['outcome'] === RUN_OUTCOME.watchdog;
    const wasEndedByHand = isTrip && !(await this.#tripWatchdog(message, run, other));
    const [ended] = await Promise.all([other.ended, other.read]);
    if (!wasEndedByHand) this.#compare(message, { ...ended }, false);
    this.#compareBlocks(message, run, other.samples);
    this.#finishRun(run, other.samples);
  }

  /**
   * Ends a run by silence, as the recorded host did. Returns false if the watchdog did not trip and the run
   * had to be aborted.
   */
  async #tripWatchdog(end: TraceMessage, { recorded, watchdogMs }: RunInProgress, other: OtherRun) {
    await Promise.all(this.#replies.values());
    await other.reached(recorded.samples);
    if (await this.#board.fallSilent(other, watchdogMs + TRIP_LATE_MS)) return true;
    this.#differences.note({
      message: end.index,
      name: end.name,
      field: 'outcome',
      recorded: 'watchdog',
      found: `none after ${watchdogMs + TRIP_LATE_MS} ms of silence`,
    });
    await this.#board.stop();
    return false;
  }

  #finishRun(run: RunInProgress, found: RunRecord): void {
    this.#groups.add(run, found, this.#mode!, this.#recorded!);
  }

  /**
   * Compares the first tick of a run, and of a completed run the number of whole samples and the flags. The
   * division of the samples into blocks may differ.
   */
  #compareBlocks(end: TraceMessage, { recorded }: RunInProgress, found: RunRecord): void {
    const note = (field: string, was: number, is: number): void => {
      if (was !== is)
        this.#differences.note({ message: end.index, name: 'sampleBlock', field, recorded: was, found: is });
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

  /** Waits until the other board has sent the number of samples that were recorded up to this point. */
  async #catchUp(): Promise<void> {
    for (const run of this.#inProgress.values()) await (await run.other)?.reached(run.recorded.samples);
  }

  #compare(message: TraceMessage, found: TraceMessage['fields'], duringRun: boolean): void {
    const circumstances = { sameNoise: this.#mode === 'exact', duringRun, afterCut: this.#afterCut };
    this.#differences.compare(message, found, circumstances);
  }

  /**
   * Ends a session of the recording. Requests without a recorded answer are dropped. A run without a recorded
   * end counts as such, and the samples that it has so far are compared.
   */
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
    this.#groups.endProgram();
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
    this.#groups.finish();
    const { runs, samples, comparisons } = this.#groups;
    const verdict = judge(comparisons, rate);
    const differing = runs.filter((run) => run.firstDifference !== undefined);
    const isExact = this.#mode === 'exact';
    return {
      mode: this.#mode,
      reason: this.#reason,
      recorded,
      found,
      commands: this.#commands,
      replies: this.#differences.compared,
      samples,
      runs,
      differences: this.#differences.list,
      runsThatDiffer: differing.length,
      comparisons,
      verdict,
      runsNotCompared: isExact ? 0 : runs.filter((run) => !run.compared && run.recordedSamples > 0).length,
      runsWithoutEnd: this.#runsWithoutEnd,
      passed:
        this.#differences.list.length === 0 &&
        verdict.deviations.length === 0 &&
        (!isExact || differing.length === 0),
    };
  }
}
