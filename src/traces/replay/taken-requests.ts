import type { FieldValue } from '../trace-message.js';
import type { ScriptRequest } from './script.js';

/** A request that the program has made, with the number that its run has in this replay. */
export interface TakenRequest {
  readonly requestId: number;
  readonly atMs: number;
  /** 0 if the request starts no run. */
  readonly runId: number;
  /** Blocks below this number may be sent. */
  credit: number;
  /** Whether an abort or a stop has ended the run. */
  cut: boolean;
}

/** The recorded requests that the program has made so far. */
export class TakenRequests {
  readonly #taken = new Map<ScriptRequest, TakenRequest>();
  lastRunId = 0;

  add(request: ScriptRequest, taken: Pick<TakenRequest, 'requestId' | 'atMs' | 'runId' | 'credit'>): void {
    this.#taken.set(request, { ...taken, cut: false });
    if (request.message.name === 'start') this.lastRunId = taken.runId;
  }

  get(request: ScriptRequest): TakenRequest | undefined {
    return this.#taken.get(request);
  }

  clear(): void {
    this.#taken.clear();
  }

  /** The fields of a command with the run number of the recording. */
  asRecorded(fields: Readonly<Record<string, FieldValue>>): Readonly<Record<string, FieldValue>> {
    const run = this.#runOf(fields['runId']);
    return run ? { ...fields, runId: run[0].reply!.fields['runId'] } : fields;
  }

  grantCredit(runId: number, blocks: number): void {
    const taken = this.#runOf(runId)?.[1];
    if (taken) taken.credit = Math.max(taken.credit, blocks);
  }

  /** Marks the run with this recorded number as aborted. */
  cutRun(recordedRunId: FieldValue | undefined): void {
    const run = [...this.#taken].findLast(([{ reply }]) => reply?.fields['runId'] === recordedRunId);
    if (run) run[1].cut = true;
  }

  /** Marks every run as stopped. */
  cutAll(): void {
    for (const taken of this.#taken.values()) taken.cut = true;
  }

  #runOf(runId: FieldValue | undefined): readonly [ScriptRequest, TakenRequest] | undefined {
    if (typeof runId !== 'number') return undefined;
    return [...this.#taken].findLast(
      ([request, taken]) => request.message.name === 'start' && taken.runId === runId,
    );
  }
}
