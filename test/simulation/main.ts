import { parseArgs } from 'node:util';
import { Campaign } from './campaign.js';
import { coverageTable } from './coverage-table.js';
import { Coverage } from './faults.js';
import type { Scenario } from './scenario.js';
import { SCENARIO_HELP, SCENARIO_OPTIONS, scenarioChange, scenarioTexts } from './scenario-options.js';
import type { SimulationResult } from './simulate.js';

const HELP = `npm run simulate -- [--seeds N] [--seed S] [fields of the scenario]

Simulates host, line and board with faults in virtual time. A seed draws one scenario, which comes out the same each time.

  --seeds N   number of seeds (default 500); with 500 or more, every fault must hit every state 50 times
  --seed S    first seed (default 0); without --seeds only this seed is simulated

Fields that are given are not drawn (test/simulation/scenario.ts says what each means):

${SCENARIO_HELP}

States: \`boot\` is a board without power or in its self-test. It hears nothing, and on a serial line it prints
text, so a fault hits what the host says to it and what it prints. \`fault\` is reached by a memory that fails
while a program is loaded.
`;

/** A campaign of this many seeds must have hit every fault in every state at least HITS_MIN times. */
const FULL_RUN_SEEDS = 500;
const HITS_MIN = 50;
const PROGRESS_MS = 2000;

function failureText(
  { scenario, violations, lastMessages }: SimulationResult,
  change: Partial<Scenario>,
): string {
  return [
    `seed ${scenario.seed} failed: ${violations[0]}`,
    'The last messages before it:',
    ...lastMessages,
    'Its scenario:',
    ...scenarioTexts(scenario).map((line) => `  ${line}`),
    `Again: npm run simulate -- ${[`--seed ${scenario.seed}`, ...scenarioTexts(change)].join(' ')}`,
  ].join('\n');
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      ...SCENARIO_OPTIONS,
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const first = Number(values.seed ?? 0);
  const count = Number(values.seeds ?? (values.seed === undefined ? FULL_RUN_SEEDS : 1));
  if (!Number.isSafeInteger(first) || first < 0 || !Number.isSafeInteger(count) || count < 1) {
    process.stderr.write(HELP);
    return 2;
  }
  let change: Partial<Scenario>;
  try {
    change = scenarioChange(values);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  const coverage = new Coverage();
  const campaign = new Campaign(coverage, change);
  const startMs = performance.now();
  let toldMs = startMs;
  const seconds = (): string => ((performance.now() - startMs) / 1000).toFixed(1);
  for (let done = 0; done < count; done++) {
    const result = await campaign.run(first + done);
    if (result.violations.length > 0) {
      process.stdout.write(`${failureText(result, change)}\n`);
      return 1;
    }
    if (performance.now() - toldMs < PROGRESS_MS) continue;
    toldMs = performance.now();
    process.stdout.write(progressText(done + 1, count, seconds()));
  }
  const { commands, virtualMs } = campaign;
  const minutes = (virtualMs / 60_000).toFixed(0);
  process.stdout.write(`\n${coverageTable(coverage)}\n\n`);
  process.stdout.write(
    `${count} simulations passed in ${seconds()} s: ${commands} commands in ${minutes} virtual minutes\n`,
  );
  const missing = count >= FULL_RUN_SEEDS ? coverage.missing(HITS_MIN) : [];
  for (const cell of missing) process.stdout.write(`not covered (at least ${HITS_MIN}): ${cell}\n`);
  return missing.length > 0 ? 1 : 0;
}

/** On a terminal one line that is overwritten; elsewhere plain lines. */
function progressText(done: number, count: number, seconds: string): string {
  const text = `${done} of ${count} simulations, ${seconds} s`;
  return process.stdout.isTTY ? `\r${text}` : `${text}\n`;
}

process.exitCode = await main();
