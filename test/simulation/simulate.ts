import { FRAME_BYTES_BEFORE_HELLO } from '../../firmware-protocol/limits.js';
import { newNonce } from '../../src/driver/hello.js';
import { ThermolinkError } from '../../src/errors.js';
import { FaultPlan } from './fault-plan.js';
import { Coverage, type WorldFaultName } from './faults.js';
import { setWitness } from './hooks.js';
import { Host } from './host.js';
import { Life } from './life.js';
import type { Random } from './random.js';
import { setRandomBytes } from './random-bytes.js';
import { type Draws, drawScenario, type Scenario } from './scenario.js';
import { TestRig } from './test-rig.js';
import { Trace } from './trace.js';
import { VirtualTime } from './virtual-time.js';
import { ProtocolWitness } from './witness.js';
import { STEPS } from './workload.js';

/** A simulation that needs more virtual time counts as hanging. */
const VIRTUAL_MS_MAX = 600_000;
const EVENTS_MAX = 400_000;
/** Time that passes after the host is done. It is long enough for a watchdog. */
const AFTERMATH_MS = 1500;
const COMMANDS_MIN = 200;
const ATTEMPTS_MAX = 60;
/** Sessions before a restart of the board whose frames may still be on their way. */
const FORGOTTEN = 6;
/** Sessions that a process may have after its first one, with nonces that count up. */
const COUNTED_UP = 16;

export interface SimulationOptions {
  /** Fields that replace those of the seed's scenario. */
  readonly change?: Partial<Scenario>;
  readonly coverage?: Coverage;
  /** Results of the fault-free simulation of the same variant. */
  readonly expected?: readonly string[];
  readonly onWrite?: Trace['onWrite'];
}

export interface SimulationResult {
  readonly scenario: Scenario;
  readonly violations: readonly string[];
  /** The outcome of each step. */
  readonly results: readonly string[];
  readonly commands: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly lastMessages: readonly string[];
}

/** Simulates the scenario of a seed. The same arguments give the same history. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const { scenario, draws } = drawScenario(seed);
  const world = new World({ ...scenario, ...options.change }, draws, options);
  return world.run();
}

class World {
  readonly #scenario: Scenario;
  readonly #options: SimulationOptions;
  readonly #time = new VirtualTime();
  readonly #trace = new Trace();
  readonly #plan: FaultPlan;
  readonly #coverage: Coverage;
  readonly #rig: TestRig;
  readonly #witness: ProtocolWitness;
  readonly #random: Random;
  readonly #results: string[] = [];
  #host!: Host;
  #starts = 0;
  #doneAtMs = Number.POSITIVE_INFINITY;
  #paths = 1;

  constructor(scenario: Scenario, draws: Draws, options: SimulationOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#random = draws.host;
    this.#plan = new FaultPlan(scenario, draws.faults);
    this.#coverage = options.coverage ?? new Coverage();
    this.#rig = new TestRig(this.#time, scenario, draws.board, this.#plan, this.#coverage, this.#trace);
    this.#witness = new ProtocolWitness(this.#rig);
    this.#rig.observer = this.#witness;
    this.#trace.onWrite = options.onWrite;
  }

  async run(): Promise<SimulationResult> {
    const witness = this.#witness;
    setWitness(witness);
    // The driver chooses the nonces of later sessions by itself.
    setRandomBytes(() => this.#randomBytes());
    try {
      this.#rig.powerUp();
      this.#beginLife();
      await this.#time.run(() => this.#isOver());
      this.#checkEnd();
    } catch (error) {
      witness.truth.broken(`bug: ${error instanceof Error ? error.stack : String(error)}`);
    } finally {
      setWitness(undefined);
      setRandomBytes(undefined);
    }
    return {
      scenario: this.#scenario,
      violations: witness.truth.violations,
      results: this.#results,
      commands: witness.board.commands,
      events: this.#time.events,
      virtualMs: this.#time.nowMs(),
      lastMessages: witness.truth.violations.length > 0 ? this.#trace.lines : [],
    };
  }

  /** Whether the simulation is over. Called after every event. */
  #isOver(): boolean {
    const witness = this.#witness;
    witness.check();
    if (witness.truth.violations.length > 0) return true;
    const nowMs = this.#time.nowMs();
    if (nowMs > VIRTUAL_MS_MAX || this.#time.events > EVENTS_MAX) {
      witness.truth.broken(
        `no end after ${nowMs} ms and ${this.#time.events} events, in step ${this.#results.length}`,
      );
      return true;
    }
    if (nowMs >= this.#doneAtMs) return true;
    // A killed host can't be killed again and waits for nothing.
    const fault = this.#host.clock.alive ? this.#plan.worldFault(this.#rig.state) : undefined;
    if (fault) this.#strike(fault);
    return false;
  }

  #strike(fault: WorldFaultName): void {
    const rig = this.#rig;
    const { random } = this.#plan;
    this.#coverage.hit(fault, rig.state);
    const awayMs = random.chance(0.7) ? random.ms(5, 300) : random.ms(300, 8000);
    if (fault === 'stall') rig.stall(awayMs);
    else if (fault === 'disconnect') rig.unplug(awayMs);
    else if (fault === 'repath') rig.unplug(awayMs, `usb:1-${++this.#paths}`);
    else if (fault === 'reset') rig.powerUp();
    else {
      this.#host.clock.alive = false;
      rig.hostDied();
      this.#witness.hostGone();
      this.#time.schedule(random.ms(10, 1500), () => this.#beginLife());
    }
  }

  #beginLife(): void {
    const preRollFrames = this.#scenario.sequenceWraps ? 65_536 - this.#random.whole(20, 150) : 0;
    const options = { nonce: (before: Uint8Array | undefined) => this.#nonce(before), preRollFrames };
    this.#host = new Host(this.#rig, this.#witness, this.#random, options);
    const life = new Life(this.#host, this.#scenario.variant, () => 300 + this.#starts++);
    this.#live(life).catch((error) =>
      this.#witness.truth.broken(`bug: ${error instanceof Error ? error.stack : error}`),
    );
  }

  async #live(life: Life): Promise<void> {
    // After a kill the next life begins with the step in which the host was killed.
    while (this.#results.length < STEPS.length) {
      const step = STEPS[this.#results.length];
      this.#rig.note(`step ${step.name}`);
      this.#results.push(await this.#attempt(life, step.act));
    }
    await life.host.leave();
    this.#doneAtMs = this.#time.nowMs() + AFTERMATH_MS;
    this.#time.schedule(AFTERMATH_MS, () => undefined);
  }

  async #attempt(life: Life, act: (life: Life) => Promise<string>): Promise<string> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      try {
        return await act(life);
      } catch (error) {
        this.#rig.note(`failed: ${error instanceof ThermolinkError ? error.code : ''} ${String(error)}`);
        // The reader of the samples has checked already whether they were really lost.
        if (!(error instanceof ThermolinkError && error.code === 'SAMPLES_LOST')) life.host.explain(error);
        life.host.loaded.length = 0;
        const code = error instanceof ThermolinkError ? error.code : '';
        if (!SESSION_GOES_ON.has(code)) await life.host.leave();
      }
    }
    throw new Error(`no success in ${ATTEMPTS_MAX} attempts`);
  }

  #checkEnd(): void {
    const witness = this.#witness;
    if (witness.truth.violations.length > 0) return;
    // With longer frames fewer commands are needed.
    if (this.#scenario.frameBytes === FRAME_BYTES_BEFORE_HELLO && witness.board.commands < COMMANDS_MIN)
      witness.truth.broken(`only ${witness.board.commands} commands`);
    if (this.#rig.state === 'running') witness.truth.broken('the board still runs, without a host');
    const { expected } = this.#options;
    expected?.forEach((line, i) => {
      if (line !== this.#results[i])
        witness.truth.broken(
          `step ${STEPS[i].name} came to "${this.#results[i]}", without faults to "${line}"`,
        );
    });
  }

  /**
   * The nonce of a host's next session. Within a process the driver chooses it, and in a new process it is
   * eight random bytes. Frames carry only its first byte. In some scenarios this byte is soon used again, and
   * a board refuses the nonce of a session that it remembers. A board that has restarted remembers no earlier
   * session. A late frame of such a session would then be taken with a probability of 1/256, so this function
   * avoids the first bytes of these sessions (protocol.md, "Nonces").
   */
  #nonce(before: Uint8Array | undefined): Uint8Array {
    const comesAgain = this.#scenario.noncesComeAgain;
    if (before && !comesAgain) return newNonce(before);
    const forgotten = this.#witness.board.forgottenSessions.slice(-FORGOTTEN).map((nonce) => nonce[0]);
    const nonce = this.#randomBytes();
    // The driver counts up from here.
    do nonce[0] = comesAgain ? COUNTED_UP * this.#random.whole(0, 15) : this.#random.whole(1, 255);
    while (forgotten.some((first) => ((first - nonce[0]) & 0xff) < COUNTED_UP));
    return nonce;
  }

  #randomBytes(): Uint8Array {
    return Uint8Array.from({ length: 8 }, () => this.#random.whole(0, 255));
  }
}

/** After these errors the same session can be used for the next attempt. */
const SESSION_GOES_ON: ReadonlySet<string> = new Set([
  'SAMPLES_LOST',
  'DEVICE_REFUSED',
  'RUN_ENDED',
  'DEVICE_FAULT',
]);
