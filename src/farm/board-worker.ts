import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import type { Device } from '../driver/device.js';
import type { DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { BoardLease, loadOfHost, orConflict } from './board-lease.js';
import type { Farm } from './farm.js';
import {
  consumerName,
  DELIVERIES_MAX,
  JOB_RUN_MS_MAX,
  JOB_STREAM,
  newsSubject,
  partsOfJobSubject,
  RESULT_BYTES_MAX,
  SIGN_OF_LIFE_MS,
} from './farm-names.js';
import { giveBack, givenBackOf, noteGivenBack } from './given-back.js';
import type { JobKind } from './job-kind.js';
import {
  isKey,
  type Job,
  type JobResult,
  packNews,
  packResult,
  readJob,
  refuseTooLong,
  sha256Of,
} from './messages.js';
import { PartStore } from './part-store.js';

/** How long one request for a job waits at the server. */
const NEXT_MS = 5000;
/** Time that a request for a job may take beyond `NEXT_MS`. It is given up after that. */
const NEXT_SPARE_MS = 5000;
/** Least time between two messages about the progress of one job. */
const NEWS_MS = 250;
/**
 * Time limit for the server's confirmation that a job has ended. A job that the server does not confirm comes
 * again.
 */
const CONFIRM_MS = 5000;

/** Errors of a board or of the way to it, which do not concern the job. */
const OF_THE_BOARD: ReadonlySet<string> = new Set([
  'LINK_LOST',
  'SESSION_LOST',
  'OUTCOME_UNKNOWN',
  'TIMEOUT',
  'SAMPLES_LOST',
  'RUN_ENDED',
  'DEVICE_FAULT',
  'DEVICE_REFUSED',
  'DIGEST_MISMATCH',
  'BUSY',
]);

/** Counters of the jobs of a worker. */
export interface JobCounters {
  /** Number of jobs that ended with a result, failed ones included. Some had a result before (`known`). */
  done: number;
  /** How many of these failed. */
  failed: number;
  /** Number of jobs that already had a result when they came or when their own result was to be stored. */
  known: number;
  /** Number of messages that are not jobs, or not of a kind that this worker knows. */
  malformed: number;
  /** Number of jobs that were withdrawn while a board did them. */
  withdrawn: number;
  /** Number of jobs that were given back, because the board or its line failed. */
  givenBack: number;
  /** Number of jobs that went back into the queue, because their worker ended during them. */
  returned: number;
  /** Number of jobs that were not tried again, because too many workers or boards had failed during them. */
  abandoned: number;
}

/** Callbacks about the work of a board. */
export type BoardWorkEvent =
  /** The farm knows the board, so jobs for it may be submitted. */
  | { readonly event: 'offered'; readonly uri: string; readonly model: string; readonly serialNumber: string }
  | { readonly event: 'began'; readonly uri: string; readonly key: string; readonly kind: string }
  | {
      readonly event: 'ended';
      readonly uri: string;
      readonly key: string;
      readonly how: keyof JobCounters;
      readonly message?: string;
    };

/** A connected board that is offered to a farm. */
export interface OfferedBoard {
  readonly farm: Farm;
  readonly device: Device;
  readonly uri: string;
  /** Names the board in the farm: `boardKey`. */
  readonly key: string;
  /** Names the process that offers the board; no other one has the name. */
  readonly worker: string;
  readonly release: string;
  readonly calibratedAt: string | null;
  readonly kinds: readonly JobKind[];
  readonly counters: JobCounters;
  readonly tell: (event: BoardWorkEvent) => void;
}

/** Counters that are all 0. Errors: none. */
export const noJobs = (): JobCounters => ({
  ...{ done: 0, failed: 0, known: 0, malformed: 0, withdrawn: 0, givenBack: 0, returned: 0, abandoned: 0 },
});

/**
 * The key of a board: a digest of its URI, its identity and its place. The place of an emulated board or a
 * recording is `worker` and `index`. The place of a board that is attached to this machine is `machine`, the
 * name of this machine. A board with a network address has the same key from every machine. Errors: none.
 */
export function boardKey(
  uri: string,
  identity: DeviceIdentity,
  worker: string,
  index: number,
  machine = hostname(),
): string {
  const isOfProcess = uri.startsWith('emulator:') || uri.startsWith('replay:');
  const isRemote = /^(tcp|hubs?):\/\/(?!localhost|127\.|\[::1\])/.test(uri);
  const place = isOfProcess ? `${worker} ${index}` : isRemote ? '' : machine;
  return sha256Of(JSON.stringify([uri, identity.model, identity.serialNumber, place])).slice(0, 32);
}

/**
 * Offers a board and does the jobs that come, one after another, until `signal` is aborted; then it returns,
 * and a job that is going on goes back into the queue. No message makes it throw.
 *
 * Errors: a failure of the board or its line, after the job was given back; BUSY when another worker offers
 * the board; CANNOT_CONNECT when the server does not let the worker in.
 */
export async function workOnBoard(board: OfferedBoard, signal: AbortSignal): Promise<void> {
  const { farm, device, release, worker, uri } = board;
  const { identity } = device;
  const boards = { model: identity.model, release };
  await farm.offerClass(boards, signal);
  const facts = {
    ...{ worker, host: hostname(), release, uri, identity, calibratedAt: board.calibratedAt },
    ...({ state: 'idle', job: null, jobsDone: board.counters.done, load: loadOfHost() } as const),
  };
  const lease = await BoardLease.take(farm, board.key, { ...facts, identity: { ...identity } }, signal);
  const until = AbortSignal.any([signal, lease.lost]);
  const { model, serialNumber } = identity;
  board.tell({ event: 'offered', uri, model, serialNumber });
  try {
    const consumer = await farm.ask(() => farm.jetstream.consumers.get(JOB_STREAM, consumerName(boards)), {
      signal: until,
      outageMs: Infinity,
    });
    while (!until.aborted) {
      // A request without an answer is repeated. If the server had given it a job, this job comes back by
      // itself.
      const message = await within(farm, consumer.next({ expires: NEXT_MS }), NEXT_MS + NEXT_SPARE_MS, until);
      if (message === 'absent') await farm.offerClass(boards, until);
      else if (message !== undefined && until.aborted) await giveBack(farm, message);
      else if (message !== undefined) await new Delivery(board, lease, message, until).handle();
    }
    if (!signal.aborted) throw lease.lost.reason;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await lease.release();
  }
}

/** The next job; undefined if no job came in time; `absent` if the queue or the consumer is gone. */
async function within(
  farm: Farm,
  next: Promise<JsMsg | null>,
  ms: number,
  signal: AbortSignal,
): Promise<JsMsg | undefined | 'absent'> {
  const deadline = new AbortController();
  const waited = delay(ms, undefined, { signal: AbortSignal.any([signal, deadline.signal]) }).catch(
    () => undefined,
  );
  // A job that comes too late is given back at once.
  let isLate = false;
  const asked = next.then(
    (message) => {
      if (isLate && message !== null) {
        message.nak();
        void noteGivenBack(farm, message);
      }
      return message ?? undefined;
    },
    async (): Promise<'absent'> => {
      await delay(NEWS_MS);
      return 'absent';
    },
  );
  try {
    return await Promise.race([asked, waited]);
  } finally {
    isLate = true;
    deadline.abort();
  }
}

/** One message of the queue, from its receipt to its end. */
class Delivery {
  readonly #board: OfferedBoard;
  readonly #lease: BoardLease;
  readonly #message: JsMsg;
  readonly #until: AbortSignal;
  readonly #key: string;

  constructor(board: OfferedBoard, lease: BoardLease, message: JsMsg, until: AbortSignal) {
    this.#board = board;
    this.#lease = lease;
    this.#message = message;
    this.#until = until;
    this.#key = partsOfJobSubject(message.subject).key;
  }

  async handle(): Promise<void> {
    try {
      await this.#handle();
    } catch (error) {
      if (this.#until.aborted) {
        await giveBack(this.#board.farm, this.#message);
        this.#board.counters.returned++;
        this.#tellEnd('returned');
      }
      throw error;
    }
  }

  async #handle(): Promise<void> {
    const { counters, farm, kinds } = this.#board;
    const key = this.#key;
    const job = readJob(this.#message.string(), key);
    const kind = kinds.find(({ name }) => name === job?.kind);
    const request = kind?.request.safeParse(job?.request);
    if (job === undefined || kind === undefined || request?.success !== true)
      return this.#refuse(job, kind === undefined ? undefined : request?.error?.message);
    const known = await farm.ask(() => farm.results.get(key), { signal: this.#until });
    if (known?.operation === 'PUT') {
      counters.known++;
      return this.#end('known');
    }
    const why = await this.#whyAbandoned();
    if (why !== undefined) return this.#fail('abandoned', 'JOB_ABANDONED', why);
    this.#board.tell({ event: 'began', uri: this.#board.uri, key, kind: kind.name });
    await this.#run(kind, request.data);
  }

  /** Why the job is not tried again; undefined if it is tried. */
  async #whyAbandoned(): Promise<string | undefined> {
    const { deliveryCount } = this.#message.info;
    if (deliveryCount <= DELIVERIES_MAX) return undefined;
    // The server also counts deliveries that ended neither a worker nor a board.
    const { spared, lastError } = await givenBackOf(this.#board.farm, this.#message, this.#until);
    if (deliveryCount - spared <= DELIVERIES_MAX) return undefined;
    const last =
      lastError === null ? 'No worker reported an error.' : `The last reported error: ${lastError}`;
    return `${DELIVERIES_MAX} workers or boards ended while they did the job. ${last}`;
  }

  /** If a message is not a valid job for this worker and has a key, an error is stored as its result. */
  async #refuse(job: Job | undefined, problem: string | undefined): Promise<void> {
    this.#board.counters.malformed++;
    const what =
      job === undefined
        ? 'The message is no job, or it is not the job that its key names.'
        : problem === undefined
          ? `The worker knows no jobs of the kind ${JSON.stringify(job.kind)}.`
          : `The request of the job does not have the form of its kind: ${problem.slice(0, 500)}`;
    if (isKey(this.#key)) return this.#fail('malformed', 'BAD_ARGUMENT', what);
    this.#message.term();
    this.#tellEnd('malformed', what);
  }

  async #run(kind: JobKind, request: unknown): Promise<void> {
    const { farm, device, uri, counters } = this.#board;
    const key = this.#key;
    const withdrawn = new AbortController();
    const deadline = AbortSignal.timeout(JOB_RUN_MS_MAX);
    const signal = AbortSignal.any([this.#until, withdrawn.signal, deadline]);
    const timer = setInterval(() => void this.#signOfLife(withdrawn), SIGN_OF_LIFE_MS);
    this.#lease.announce({ state: 'busy', job: key });
    const startMs = performance.now();
    let toldMs = -Infinity;
    const show = (share: number, text: string): void => {
      if (performance.now() - toldMs < NEWS_MS && share < 1) return;
      toldMs = performance.now();
      this.#tellNews({ is: 'progress', share, text: text.slice(0, 500), board: uri });
    };
    try {
      const value = await kind.run(device, request, { signal, show, parts: new PartStore(farm) });
      const seconds = (performance.now() - startMs) / 1000;
      const outcome = { is: 'done', value } as JobResult['outcome'];
      refuseTooLong('The result of the job', packResult(this.#result(outcome, seconds)), RESULT_BYTES_MAX);
      await this.#store(this.#result(outcome, seconds));
      await this.#end('done');
    } catch (error) {
      if (withdrawn.signal.aborted) {
        counters.withdrawn++;
        this.#tellEnd('withdrawn');
      } else if (this.#until.aborted) {
        throw error;
      } else if (deadline.aborted) {
        await this.#fail('failed', 'TIMEOUT', `The job ran longer than ${JOB_RUN_MS_MAX / 3_600_000} hours.`);
      } else if (error instanceof ThermolinkError && OF_THE_BOARD.has(error.code)) {
        counters.givenBack++;
        await giveBack(farm, this.#message, `${uri}, ${error.code}: ${error.message}`);
        this.#tellEnd('givenBack', error.message);
        throw error;
      } else {
        // A bug in a job is a result too: the worker goes on.
        const code = error instanceof ThermolinkError ? error.code : 'BUG';
        const message = error instanceof Error ? error.message : String(error);
        await this.#fail('failed', code, message.slice(0, 5000), (performance.now() - startMs) / 1000);
      }
    } finally {
      clearInterval(timer);
      this.#lease.announce({ state: 'idle', job: null, jobsDone: counters.done });
    }
  }

  /** Tells the server that this board still does the job, and checks whether somebody withdrew it. */
  async #signOfLife(withdrawn: AbortController): Promise<void> {
    const { farm } = this.#board;
    this.#message.working();
    try {
      const found = await farm.manager.streams.getMessage(JOB_STREAM, { seq: this.#message.seq });
      if (found === null) withdrawn.abort(new ThermolinkError('ABORTED', 'The job was withdrawn.'));
    } catch {
      // While the server is away, the job counts as not withdrawn.
    }
  }

  #result(outcome: JobResult['outcome'], seconds: number): JobResult {
    const { uri, device, worker } = this.#board;
    const { model, serialNumber } = device.identity;
    const board = { uri, model, serialNumber };
    return { key: this.#key, outcome, board, worker, deliveries: this.#message.info.deliveryCount, seconds };
  }

  /** Stores a result. The first result stays, so a job that was done twice has a single result. */
  async #store(result: JobResult): Promise<void> {
    const { farm, counters } = this.#board;
    const { results } = farm;
    const stored = await farm.ask(() => orConflict(results.create(this.#key, packResult(result))), {
      signal: this.#until,
      outageMs: Infinity,
    });
    counters.done++;
    if (result.outcome.is === 'failed') counters.failed++;
    if (stored === undefined) counters.known++;
  }

  async #fail(how: keyof JobCounters, code: string, message: string, seconds = 0): Promise<void> {
    if (how === 'abandoned') this.#board.counters.abandoned++;
    await this.#store(this.#result({ is: 'failed', code, message }, seconds));
    await this.#end(how, message);
  }

  /**
   * Takes the job out of the queue. If the server does not confirm it, the job comes again and is recognised.
   */
  async #end(how: keyof JobCounters, message?: string): Promise<void> {
    await this.#message.ackAck({ timeout: CONFIRM_MS }).catch(() => false);
    this.#tellNews({ is: 'ended' });
    this.#tellEnd(how, message);
  }

  #tellEnd(how: keyof JobCounters, message?: string): void {
    const { tell, uri } = this.#board;
    tell({ event: 'ended', uri, key: this.#key, how, ...(message === undefined ? {} : { message }) });
  }

  #tellNews(news: Parameters<typeof packNews>[0]): void {
    try {
      this.#board.farm.connection.publish(newsSubject(this.#key), packNews(news));
    } catch {
      // News may be lost.
    }
  }
}
