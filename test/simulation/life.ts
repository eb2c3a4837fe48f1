import { crc32 } from '../../firmware-protocol/crc.js';
import { programDigest } from '../../firmware-protocol/program-digest.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { LossPolicy, RunOptions, RunReport, SampleRange } from '../../src/driver/device-api.js';
import { ThermolinkError } from '../../src/errors.js';
import type { Host } from './host.js';
import { largeProgram, overloadingProgram, wideProgram } from './programs.js';
import { Random } from './random.js';

export type ProgramName = 'large' | 'wide' | 'overloading';

/** Longest time that a run may take before it counts as lost. */
const RUN_TIMEOUT_MS = 20_000;

/** The actions that the steps of a workload consist of, in one life of the host. */
export class Life {
  readonly host: Host;
  readonly #programs: Readonly<Record<ProgramName, ProgramImage>>;
  /** A watchdog time that no other start of this simulation has. It identifies the start. */
  readonly #watchdogMs: () => number;

  constructor(host: Host, variant: number, watchdogMs: () => number) {
    this.host = host;
    this.#watchdogMs = watchdogMs;
    const random = new Random(variant, 2);
    this.#programs = {
      large: largeProgram(random),
      wide: wideProgram(random),
      overloading: overloadingProgram(random),
    };
  }

  /** Brings the board from any state into a state in which a program can be loaded and run. */
  async ready(): Promise<void> {
    const device = await this.host.device();
    for (;;) {
      const { state } = await device.readStatus();
      if (state === 'fault' || state === 'safe') await device.acknowledge();
      else if (state === 'running') await device.stop();
      else {
        // A program that was committed before a stop must be committed again.
        if (state === 'idle') this.host.loaded.length = 0;
        return;
      }
    }
  }

  async load(bank: number, name: ProgramName): Promise<void> {
    const { loaded } = this.host;
    if (loaded[bank] === name) return;
    loaded[bank] = undefined;
    await (await this.host.device()).loadProgram(bank, this.#programs[name]);
    loaded[bank] = name;
  }

  /** Loads everything except the couplings again. */
  async rewrite(bank: number, name: ProgramName): Promise<void> {
    await (await this.host.device()).rewriteProgram(bank, this.#programs[name]);
  }

  options(bank: number, runSeed: number, sampleCount: number, ticksPerSample: number): RunOptions {
    return {
      bank,
      runSeed,
      burnInTicks: 20,
      sampleCount,
      ticksPerSample,
      watchdogMs: this.#watchdogMs(),
      timeoutMs: RUN_TIMEOUT_MS,
    };
  }

  /** Runs and reads every block, with a pause now and then. Returns the outcome as one line. */
  async stream(options: RunOptions, pauseMs = 0): Promise<string> {
    const { host } = this;
    const { onLoss = 'fail' } = options;
    const device = await host.device();
    const run = await device.run(options);
    const session = host.witness.truth.hostSession;
    const codes: Int16Array[] = [];
    try {
      for await (const block of run.blocks) {
        codes.push(block.codes);
        if (pauseMs > 0 && host.random.chance(0.3)) await host.clock.sleep(host.random.ms(0, pauseMs));
      }
    } catch (error) {
      if (error instanceof ThermolinkError && error.code === 'SAMPLES_LOST')
        this.#checkLoss(session, run.runId, onLoss, error.data);
      throw error;
    }
    const report = await run.finished;
    if (report.outcome === 'completed' || report.outcome === 'overload')
      this.#checkReport(session, onLoss, report, run.lost);
    else throw new ThermolinkError('RUN_ENDED', `the run ended early: ${report.outcome}`);
    const { stateDigest, tick } = await device.readStatus();
    const { outcome, ticksDone, samplesTaken } = report;
    if (run.lost.length > 0) return 'lossy';
    const digest = codes.reduce((crc, part) => crc32(new Uint8Array(part.buffer), crc), 0);
    return `${outcome} ticks ${ticksDone} samples ${samplesTaken} codes ${digest} state ${stateDigest} at ${tick}`;
  }

  async pings(count: number): Promise<void> {
    const device = await this.host.device();
    await all(Array.from({ length: count }, () => device.ping()));
  }

  /** Sends a request again that the board has already executed. The board must answer and do nothing. */
  repeatRequest(): void {
    const { connection } = this.host.witness.host;
    const payload = this.host.witness.executedBefore(this.host.random);
    if (connection && !connection.failure && payload && connection.link.canSend) {
      connection.link.send(payload);
      connection.wake();
    }
  }

  /** Commits again. No method of `Device` makes this call of the connection by itself. */
  commitAgain(bank: number, name: ProgramName): Promise<unknown> {
    return this.host.witness.host.connection!.request('commit', {
      bank,
      ...programDigest(this.#programs[name]),
    });
  }

  /** Checks that the listed samples are really lost, by the present knowledge of the host. */
  #checkLoss(session: string, runId: number, policy: LossPolicy, data: ThermolinkError['data']): void {
    const { truth, samples } = this.host.witness;
    const ledger = samples.ledger(session, runId);
    const found = JSON.stringify(data['ranges']);
    const taken = samples.samplesTaken(session, runId);
    const possible = [ledger?.lost(policy), ledger?.lost(policy, taken)].map((ranges) =>
      JSON.stringify(ranges),
    );
    if (!possible.includes(found))
      truth.broken(`run ${runId}: the host says that ${found} were lost, in truth it is ${possible[0]}`);
  }

  #checkReport(session: string, policy: LossPolicy, report: RunReport, found: readonly SampleRange[]): void {
    const { truth, samples } = this.host.witness;
    const { runId, samplesTaken, samplesLost } = report;
    const ledger = samples.ledger(session, runId);
    if (!ledger) {
      truth.broken(`run ${runId} was reported and never started`);
      return;
    }
    const skipped = ledger.skipped(samplesTaken);
    if (samplesLost !== skipped)
      truth.broken(`run ${runId}: the board reports ${samplesLost} samples lost and skipped ${skipped}`);
    const lost = JSON.stringify(ledger.lost(policy, samplesTaken));
    if (JSON.stringify(found) !== lost)
      truth.broken(`run ${runId}: ${lost} were lost, the host found ${JSON.stringify(found)}`);
  }
}

/**
 * Waits for all calls, then fails if one failed. An error that ended the session goes before an error of lost
 * samples.
 */
export async function all(calls: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(calls);
  const errors = ended.flatMap((call) => (call.status === 'rejected' ? [call.reason as unknown] : []));
  if (errors.length > 0)
    throw (
      errors.find((error) => !(error instanceof ThermolinkError && error.code === 'SAMPLES_LOST')) ??
      errors[0]
    );
}
