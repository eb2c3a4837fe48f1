import type { Coverage } from './faults.js';
import { type SimulationOptions, type SimulationResult, simulate, VARIANTS } from './simulate.js';

/** Simulates seeds one after another, each against the fault-free run of its variant. */
export class Campaign {
  readonly coverage: Coverage;
  readonly #expected = new Map<number, readonly string[]>();
  commands = 0;
  virtualMs = 0;
  readonly #options: Pick<SimulationOptions, 'frameBytes'>;

  constructor(coverage: Coverage, options: Pick<SimulationOptions, 'frameBytes'> = {}) {
    this.coverage = coverage;
    this.#options = options;
  }

  async run(
    seed: number,
    onWrite?: (direction: string, bytes: Uint8Array) => void,
  ): Promise<SimulationResult> {
    // The process gets its turn between runs: output is written, a signal is heard.
    await new Promise((resolve) => setImmediate(resolve));
    const variant = seed % VARIANTS;
    let expected = this.#expected.get(variant);
    if (!expected) {
      const calm = await simulate(variant, { ...this.#options, faults: false });
      if (calm.violations.length > 0) return calm;
      expected = calm.results;
      this.#expected.set(variant, expected);
    }
    const result = await simulate(seed, {
      ...this.#options,
      expected,
      coverage: this.coverage,
      ...(onWrite ? { onWrite } : {}),
    });
    this.commands += result.commands;
    this.virtualMs += result.virtualMs;
    return result;
  }
}
