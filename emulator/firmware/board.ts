import {
  type DeviceInput,
  type DeviceStateName,
  nextState,
  RUN_OUTCOME,
  type RunOutcomeCode,
} from '../../firmware-protocol/device-status.js';
import { ENDED_SESSIONS_MAX } from '../../firmware-protocol/limits.js';
import { type FAULT, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { BoardFaults } from '../analog/board-faults.js';
import { CellArray } from '../analog/cell-array.js';
import type { Die } from '../analog/die.js';
import { fastestTicks } from '../kernel/kernel-ticks.js';
import { CalibrationMemory } from './calibration-memory.js';
import { ProgramMemory } from './program-memory.js';
import { Refused } from './refused.js';
import type { RunEngine } from './run-engine.js';

/** The outcome of a board run for each input that ends it (protocol.md, "End of a run"). */
const RUN_ENDING: Partial<Record<DeviceInput, RunOutcomeCode>> = {
  sessionOpened: RUN_OUTCOME.stopped,
  aborted: RUN_OUTCOME.aborted,
  stopped: RUN_OUTCOME.stopped,
  watchdogExpired: RUN_OUTCOME.watchdog,
  faulted: RUN_OUTCOME.fault,
  reset: RUN_OUTCOME.stopped,
};

/**
 * Everything that the dispatcher acts on: state machine, programs, cells and the board run. A reset makes a
 * new one, which only keeps `faults` and `calibration`.
 */
export class Board {
  readonly die: Die;
  readonly bootEpoch: number;
  readonly memory: ProgramMemory;
  readonly cells: CellArray;
  /** What is broken. A reset does not mend it. */
  readonly faults: BoardFaults;
  /** The stored record of a calibration. A reset does not change it. */
  readonly calibration: CalibrationMemory;
  /** The time until which the board's light shows which board it is, ms. */
  identifyUntilMs = 0;
  state: DeviceStateName = 'boot';
  fault: (typeof FAULT)[keyof typeof FAULT] = 0;
  run: RunEngine | undefined;
  /** The last board run that was reported. The host may still ask for its kept blocks. */
  lastRun: RunEngine | undefined;
  /** The next tick of the cell array, for status. */
  tick = 0;
  runId = 0;
  stopNumber = 0;
  /** Requests up to this one were cancelled by a stop. */
  cancelledUpTo = 0;
  watchdogTrips = 0;
  /** Nonces of the last sessions that have ended, oldest first. */
  readonly endedSessions: Uint8Array[] = [];
  /** Samples that earlier runs have lost, reported or not. */
  #samplesLost = 0;

  constructor(
    die: Die,
    bootEpoch: number,
    faults = new BoardFaults(die),
    calibration = new CalibrationMemory(),
  ) {
    this.die = die;
    this.bootEpoch = bootEpoch;
    this.memory = new ProgramMemory(die);
    this.faults = faults;
    this.calibration = calibration;
    this.cells = new CellArray(die, fastestTicks(die), faults);
    this.input('booted');
  }

  /**
   * How many samples were skipped for lack of credit since boot. It includes those of the run in progress.
   */
  get samplesLost(): number {
    return this.#samplesLost + (this.run?.samplesLost ?? 0);
  }

  /** Forgets the run in progress. The samples that it has lost stay counted. */
  dropRun(): void {
    this.#samplesLost = this.samplesLost;
    this.run = undefined;
  }

  /**
   * Remembers that the session of this nonce has ended; a nonce of zeros is not a session (protocol.md,
   * "Nonces").
   */
  sessionEnded(nonce: Uint8Array): void {
    if (nonce.every((byte) => byte === 0)) return;
    this.endedSessions.push(nonce);
    if (this.endedSessions.length > ENDED_SESSIONS_MAX) this.endedSessions.shift();
  }

  /**
   * Gives the state machine an input (protocol.md, "States"), and ends the run in progress if the input ends
   * runs. Throws Refused if the state does not allow the input.
   */
  input(input: DeviceInput): void {
    const next = nextState(this.state, input);
    if (next === 'refused') throw new Refused(REFUSAL.wrongState, `${input} in state ${this.state}`);
    const outcome = RUN_ENDING[input];
    if (outcome !== undefined && this.state === 'running') this.run?.end(outcome);
    // The host may ask for kept blocks of the finished board run until one of these inputs, other than
    // `aborted`, comes.
    if (outcome !== undefined && input !== 'aborted') this.lastRun = undefined;
    this.state = next;
  }
}
