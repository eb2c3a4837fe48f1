import type { Characterization } from '../characterize/characterize.js';
import type { Estimates } from '../characterize/estimates.js';
import type { Found } from './found.js';
import { integers, meanPpm, spreadPpm, UNIT_GAIN } from './integers.js';
import { isReal } from './real-quantity.js';

/**
 * Crosspoints of the dense array, one by one where every one was measured and else by their spread alone, and what lines pick up
 * from their neighbours.
 */
export function measuredCouplings({ couplings, identity }: Characterization, source: string): Found {
  if (couplings === undefined) return { effects: { couplingMismatch: null, crosstalk: null }, measured: {} };
  const { rows, columns, errors, fromNext, fromBefore } = couplings;
  const { cells } = identity;
  const differ = isReal(errors, 0);
  const pick = isReal(fromNext, 0) || isReal(fromBefore, 0);
  /** By their place in the array. */
  const gains = () => {
    const gain = new Array<number>(cells * cells).fill(UNIT_GAIN);
    const found = integers(errors.values, UNIT_GAIN, (error) => UNIT_GAIN * (1 + error));
    for (const [k, value] of found.entries()) gain[rows[k] * cells + columns[k]] = value;
    return gain;
  };
  const share = ({ values }: Estimates) => integers(values, 0, (value) => UNIT_GAIN * value);
  const both = joined(fromNext, fromBefore);
  return {
    effects: {
      couplingMismatch: differ ? { spreadPpm: spreadPpm(errors, 1), source } : null,
      crosstalk: pick ? { sharePpm: meanPpm(both), spreadPpm: spreadPpm(both, 0), source } : null,
    },
    measured: {
      ...(differ && rows.length === cells * cells ? { couplingMismatch: { gain: gains() } } : {}),
      ...(pick ? { crosstalk: { fromNext: share(fromNext), fromBefore: share(fromBefore) } } : {}),
    },
  };
}

/** Both sides' shares as one quantity. */
function joined(a: Estimates, b: Estimates): Estimates {
  return {
    values: Float64Array.of(...a.values, ...b.values),
    standardErrors: Float64Array.of(...a.standardErrors, ...b.standardErrors),
  };
}
