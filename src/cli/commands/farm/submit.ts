import type { LoadedCommand } from '../../command.js';
import { choice } from '../../options/values.js';
import { submitSolve } from './submit-solve.js';
import { submitStudy } from './submit-study.js';
import { submitTrain } from './submit-train.js';

interface JobCommand {
  readonly name: string;
  readonly summary: string;
  readonly command: LoadedCommand;
}

/** The kinds of work that can be submitted, in the order of the help. */
const JOBS: readonly JobCommand[] = [
  { name: 'solve', summary: 'solve A x = b on a board of the farm', command: submitSolve },
  { name: 'study', summary: 'queue the work of a study without waiting for it', command: submitStudy },
  {
    name: 'train',
    summary: 'run a training of `thermolink train` on a board of the farm',
    command: submitTrain,
  },
];

/** `thermolink farm submit JOB`. */
export const command: LoadedCommand = {
  arguments: [{ name: 'job', help: 'what to submit', value: choice(JOBS.map(({ name }) => name)) }],
  options: Object.assign({}, ...JOBS.map((job) => job.command.options)),
  describe(parent) {
    for (const { name, summary, command: job } of JOBS)
      job.describe(parent.command(name).description(summary));
  },
};
