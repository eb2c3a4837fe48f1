/**
 * The messages of a hub's HTTP interface, as schemas. Server, page and command line share them. Times are ms
 * since 1970 by the server's clock. Numbers that are not finite do not occur.
 *
 * - `GET /livez`, without a token: `LIFE`, with the status 200 as long as the server answers
 * - `GET /healthz`, without a token: `HEALTH`. The status is 503 when no board is good; with `?board=NAME`,
 *   when that board is not good; with `?all=1`, when any board is not good
 * - `GET /metrics`, right observe: figures in the text format of Prometheus
 * - `GET /api/boards`, right observe: `BOARD_LIST`
 * - `GET /api/boards/NAME/link`, right drive: an upgrade to `thermolink`, or a WebSocket with binary
 *   messages. After the upgrade the bytes of the board's link pass.
 * - `POST /api/boards/NAME/stop`, right stop: `STOP_ANSWER`
 * - `POST /api/boards/NAME/recording` with `RECORDING_REQUEST`, right drive: `RECORDING_VIEW`
 * - `GET /api/boards/NAME/trace`, right observe: the recording that ended last, an .mcap file
 * - `POST /api/boards/NAME/notes` with `NOTES_REQUEST`, right drive, from the owner who drives the board or
 *   drove it last: `NOTES_ANSWER`
 * - `GET /api/events`, a WebSocket, right observe: a stream of `EVENT`
 *
 * A refusal is an HTTP status of 4xx or 5xx with `REFUSAL_BODY`. The token goes into the header
 * `Authorization: Bearer …`. A WebSocket of a browser can't send that header, so it sends `TOKEN_MESSAGE`
 * first, within 5 s. It sends it also to a server without tokens, which ignores it.
 */
import { z } from 'zod';
import { DEVICE_STATE, RUN_OUTCOME } from '../../firmware-protocol/device-status.js';

/** The form of a board's name, which stands in URLs. */
export const BOARD_NAME = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/);

/**
 * Largest number of cells whose voltages and moments are sent. For a larger board they are those of the first
 * cells.
 */
export const SHOWN_CELLS_MAX = 256;
/** Largest number of cells whose covariances are sent, as rows of a full matrix. */
export const COVARIANCE_CELLS_MAX = 32;
/** Largest number of values of one note. */
export const NOTE_VALUES_MAX = 16;
/** Largest number of notes of one request. */
export const NOTES_MAX = 64;
/** Number of notes of a board that are kept for observers that connect later. */
export const NOTES_KEPT = 2000;

const count = z.number().int().min(0);
const timeMs = z.number().min(0);
const volts = z.array(z.number()).max(SHOWN_CELLS_MAX);
const covariance = z.array(z.array(z.number()).max(COVARIANCE_CELLS_MAX)).max(COVARIANCE_CELLS_MAX);
const title = z.string().min(1).max(64);

/**
 * The right of a token. `observe` looks, `stop` also stops any board, `drive` also takes a lease, and `admin`
 * also takes over the lease of another owner. Each right includes those before it in this list.
 */
export const RIGHT = z.enum(['observe', 'stop', 'drive', 'admin']);
/** A right by its name. */
export type Right = z.infer<typeof RIGHT>;

/** The states of a board (protocol.md, "States"). */
export const BOARD_STATE = z.enum(
  Object.keys(DEVICE_STATE) as [keyof typeof DEVICE_STATE, ...(keyof typeof DEVICE_STATE)[]],
);

/**
 * Whether the server reaches the board. `opening`: its port is being opened, or the board has not answered
 * yet. `good`: it answers. `fault`: it has latched a fault. `lost`: its port closed or it fell silent; the
 * server looks for it.
 */
export const BOARD_HEALTH = z.enum(['opening', 'good', 'fault', 'lost']);

/** The client that drives a board now. */
export const LEASE_VIEW = z.object({
  /** The owner: the name that the token file gives to the token. `local` on a server without tokens. */
  owner: z.string(),
  /** The address of the client. */
  client: z.string(),
  sinceMs: timeMs,
  /** Time of the last bytes from the client. */
  heardMs: timeMs,
});

/** A client that waits for the lease. */
export const QUEUE_ENTRY = z.object({
  owner: z.string(),
  client: z.string(),
  sinceMs: timeMs,
  /** When its waiting time ends and it gets the answer that the board is busy. */
  untilMs: timeMs,
});

/** The recording of a board. */
export const RECORDING_VIEW = z.object({
  on: z.boolean(),
  /** When it was switched on; null when no recording is on. */
  sinceMs: timeMs.nullable(),
  /** Bytes to and from the board during the recording. The size of the file is about the same. */
  bytes: count,
  /** Whether `GET …/trace` has a file, which is a recording that has ended. */
  hasTrace: z.boolean(),
  /** Why the last recording ended early, for example because of a full disk; null if it did not. */
  problem: z.string().nullable(),
});

/** The identity of a board; null until it has answered. */
export const IDENTITY_VIEW = z.object({
  model: z.string(),
  serialNumber: z.string(),
  firmwareVersion: z.string(),
  bootEpoch: count,
  cells: count,
  rows: count,
  banks: count,
  tauNs: count,
  fullScaleMicrovolts: count,
});

/** A run of a board, numbered over all clients since the server has started. */
export const RUN_VIEW = z.object({
  /** Number of the run, from 1. */
  run: count,
  /** Cells of its program; 0 when its upload was not seen. */
  cells: count,
  burnInTicks: count,
  sampleCount: count,
  ticksPerSample: count,
  /** Duration of a tick of the board, in ns of its own time. */
  tickNs: z.number().min(0),
  /**
   * With `samples`, samples come during the run. With `means` and `secondMoments`, only sums come, at the
   * end.
   */
  statistics: z.enum(['samples', 'means', 'secondMoments']),
  owner: z.string(),
});

/**
 * A board with all data that change seldom. The whole view is sent when something in it changes, at most ten
 * times a second.
 */
export const BOARD_VIEW = z.object({
  name: BOARD_NAME,
  /** The device URI that the server was given. It holds no secret. */
  uri: z.string(),
  health: BOARD_HEALTH,
  /** Why the health is not `good`, for people; null while it is good. */
  problem: z.string().nullable(),
  /** Null until the board has answered. */
  state: BOARD_STATE.nullable(),
  identity: IDENTITY_VIEW.nullable(),
  lease: LEASE_VIEW.nullable(),
  queue: z.array(QUEUE_ENTRY),
  /** The run in progress. */
  run: RUN_VIEW.nullable(),
  recording: RECORDING_VIEW,
});

/** Counters of a board's link since the start of the server. */
export const LINK_COUNTERS = z.object({
  bytesToBoard: count,
  bytesToHost: count,
  /** Good frames of both directions. */
  frames: count,
  framesFaulty: count,
  /** Command frames that were sent again. */
  retransmissions: count,
  /** Sample frames that never came. */
  sampleFramesLost: count,
  /** Samples that the board has skipped because it had no credit. */
  samplesLost: count,
  sessions: count,
  runs: count,
  /** Runs that ended by an overload. */
  overloads: count,
  watchdogTrips: count,
  /** Stops of any client, the server included. */
  stops: count,
  /** Commands that the board refused. */
  refusals: count,
  /** Times that the board has latched a fault. */
  faults: count,
  /** Leases that were given. */
  leases: count,
});

/** One point of the curves of a training, as a host sends it. */
export const NOTE = z.strictObject({
  /** Names the training; the same for all its notes. */
  training: title,
  step: count,
  /** Values by name. The name ends in the unit if the value has one: `trainLoss`, `boardSeconds`. */
  values: z
    .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9]{0,31}$/), z.number())
    .refine((values) => Object.keys(values).length <= NOTE_VALUES_MAX, `at most ${NOTE_VALUES_MAX} values`),
});

/** A note, with its time and its owner. */
export const KEPT_NOTE = NOTE.extend({ timeMs, owner: z.string() });

/** Body of `POST …/notes`. */
export const NOTES_REQUEST = z.strictObject({ notes: z.array(NOTE).min(1).max(NOTES_MAX) });
/** Answer to `POST …/notes`: the number of notes that were taken. */
export const NOTES_ANSWER = z.object({ taken: count });
/** Body of `POST …/recording`. */
export const RECORDING_REQUEST = z.strictObject({ on: z.boolean() });
/** Answer of `POST …/stop`: the state of the board after it. */
export const STOP_ANSWER = z.object({ state: BOARD_STATE });
/** Answer of `GET /api/boards`. */
export const BOARD_LIST = z.object({ boards: z.array(BOARD_VIEW) });
/** Answer of `GET /livez`. */
export const LIFE = z.object({ ok: z.literal(true), version: z.string() });
/** Answer of `GET /healthz`, of the boards that were asked for. The status is 503 when it is not `ok`. */
export const HEALTH = z.object({
  ok: z.boolean(),
  /** Number of boards that were asked for. */
  boards: count,
  /** Number of those that are good. */
  boardsGood: count,
  version: z.string(),
  /** The health of each board by its name, for those who have the right observe. */
  states: z.record(BOARD_NAME, BOARD_HEALTH).optional(),
});
/** First message of a browser's WebSocket. */
export const TOKEN_MESSAGE = z.strictObject({ token: z.string().max(512) });

/** Body of a refusal. `code` is stable, `remedy` says what to do. */
export const REFUSAL_BODY = z.object({ code: z.string(), message: z.string(), remedy: z.string() });

/** The first event of a stream: all boards, and the right of the observer. */
const HELLO_EVENT = z.object({
  type: z.literal('hello'),
  timeMs,
  version: z.string(),
  /** The observer's own name and right. */
  owner: z.string(),
  right: RIGHT,
  boards: z.array(BOARD_VIEW),
});

/**
 * The notes of a board so far. It comes once after `hello` for each board that has notes, and replaces notes
 * that came before it.
 */
const HISTORY_EVENT = z.object({
  type: z.literal('history'),
  timeMs,
  board: BOARD_NAME,
  notes: z.array(KEPT_NOTE),
});

const BOARD_EVENT = z.object({ type: z.literal('board'), timeMs, board: BOARD_VIEW });

/** The newest reading of every cell, at most ten times a second. */
const VOLTAGES_EVENT = z.object({
  type: z.literal('voltages'),
  timeMs,
  board: BOARD_NAME,
  run: count,
  /** Index of the sample in its run, from 0, and the tick at which it was read. */
  sample: count,
  tick: count,
  /** One value per cell, in V. */
  volts,
});

/**
 * Mean and covariance of the samples of a run so far, at most twice a second and at its end. If runs end
 * faster than twice a second, some runs are left out, but not the last one. The expected moments follow from
 * the program that the host has uploaded, if it is a dense program with noise that runs to equilibrium.
 * Otherwise they are null.
 */
const MOMENTS_EVENT = z.object({
  type: z.literal('moments'),
  timeMs,
  board: BOARD_NAME,
  run: count,
  samples: count,
  /** One value per cell, in V. */
  meanVolts: volts,
  /** One value per cell, in V. */
  expectedMeanVolts: volts.nullable(),
  /** Variance, one value per cell, in V²; null if only means are known. */
  varianceVolts2: volts.nullable(),
  /** Covariances of the first cells, rows of a matrix in V²; null if they are not known. */
  covarianceVolts2: covariance.nullable(),
  expectedCovarianceVolts2: covariance.nullable(),
});

/** The link's counters, once a second while they change. */
const LINK_EVENT = z.object({ type: z.literal('link'), timeMs, board: BOARD_NAME, counters: LINK_COUNTERS });

const RUN_BEGAN_EVENT = z.object({ type: z.literal('runBegan'), timeMs, board: BOARD_NAME, run: RUN_VIEW });

const RUN_ENDED_EVENT = z.object({
  type: z.literal('runEnded'),
  timeMs,
  board: BOARD_NAME,
  run: count,
  /** `lost`: its client or its board disconnected before a report came. */
  outcome: z.enum([
    ...(Object.keys(RUN_OUTCOME) as [keyof typeof RUN_OUTCOME, ...(keyof typeof RUN_OUTCOME)[]]),
    'lost',
  ]),
  ticksDone: count,
  samplesTaken: count,
  samplesLost: count,
  overloadedCellCount: count,
  /** From its start to its report, by the server's clock. */
  seconds: z.number().min(0),
});

const NOTE_EVENT = z.object({ type: z.literal('note'), timeMs, board: BOARD_NAME, note: KEPT_NOTE });

/** An incident for people, as one line of a list. */
const INCIDENT_EVENT = z.object({
  type: z.literal('incident'),
  timeMs,
  /** Null when it concerns the whole server. */
  board: BOARD_NAME.nullable(),
  what: z.enum([
    'leaseTaken',
    'leaseEnded',
    'takenOver',
    'silentHolder',
    'queued',
    'waitedTooLong',
    'refused',
    'stopped',
    'madeSafe',
    'boardLost',
    'boardFound',
    'recordingBegan',
    'recordingEnded',
  ]),
  /** The owner who caused the incident or was affected by it; null for the server itself. */
  owner: z.string().nullable(),
  /** One sentence for people. It may hold names from the token file: show it as text. */
  text: z.string(),
});

/**
 * Number of messages that were left out since the last event of this type, because the observer reads slowly.
 */
const THINNED_EVENT = z.object({ type: z.literal('thinned'), timeMs, messages: count });

/** Every message of the stream of events. Later versions add types and fields: ignore the unknown. */
export const EVENT = z.discriminatedUnion('type', [
  HELLO_EVENT,
  HISTORY_EVENT,
  BOARD_EVENT,
  VOLTAGES_EVENT,
  MOMENTS_EVENT,
  LINK_EVENT,
  RUN_BEGAN_EVENT,
  RUN_ENDED_EVENT,
  NOTE_EVENT,
  INCIDENT_EVENT,
  THINNED_EVENT,
]);

/** A message of the stream of events. */
export type HubEvent = z.infer<typeof EVENT>;
/** The event of one type. */
export type HubEventOf<Type extends HubEvent['type']> = Extract<HubEvent, { readonly type: Type }>;
/** A board as observers see it. */
export interface BoardView extends z.infer<typeof BOARD_VIEW> {}
/** A run as observers see it. */
export interface RunView extends z.infer<typeof RUN_VIEW> {}
/** The traffic of a board's link. */
export interface LinkCounters extends z.infer<typeof LINK_COUNTERS> {}
/** A note of a host, as it is kept. */
export interface KeptNote extends z.infer<typeof KEPT_NOTE> {}
/** A note of a host, as it is sent. */
export interface Note extends z.infer<typeof NOTE> {}
/** The recording of a board. */
export interface RecordingView extends z.infer<typeof RECORDING_VIEW> {}
/** The health of the boards of a server. */
export interface HubHealth extends z.infer<typeof HEALTH> {}
/** The body of a refusal. */
export type RefusalBody = z.infer<typeof REFUSAL_BODY>;
