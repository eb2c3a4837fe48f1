import { setTimeout as delay } from 'node:timers/promises';
import { checkObject } from '../argument-checks.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { orConflict } from './board-lease.js';
import type { Farm } from './farm.js';
import {
  ALL_JOBS,
  BOARD_STREAM,
  BOARD_SUBJECT,
  JOB_BYTES_MAX,
  JOB_STREAM,
  jobSubject,
  newsSubject,
  partsOfJobSubject,
  subjectWord,
} from './farm-names.js';
import {
  type AnnouncedBoard,
  type Job,
  type JobNews,
  type JobResult,
  type PackedJob,
  packJob,
  readBoard,
  readNews,
  readResult,
  refuseTooLong,
} from './messages.js';
import { areBytesMissing, PartStore } from './part-store.js';

/** How often a client itself checks its jobs, because news may be lost. */
const LOOK_MS = 5000;

/** A job in a farm. */
export interface SubmittedJob extends PackedJob {
  readonly job: Job;
}

/** Jobs of one class of boards that have no result yet. */
export interface QueuedJobs {
  /** The release and the model, as the queue names them. */
  readonly boards: string;
  /** How many jobs have no result. */
  readonly jobs: number;
  /** Whether a board of the class is offered. */
  readonly isOffered: boolean;
}

/** The state of a farm. */
export interface FarmStatus {
  readonly boards: readonly AnnouncedBoard[];
  /** Jobs without a result, those that boards are doing included. */
  readonly queue: readonly QueuedJobs[];
  /** Number of results that are kept. */
  readonly results: number;
  /** Number of announcements that this release can't read. */
  readonly malformed: number;
}

/** Options of waiting for a job. */
export interface AwaitOptions {
  readonly signal: AbortSignal;
  readonly onNews?: (news: JobNews) => void;
}

/**
 * Submits jobs to a farm and gets their results. A job is named by its content. If it is submitted twice, by
 * one client or by two, it is done once. A client that was killed finds the result when it submits the job
 * again.
 */
export class FarmClient {
  readonly parts: PartStore;
  readonly #farm: Farm;
  readonly #release: string;
  readonly #listeners = new Map<string, Set<(news: JobNews) => void>>();

  /** `release` is the version of the program; only boards of workers with the same version do its jobs. */
  constructor(farm: Farm, release: string) {
    checkObject('farm', farm, "await connectFarm({ url: 'nats://127.0.0.1:4222' })");
    this.#farm = farm;
    this.#release = release;
    this.parts = new PartStore(farm);
    this.#listen().catch((error: unknown) => {
      // An account may have no right to receive news. Clients then check their jobs themselves.
      farm.log.warn({ error: String(error) }, 'no news of jobs');
    });
  }

  /** The boards that are offered now, by any release. Errors: those of `Farm.ask`. */
  async boards(signal?: AbortSignal): Promise<readonly AnnouncedBoard[]> {
    return (await this.#announced(signal)).boards;
  }

  /** Boards that are offered by this release. Errors: those of `Farm.ask`. */
  async ownBoards(signal?: AbortSignal): Promise<readonly AnnouncedBoard[]> {
    return (await this.boards(signal)).filter(({ release }) => release === this.#release);
  }

  /** A job with its key. It need not be in the farm. Errors: TOO_LARGE. */
  named(job: Omit<Job, 'release'>): SubmittedJob {
    const whole = { ...job, release: this.#release };
    const packed = packJob(whole);
    refuseTooLong('The job', packed.text, JOB_BYTES_MAX);
    return { ...packed, job: whole };
  }

  /**
   * Puts a job into the queue, unless it is there or done already. A failed job is tried again. Errors:
   * TOO_LARGE; those of `Farm.ask`.
   */
  async submit(job: Omit<Job, 'release'>, signal?: AbortSignal): Promise<SubmittedJob> {
    const submitted = this.named(job);
    const known = await this.result(submitted.key, signal);
    if (known?.outcome.is === 'failed')
      await this.#farm.ask(() => this.#farm.results.delete(submitted.key), { signal });
    else if (known !== undefined) return submitted;
    await this.#enqueue(submitted, signal);
    return submitted;
  }

  /** The result of a job; undefined while there is no result. Errors: BAD_FILE for one of another form. */
  async result(key: string, signal?: AbortSignal): Promise<JobResult | undefined> {
    const entry = await this.#farm.ask(() => this.#farm.results.get(key), { signal });
    if (entry === null || entry.operation !== 'PUT') return undefined;
    const result = readResult(entry.string());
    if (result !== undefined) return result;
    throw new ThermolinkError('BAD_FILE', `The result of the job ${key.slice(0, 12)}… has another form.`, {
      hint: 'Another release of the program wrote it. Use that release, or remove the entry from the bucket thermolink-results.',
      data: { key },
    });
  }

  /**
   * Waits for the result of a job. A job that somebody withdrew meanwhile is submitted again. Errors:
   * ABORTED; those of `Farm.ask`.
   */
  async wait(submitted: SubmittedJob, { signal, onNews }: AwaitOptions): Promise<JobResult> {
    const { key } = submitted;
    for (;;) {
      throwIfAborted(signal);
      const ended = this.#nextEnd(key, signal, onNews);
      const stop = new AbortController();
      const until = AbortSignal.any([signal, stop.signal]);
      try {
        const result = await this.result(key, signal);
        if (result !== undefined) return result;
        // The job is in the queue already, unless it was withdrawn.
        await this.#enqueue(submitted, signal);
        await Promise.race([
          ended.promise,
          delay(LOOK_MS, undefined, { signal: until }).catch(() => throwIfAborted(signal)),
        ]);
      } catch (error) {
        throw signal.aborted ? abortError(signal) : error;
      } finally {
        ended.stop();
        stop.abort();
      }
    }
  }

  /**
   * Waits for the result of a job and reads it, with its parts, by `read`. Parts may be gone before the
   * result; then the result is removed, the job is done once more, and `read` is called again. Errors: those
   * of `wait` and of `read`.
   */
  async collect<T>(
    submitted: SubmittedJob,
    read: (result: JobResult) => Promise<T>,
    options: AwaitOptions,
  ): Promise<T> {
    try {
      return await read(await this.wait(submitted, options));
    } catch (error) {
      if (!areBytesMissing(error)) throw error;
    }
    await this.#farm.ask(() => this.#farm.results.delete(submitted.key), { signal: options.signal });
    return read(await this.wait(submitted, options));
  }

  /**
   * Takes jobs out of the queue. A board that does one of them stops within seconds. Jobs that are done stay
   * done. Errors: those of `Farm.ask`.
   */
  async withdraw(jobs: readonly SubmittedJob[], signal?: AbortSignal): Promise<void> {
    await Promise.all(
      jobs.map(({ job, key }) =>
        this.#farm.ask(() => this.#farm.manager.streams.purge(JOB_STREAM, { filter: jobSubject(job, key) }), {
          signal,
        }),
      ),
    );
  }

  /** The state of the farm. Errors: those of `Farm.ask`. */
  async status(signal?: AbortSignal): Promise<FarmStatus> {
    const { boards, malformed } = await this.#announced(signal);
    const { state } = await this.#farm.ask(
      () => this.#farm.manager.streams.info(JOB_STREAM, { subjects_filter: ALL_JOBS }),
      { signal },
    );
    const { values } = await this.#farm.ask(() => this.#farm.results.status(), { signal });
    const counts = new Map<string, number>();
    for (const [subject, count] of Object.entries(state.subjects ?? {})) {
      const { word } = partsOfJobSubject(subject);
      counts.set(word, (counts.get(word) ?? 0) + count);
    }
    const offered = new Set(
      boards.map(({ release, identity: { model } }) => subjectWord(`${release}/${model}`)),
    );
    const queue = [...counts].map(([word, jobs]) => ({
      boards: readableWord(word),
      jobs,
      isOffered: offered.has(word),
    }));
    return { boards, queue, results: values, malformed };
  }

  async #announced(signal?: AbortSignal) {
    const { boards, manager } = this.#farm;
    // The keys come from the stream, because `keys()` of a bucket never ends if an entry changes at the wrong
    // moment.
    const entries = await this.#farm.ask(
      async () => {
        const { state } = await manager.streams.info(BOARD_STREAM, { subjects_filter: `${BOARD_SUBJECT}>` });
        const keys = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(BOARD_SUBJECT.length));
        return Promise.all(keys.map((key) => boards.get(key)));
      },
      { signal },
    );
    const read = entries
      .filter((entry) => entry?.operation === 'PUT')
      .map((entry) => readBoard(entry!.string()));
    const known = read.filter((board) => board !== undefined);
    known.sort(
      (a, b) =>
        compare(a.identity.model, b.identity.model) || compare(a.worker, b.worker) || compare(a.uri, b.uri),
    );
    return { boards: known, malformed: read.length - known.length };
  }

  /** Puts a job into the queue. The queue holds a job only once. */
  async #enqueue({ job, key, text }: SubmittedJob, signal?: AbortSignal): Promise<void> {
    const expect = { lastSubjectSequence: 0 };
    await this.#farm.ask(
      () => orConflict(this.#farm.jetstream.publish(jobSubject(job, key), text, { expect })),
      { signal },
    );
  }

  #nextEnd(key: string, signal: AbortSignal, onNews: AwaitOptions['onNews']) {
    let hear: (news: JobNews) => void = () => undefined;
    const promise = new Promise<void>((resolve) => {
      hear = (news) => {
        if (signal.aborted) return;
        onNews?.(news);
        if (news.is === 'ended') resolve();
      };
    });
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(hear));
    const stop = (): void => {
      listeners.delete(hear);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
    return { promise, stop };
  }

  async #listen(): Promise<void> {
    // One subscription serves all jobs, because a client has hundreds of jobs and the server keeps a table of
    // subscriptions.
    const news = this.#farm.connection.subscribe(newsSubject('*'));
    for await (const message of news) {
      const key = message.subject.split('.').at(-1)!;
      const read = this.#listeners.has(key) ? readNews(message.string()) : undefined;
      if (read !== undefined) for (const hear of this.#listeners.get(key) ?? []) hear(read);
    }
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The text that a word of a subject stands for. */
function readableWord(word: string): string {
  return word.replace(/=([0-9a-f]{1,6})=/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  );
}
