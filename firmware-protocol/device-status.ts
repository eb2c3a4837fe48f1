/**
 * The states of a board, and the table of moves between them (protocol.md, "States"). Firmware, driver,
 * emulator and documents share this table.
 *
 * Outputs (drives and noise) are on only while the board is running. Stop, silence and reset put a board into
 * `safe`. Only a host takes it out of `safe`: it opens a session or sends `acknowledge`.
 */

export const DEVICE_STATE = {
  /** The self-test after power-on or reset. */
  boot: 0,
  /** Outputs are off. Programs can be loaded but not run. */
  safe: 1,
  /** Ready. No bank was committed since the session opened or since the last stop. */
  idle: 2,
  /** A bank was committed. `start` still checks that the bank that it names is committed. */
  configured: 3,
  running: 4,
  /** The last run ended by itself or was aborted. Another one can be started. */
  done: 5,
  /** An overload halted the last run. Another one can be started. */
  halted: 6,
  /** A fault is latched until it is acknowledged. */
  fault: 7,
} as const;
/** The code of a state, as status reports carry it. */
export type DeviceState = (typeof DEVICE_STATE)[keyof typeof DEVICE_STATE];
/** A state by its name. */
export type DeviceStateName = keyof typeof DEVICE_STATE;

/** The inputs that move a board from state to state: commands of the host, and events of the board itself. */
export const DEVICE_INPUTS = [
  'booted',
  'sessionOpened',
  'committed',
  'programChanged',
  'started',
  'completed',
  'aborted',
  'overloaded',
  'stopped',
  'watchdogExpired',
  'faulted',
  'acknowledged',
  'reset',
] as const;
/** One of `DEVICE_INPUTS`. */
export type DeviceInput = (typeof DEVICE_INPUTS)[number];

/** How a board run ended. */
export const RUN_OUTCOME = {
  completed: 0,
  overload: 1,
  aborted: 2,
  stopped: 3,
  watchdog: 4,
  fault: 5,
} as const;
/** The code of how a run ended, as messages carry it. */
export type RunOutcomeCode = (typeof RUN_OUTCOME)[keyof typeof RUN_OUTCOME];

/**
 * `refused`: this state does not allow the input. The state stays, and a command is answered with a refusal.
 */
export type Transition = DeviceStateName | 'refused';

type Row = Readonly<Record<DeviceInput, Transition>>;

/** Inputs that lead to the same state from every state. The row of a state may override them. */
const ALWAYS = { stopped: 'safe', faulted: 'fault', reset: 'boot' } as const;

const row = (name: DeviceStateName, changes: Partial<Row>): Row => ({
  booted: 'refused',
  sessionOpened: name,
  committed: 'refused',
  programChanged: name,
  started: 'refused',
  completed: 'refused',
  aborted: 'refused',
  overloaded: 'refused',
  watchdogExpired: name,
  acknowledged: name,
  ...ALWAYS,
  ...changes,
});

/** Every state × every input. */
export const TRANSITIONS: Readonly<Record<DeviceStateName, Row>> = {
  boot: row('boot', { booted: 'safe', sessionOpened: 'refused', programChanged: 'refused', stopped: 'boot' }),
  safe: row('safe', { sessionOpened: 'idle', acknowledged: 'idle', committed: 'safe' }),
  idle: row('idle', { committed: 'configured' }),
  configured: row('configured', { committed: 'configured', started: 'running' }),
  running: row('running', {
    // A new session ends the run of the previous session (protocol.md, "Opening a session").
    sessionOpened: 'idle',
    // The other bank may be loaded during a run.
    committed: 'running',
    completed: 'done',
    aborted: 'done',
    overloaded: 'halted',
    watchdogExpired: 'safe',
    acknowledged: 'running',
  }),
  done: row('done', { committed: 'configured', started: 'running' }),
  halted: row('halted', { committed: 'configured', started: 'running', acknowledged: 'configured' }),
  fault: row('fault', { stopped: 'fault', acknowledged: 'safe', committed: 'fault' }),
};

/** The state after `input`, or `refused`. Pure. Errors: none. */
export function nextState(state: DeviceStateName, input: DeviceInput): Transition {
  return TRANSITIONS[state][input];
}

const STATE_NAMES = Object.keys(DEVICE_STATE) as DeviceStateName[];

/** The name of a state code of status reports. Errors: none; undefined for a code that is not a state. */
export function deviceStateName(code: DeviceState): DeviceStateName {
  return STATE_NAMES[code];
}
