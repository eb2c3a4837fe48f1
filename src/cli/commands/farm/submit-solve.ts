import type { SolveResult } from '../../../algorithms/contract.js';
import { ThermolinkError } from '../../../errors.js';
import {
  FarmClient,
  type JobResult,
  jobValue,
  SOLVE_JOB,
  solveJobRequest,
  solveJobResult,
} from '../../../farm/index.js';
import { READ_FORMATS } from '../../../files/read-array.js';
import { defineCommand, printReport } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { FARM, FARM_JOB } from '../../options/farm.js';
import { arrayOutput, JSON_OUTPUT, SEED, toleranceOption } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { withInterrupt } from '../../output/interrupt.js';
import { WorkDisplay } from '../../output/work-display.js';
import { VERSION } from '../../version.js';
import { readSolveInputs, solveReport } from '../solve/solve.js';
import { chosenModel } from './choose-boards.js';
import { withFarm } from './connected-farm.js';
import { queuedReport } from './queued-report.js';
import { whileWaiting } from './wait-for-jobs.js';

const OPTIONS = {
  matrix: option('--matrix <file>', `A as ${READ_FORMATS}`, { required: true, file: 'input' }),
  rhs: option('--rhs <file>', `b as ${READ_FORMATS}`, { required: true, file: 'input' }),
  ...toleranceOption('‖x̂ − x‖₂/‖x‖₂'),
  ...arrayOutput('x'),
  ...SEED,
  ...FARM_JOB,
  ...FARM,
  json: JSON_OUTPUT.json,
};

/** `thermolink farm submit solve`. */
export const submitSolve = defineCommand({
  options: OPTIONS,
  example: `
Example:
  printf '4,1\\n1,3\\n' > A.csv; printf '1\\n2\\n' > b.csv
  thermolink farm submit solve --matrix A.csv --rhs b.csv --tolerance 1e-3

Equal jobs are one job: submit it again to get the result that exists. Ctrl-C withdraws the job.`,
  async run({ matrix, rhs, tolerance, out, seed, model, detach, nats, json = false, ...access }, name) {
    await checkFiles(OPTIONS, { matrix, rhs, out, ...access });
    const inputs = await readSolveInputs(matrix, rhs);
    const startMs = performance.now();
    const display = new WorkDisplay(name, 1, json);
    const report = await withInterrupt((signal) =>
      withFarm(nats, access, { signal }, async (farm) => {
        const client = new FarmClient(farm, VERSION);
        const cells = inputs.matrix.rows;
        const needs = { cells, isDense: true, model };
        const job = client.named({
          ...{ kind: SOLVE_JOB.name, model: await chosenModel(client, needs, signal) },
          request: { ...(await solveJobRequest(client.parts, { ...inputs, tolerance, seed }, signal)) },
        });
        if (detach) {
          await client.submit(job.job, signal);
          return queuedReport(job);
        }
        try {
          const solved = async () => {
            await client.submit(job.job, signal);
            return client.collect(
              job,
              async (ended) =>
                workedOf(await solveJobResult(client.parts, jobValue(ended), signal), ended, startMs),
              {
                signal,
                onNews: (news) =>
                  news.is === 'progress' && display.update(news.share, `${news.text}, ${news.board}`),
              },
            );
          };
          const worked = await whileWaiting(
            client,
            [job],
            signal,
            solved,
            'The same command gets the result.',
          );
          return await solveReport(worked, out, 'board time (modelled)');
        } finally {
          display.finish();
        }
      }),
    );
    printReport(report, json);
  },
});

function workedOf(result: SolveResult, { board }: JobResult, startMs: number) {
  if (board === null) throw new ThermolinkError('BAD_FILE', 'The result does not say which board made it.');
  return { result, device: board.uri, hostSeconds: (performance.now() - startMs) / 1000, repeats: 0 };
}
