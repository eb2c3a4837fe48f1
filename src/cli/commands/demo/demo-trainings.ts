import { join } from 'node:path';
import { createNoSolver } from '../../../algorithms/truncated.js';
import type { Figures } from '../../../learning/problem/contract.js';
import { ENERGY_DEFAULTS } from '../../../learning/quantum/energy-defaults.js';
import type { EnergyMeasures } from '../../../learning/quantum/variational-energy.js';
import { isingChain, type VariationalEnergy } from '../../../learning/quantum/variational-energy.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { ENERGY_COMMAND } from '../train/energy.js';
import { type EnergyTraining, writeEnergyFigure } from '../train/energy-figure.js';
import { type Method, runProblem } from '../train/run-problem.js';
import { runTraining } from '../train/run-training.js';
import { type FigureTraining, readRecords, writeTrainingFigure } from '../train/training-figure.js';

/**
 * The methods of both parts, the one with the board first. The chain has a control of its own beside them.
 */
const SHARED = ['tngd', 'ngd', 'control', 'adam'] as const;
export const CHAIN_METHODS = [...SHARED, 'no-board'] as const;
export const DIGITS_METHODS = SHARED;

/** A chain so small that five trainings take seconds; `thermolink train ising` has the larger one. */
const CHAIN = { sites: 12, chains: 512 } as const;
const CHAIN_TICKS = 256;
export const CHAIN_STEPS = 150;

export const chainDirectory = (method: string): string => `chain-${method}`;
export const digitsDirectory = (method: string): string => `digits-${method}`;

export interface DemoRequest {
  readonly out: string;
  readonly seed: number;
  readonly trainSize?: number | undefined;
  readonly quiet: boolean;
}

/** The result of the training of the chain. */
export interface ChainResults {
  readonly groundEnergy: number | undefined;
  readonly trainings: readonly EnergyTraining[];
}

/** Trains the quantum chain by each method and stores the trainings. */
export async function trainChain(request: DemoRequest, signal: AbortSignal): Promise<ChainResults> {
  const problem = isingChain(CHAIN);
  const trainings: EnergyTraining[] = [];
  for (const label of CHAIN_METHODS) {
    const out = join(request.out, chainDirectory(label));
    const summary = await runProblem<EnergyMeasures, VariationalEnergy>(
      {
        ...{ problem, view: { ...ENERGY_COMMAND, describe }, method: methodOf(label), steps: CHAIN_STEPS },
        ...{ seed: request.seed, testEvery: 5, out, existing: 'overwrite', quiet: request.quiet },
      },
      signal,
    );
    trainings.push(stored(out, label, problem, summary));
  }
  return { groundEnergy: problem.groundEnergy, trainings };
}

const describe = (problem: VariationalEnergy): string => `quantum chain, ${ENERGY_COMMAND.describe(problem)}`;

function stored(
  out: string,
  name: string,
  problem: VariationalEnergy,
  summary: TrainingSummary<Figures>,
): EnergyTraining {
  writeEnergyFigure(out, name, problem, summary);
  return { name, records: readRecords<StepRecord<EnergyMeasures>>(out), summary };
}

function methodOf(label: (typeof CHAIN_METHODS)[number]): Method {
  const { ising } = ENERGY_DEFAULTS;
  if (label === 'control') return { label, name: 'sgd', options: ising.sgd, usesBoard: false };
  if (label === 'ngd' || label === 'adam')
    return { label, name: label, options: ising[label], usesBoard: false };
  const options = { ...ising.tngd, ticks: CHAIN_TICKS };
  const digitalSolver = label === 'tngd' ? undefined : createNoSolver();
  return { label, name: 'tngd', options, usesBoard: label === 'tngd', digitalSolver };
}

/** Trains the classifier of digits by each method and stores the trainings. */
export async function trainDigits(request: DemoRequest, signal: AbortSignal): Promise<FigureTraining[]> {
  const trainings: FigureTraining[] = [];
  for (const optimizer of DIGITS_METHODS) {
    const out = join(request.out, digitsDirectory(optimizer));
    const { seed, trainSize, quiet } = request;
    const plan = { optimizer, settings: {}, epochs: 1, batch: 128, seed, out, quiet, trainSize } as const;
    const summary = await runTraining({ ...plan, existing: 'overwrite' }, signal);
    trainings.push(writeTrainingFigure(out, optimizer, summary));
  }
  return trainings;
}
