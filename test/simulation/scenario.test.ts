import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drawScenario, type Scenario } from './scenario.js';
import { scenarioChange, scenarioTexts } from './scenario-options.js';

const SEEDS = 400;
/** Digest of the scenarios of the first seeds. A seed in an old report must keep its meaning. */
const RECORDED = '7c3c9fc558da9ef3c07485ade8a6355ae583f0c5df0f8a173b37750e6347f13f';

const valuesOf = (texts: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    texts.map((text) => [text.slice(2, text.indexOf(' ')), text.slice(text.indexOf(' ') + 1)]),
  );

describe('the scenario of a seed', () => {
  it('stays the same', () => {
    const scenarios = Array.from({ length: SEEDS }, (_, seed) => drawScenario(seed).scenario);
    expect(createHash('sha256').update(JSON.stringify(scenarios)).digest('hex')).toBe(RECORDED);
  });

  it('can be read from the options that a failure prints', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { scenario } = drawScenario(seed);
      const { seed: _, ...fields } = scenario;
      expect(scenarioChange(valuesOf(scenarioTexts(scenario))), `seed ${seed}`).toEqual(fields);
    }
  });

  it.each([
    ['variant', '8'],
    ['line', 'wire'],
    ['latency-ms', '-1'],
    ['latency-ms', ''],
    ['bytes-per-ms', '0'],
    ['frame-bytes', '255'],
    ['in-flight-frames', '1.5'],
    ['slice-ms', 'NaN'],
    ['frame-noise', '0.2'],
    ['frame-faults', 'stall@running+3'],
    ['frame-faults', 'drop@nowhere+3'],
    ['world-faults', 'stall@running'],
    ['sequence-wraps', 'toString'],
  ])('--%s %s is refused by name', (option, text) => {
    expect(() => scenarioChange({ [option]: text })).toThrow(`--${option} ${text}: expected`);
  });

  it('without options changes nothing', () => {
    expect(scenarioChange({ seeds: '3', help: true })).toEqual({} satisfies Partial<Scenario>);
  });
});
