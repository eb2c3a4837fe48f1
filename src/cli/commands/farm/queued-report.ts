import type { SubmittedJob } from '../../../farm/index.js';
import type { Report } from '../../command.js';

/** The report on a job that was put into the queue, if the command does not wait for the result. */
export function queuedReport({ key, job: { model } }: SubmittedJob): Report {
  return {
    json: { job: key, model },
    text: `job ${key} is queued for boards of the model ${model}\n`,
  };
}

/** The report on a job that was taken out of the queue. */
export function withdrawnReport({ key }: SubmittedJob): Report {
  return { json: { job: key, withdrawn: true }, text: `job ${key} is not in the queue any more\n` };
}
