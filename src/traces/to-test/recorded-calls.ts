import { RUN_OUTCOME } from '../../../firmware-protocol/device-status.js';
import { WATCHDOG_MS_DEFAULT } from '../../../firmware-protocol/limits.js';
import type { Command } from '../../../firmware-protocol/messages/index.js';
import { NO_CREDIT, ON_OVERLOAD, START_STATE } from '../../../firmware-protocol/messages/run.js';
import type { ProgramImage } from '../../../firmware-protocol/program-image.js';
import type { RunOptions } from '../../driver/device-api.js';
import { imageOf, ProgramWrites, type WrittenProgram } from '../program-writes.js';
import type { TraceMessage } from '../trace-message.js';
import { RunRecord } from '../verify/run-samples.js';

/** A recorded board run. */
export interface RecordedRun {
  readonly kind: 'run';
  /** Index of the recorded `start`. */
  readonly message: number;
  readonly options: RunOptions;
  readonly samples: RunRecord;
  /** How the run ended; undefined if the recording ends before the run. */
  outcome: keyof typeof RUN_OUTCOME | undefined;
  /** Whether the host sent other commands before the run had ended. */
  overlapped: boolean;
  /** Whether the board refused the call. */
  isRefused: boolean;
}

/** A program that was loaded into the board. */
interface RecordedUpload {
  readonly kind: 'loadProgram' | 'uploadCouplings' | 'rewriteProgram';
  readonly bank: number;
  readonly image: ProgramImage;
  isRefused: boolean;
}

interface RecordedQuestion {
  readonly kind: 'ping' | 'readStatus' | 'readCounters' | 'acknowledge' | 'stop' | 'reset';
  isRefused: boolean;
}

/** An action of the host, as a call of `Device`. */
export type RecordedCall = RecordedRun | RecordedUpload | RecordedQuestion;

const OUTCOMES = Object.keys(RUN_OUTCOME) as (keyof typeof RUN_OUTCOME)[];

/**
 * The calls that a host made in the first session of a trace. The commands of an upload become the one call
 * that sends them. Errors: BAD_FILE for a program that no host sends.
 */
export function recordedCalls(messages: Iterable<TraceMessage>): RecordedCall[] {
  const reader = new CallReader();
  for (const message of messages) if (message.session === 1) reader.take(message);
  return reader.calls;
}

class CallReader {
  readonly calls: RecordedCall[] = [];
  readonly #programs = new ProgramWrites();
  readonly #starts = new Map<number, RecordedRun>();
  readonly #runs = new Map<number, RecordedRun>();
  /** For each request id, the call of its last command. */
  readonly #asked = new Map<number, RecordedCall>();
  #lastStop = 0;

  take(message: TraceMessage): void {
    const { kind, name, fields, samples, requestId } = message;
    if (samples) {
      const { header, codes } = samples;
      this.#runs.get(header.runId)?.samples.take({ ...header, codes, overload: false, clipped: false });
    } else if (name === 'runEnded') {
      const run = this.#runs.get(Number(fields['runId']));
      if (run) run.outcome = OUTCOMES[Number(fields['outcome'])];
      this.#runs.delete(Number(fields['runId']));
    } else if (name === 'start' && kind === 'answer') {
      const run = this.#starts.get(requestId);
      if (run) this.#runs.set(Number(fields['runId']), run);
    } else if (name === 'refusal') {
      const call = this.#asked.get(requestId);
      if (call) call.isRefused = true;
    } else if (kind === 'command') this.#command(message);
  }

  #note(message: TraceMessage, call: RecordedCall): void {
    this.#asked.set(message.requestId, call);
    this.calls.push(call);
  }

  #command(message: TraceMessage): void {
    const { name, fields } = message;
    if (name === 'hello' || name === 'abort') return;
    if (name === 'stop') {
      // The host repeats a stop until it gets an answer.
      if (Number(fields['stopNumber']) === this.#lastStop) return;
      this.#lastStop = Number(fields['stopNumber']);
    }
    if (name !== 'stop') for (const run of this.#runs.values()) run.overlapped = true;
    if (this.#write(message)) return;
    this.#flushCouplings();
    switch (name) {
      case 'start':
        this.#start(message);
        break;
      case 'ping':
      case 'readStatus':
      case 'readCounters':
      case 'acknowledge':
      case 'stop':
      case 'reset':
        this.#note(message, { kind: name, isRefused: false });
    }
  }

  /** Handles a command that writes a program. Returns whether the command writes a program. */
  #write(message: TraceMessage): boolean {
    const { name } = message;
    if (name === 'defineProgram') this.#flushCouplings();
    const program = this.#programs.take(message);
    if (program && name === 'commit') this.#commit(message, program);
    return program !== undefined;
  }

  #commit(message: TraceMessage, bank: WrittenProgram): void {
    this.#note(message, {
      kind: bank.isNew ? 'loadProgram' : 'rewriteProgram',
      bank: Number(message.fields['bank']),
      image: imageOf(bank),
      isRefused: false,
    });
    bank.isNew = false;
  }

  /** Couplings that were written before another command were a separate call. */
  #flushCouplings(): void {
    for (const [number, bank] of this.#programs.banks) {
      if (!bank.isNew || !bank.hasCouplings) continue;
      this.calls.push({ kind: 'uploadCouplings', bank: number, image: imageOf(bank), isRefused: false });
      bank.isNew = false;
    }
  }

  #start(message: TraceMessage): void {
    const { index, requestId, fields } = message;
    const start = fields as unknown as Command<'start'>;
    const run: RecordedRun = {
      kind: 'run',
      message: index,
      options: runOptions(start),
      samples: new RunRecord(this.#programs.banks.get(start.bank)?.shape.cells ?? 0),
      outcome: undefined,
      overlapped: false,
      isRefused: false,
    };
    this.#starts.set(requestId, run);
    this.#note(message, run);
  }
}

/** The options of `run` that give this start command. Defaults are omitted. */
function runOptions(start: Command<'start'>): RunOptions {
  const { bank, runSeed, firstTick, burnInTicks, sampleCount, ticksPerSample } = start;
  return {
    bank,
    runSeed,
    ...(firstTick !== 0 && { firstTick }),
    burnInTicks,
    sampleCount,
    ticksPerSample,
    ...(start.startState === START_STATE.keep && { keepState: true }),
    ...(start.onOverload === ON_OVERLOAD.mark && { onOverload: 'mark' as const }),
    ...(start.keepBlocks > 0 && { onLoss: 'reRequest' as const }),
    ...(start.onNoCredit === NO_CREDIT.lose && { onNoCredit: 'lose' as const }),
    ...(start.watchdogMs !== WATCHDOG_MS_DEFAULT && { watchdogMs: start.watchdogMs }),
  };
}
