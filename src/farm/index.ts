/**
 * A farm: boards of several machines that share work over a NATS server
 * ([how](https://github.com/thermolink/thermolink/blob/main/docs/how-to/run-a-farm.md)).
 *
 * @module thermolink/farm
 */
export {
  type BoardWorkEvent,
  boardKey,
  type JobCounters,
  noJobs,
  type OfferedBoard,
  workOnBoard,
} from './board-worker.js';
export { type ConnectFarmOptions, connectFarm, type Farm, type FarmAddress } from './farm.js';
export {
  type AwaitOptions,
  FarmClient,
  type FarmStatus,
  type QueuedJobs,
  type SubmittedJob,
} from './farm-client.js';
export type { BoardClass } from './farm-names.js';
export type { JobKind, JobUse } from './job-kind.js';
export {
  type AnnouncedBoard,
  type Job,
  type JobNews,
  type JobResult,
  jobValue,
  type PackedJob,
  type StoredBytes,
} from './messages.js';
export { PartStore } from './part-store.js';
export type { Patience } from './patience.js';
export {
  SOLVE_JOB,
  type SolveJobRequest,
  type SolveJobSystem,
  type SolveJobValue,
  solveJobRequest,
  solveJobResult,
} from './solve-job.js';
