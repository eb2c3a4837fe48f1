/** Names and bounds of the data that a farm keeps on its server. Sizes in bytes, times in milliseconds. */

/** The queue. A job is a message; it is gone when its result is stored, or when it is withdrawn. */
export const JOB_STREAM = 'THERMOLINK_JOBS';
const JOB_SUBJECT = 'thermolink.jobs';
const NEWS_SUBJECT = 'thermolink.news';

/** Keys and values with an age at which they are forgotten. */
export const BUCKETS = {
  /** Boards that are offered. An entry that its worker does not renew is forgotten. */
  boards: { name: 'thermolink-boards', ageMs: 12_000, bytesMax: 64 * 1024 * 1024 },
  /** Results of jobs, by the key of the job. */
  results: { name: 'thermolink-results', ageMs: 7 * 86_400_000, bytesMax: 256 * 1024 * 1024 },
  /** Matrices and files, in parts, by the digest of the whole. */
  parts: { name: 'thermolink-parts', ageMs: 7 * 86_400_000, bytesMax: 1024 * 1024 * 1024 },
  /** Why jobs were given back, by the key of the job. */
  givenBack: { name: 'thermolink-given-back', ageMs: 7 * 86_400_000, bytesMax: 16 * 1024 * 1024 },
} as const;

/** The stream behind the bucket of boards, and the subjects of its keys. */
export const BOARD_STREAM = `KV_${BUCKETS.boards.name}`;
export const BOARD_SUBJECT = `$KV.${BUCKETS.boards.name}.`;

export const JOBS_BYTES_MAX = 256 * 1024 * 1024;
export const JOBS_AGE_MS = 7 * 86_400_000;
/** The longest job without its matrices and files. The server takes messages of 1 MiB. */
export const JOB_BYTES_MAX = 256 * 1024;
/** The longest value of a result without its files. */
export const RESULT_BYTES_MAX = 512 * 1024;

/**
 * If the worker of a board is silent for this time, the board has lost its job, and another board gets the
 * job.
 */
export const ACKNOWLEDGE_MS = 12_000;
/** How often a worker reports that it runs and that its jobs go on. */
export const SIGN_OF_LIFE_MS = 3000;
/**
 * A job is not tried again after this number of workers or boards have failed during it. Jobs that were given
 * back by Ctrl-C do not count.
 */
export const DELIVERIES_MAX = 5;
/** Time limit of a job. */
export const JOB_RUN_MS_MAX = 24 * 3_600_000;

/** A text as one word of a NATS subject: letters, digits, `-` and `_` stand for themselves. */
export function subjectWord(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/gu, (letter) => `=${letter.codePointAt(0)!.toString(16)}=`);
}

/** The properties that boards must share to do each other's jobs. */
export interface BoardClass {
  readonly model: string;
  /** The version of the program. */
  readonly release: string;
}

const classWord = ({ model, release }: BoardClass): string => subjectWord(`${release}/${model}`);

/** The subject of a job; with `*` as key that of all jobs of a class. */
export function jobSubject(boards: BoardClass, key: string): string {
  return `${JOB_SUBJECT}.${classWord(boards)}.${key}`;
}

/** All jobs. */
export const ALL_JOBS = `${JOB_SUBJECT}.*.*`;

/** The class word and the key in the subject of a job. */
export function partsOfJobSubject(subject: string): { readonly word: string; readonly key: string } {
  const words = subject.split('.');
  return { word: words.at(-2) ?? '', key: words.at(-1) ?? '' };
}

/** The name of the consumer that all boards of a class share. */
export function consumerName(boards: BoardClass): string {
  return `boards-${classWord(boards)}`;
}

/** The subject of messages about the progress and the end of a job; with `*` as key, of all jobs. */
export function newsSubject(key: string): string {
  return `${NEWS_SUBJECT}.${key}`;
}
