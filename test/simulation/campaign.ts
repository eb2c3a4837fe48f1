import type { Coverage } from './faults.js';
import { drawScenario, type Scenario, WITHOUT_FAULTS } from './scenario.js';
import { type SimulationResult, simulate } from './simulate.js';

/** Simulates seeds one after another, each against the fault-free simulation of its variant. */
export class Campaign {
  readonly coverage: Coverage;
  readonly #expected = new Map<number, readonly string[]>();
  commands = 0;
  virtualMs = 0;
  readonly #change: Partial<Scenario>;

  /** `change`: fields of every scenario that replace those of the seed. */
  constructor(coverage: Coverage, change: Partial<Scenario> = {}) {
    this.coverage = coverage;
    this.#change = change;
  }

  async run(seed: number): Promise<SimulationResult> {
    // The event loop gets a turn between simulations, so output is written and signals are handled.
    await new Promise((resolve) => setImmediate(resolve));
    const change = this.#change;
    const variant = change.variant ?? drawScenario(seed).scenario.variant;
    let expected = this.#expected.get(variant);
    if (!expected) {
      // Any seed of the variant would do. The number of the variant is such a seed.
      const calm = await simulate(variant, { change: { ...change, ...WITHOUT_FAULTS } });
      if (calm.violations.length > 0) return calm;
      expected = calm.results;
      this.#expected.set(variant, expected);
    }
    const result = await simulate(seed, { change, expected, coverage: this.coverage });
    this.commands += result.commands;
    this.virtualMs += result.virtualMs;
    return result;
  }
}
