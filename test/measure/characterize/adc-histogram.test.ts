import { describe, expect, it } from 'vitest';
import { makeAdc } from '../../../emulator/analog/adc.js';
import { findProfile } from '../../../emulator/index.js';
import { connect } from '../../../src/connect.js';
import { judge, measureAdcHistograms } from '../../../src/measure/adc-histogram.js';
import { measureInSession } from '../../../src/measure/lab-board.js';
import { problemRandom } from '../../support/solver-problems.js';
import { meanSquare } from './agreement.js';

const LSB = 1024;
/** Number of voltages per LSB that are tried to find the true width of a code. */
const PARTS = 64;

/** Codes of a channel: those from `firstCode` on. */
interface CodeRange {
  readonly firstCode: number;
  readonly counts: ArrayLike<number>;
}

/** Widths in LSB of these codes of every channel of a die. */
function trueWidths(dieSeed: number, ranges: readonly CodeRange[]): Float64Array[] {
  const profile = findProfile('prototype-8')!;
  const read = makeAdc({ profile, dieSeed });
  const widths = ranges.map(({ counts }) => new Float64Array(counts.length));
  const codes = new Int16Array(profile.cells);
  // The gain and the offset of a channel move its codes by much less than this margin.
  const margin = 3000 * LSB;
  const first = Math.min(...ranges.map(({ firstCode }) => firstCode));
  const last = Math.max(...ranges.map(({ firstCode, counts }) => firstCode + counts.length));
  const voltages = new Int32Array(profile.cells);
  for (let v = first * LSB - margin; v < last * LSB + margin; v += LSB / PARTS) {
    read(voltages.fill(v), codes);
    for (const [cell, { firstCode, counts }] of ranges.entries()) {
      const at = codes[cell] - firstCode;
      if (at >= 0 && at < counts.length) widths[cell][at] += 1 / PARTS;
    }
  }
  return widths;
}

describe('the histogram of a channel against its true code widths', () => {
  it('prototype-8: widths agree within their errors, and no existing code is reported as missing', async () => {
    const dieSeed = 4;
    const device = await connect(`emulator:prototype-8?die=${dieSeed}`);
    const histograms = await measureInSession(device, { seed: 1 }, (board) =>
      measureAdcHistograms(board, 40_000),
    );
    await device.close();
    const z: number[] = [];
    let missing = 0;
    const widthsOfAll = trueWidths(dieSeed, histograms);
    for (const [cell, histogram] of histograms.entries()) {
      const { firstCode, counts, expected } = histogram;
      const widths = widthsOfAll[cell];
      for (const [k, count] of counts.entries()) {
        const hoped = expected[k] * widths[k];
        if (hoped > 10) z.push((count - hoped) / Math.sqrt(hoped));
        // A code with 15 expected readings gets none of them once in 3·10⁶ codes.
        if (histogram.missing.includes(firstCode + k)) {
          missing++;
          expect(hoped).toBeLessThan(15);
        }
        if (widths[k] === 0) expect(count).toBe(0);
      }
    }
    expect(missing).toBeGreaterThan(10);
    // The mean square of about 1,900 codes has a standard deviation of 0.033. The bow of the channel changes
    // the densities a little more.
    expect(z.length).toBeGreaterThan(1500);
    expect(meanSquare(z)).toBeGreaterThan(0.8);
    expect(meanSquare(z)).toBeLessThan(1.25);
  });
});

describe('the spread of the widths of codes', () => {
  /** The histogram of 20,000 normal voltages of 128 LSB, with codes whose widths vary by `spread` LSB. */
  function widthSpread(spread: number, seed: number): number {
    const random = problemRandom(seed);
    const edges = new Float64Array(1400);
    for (let k = 1; k < edges.length; k++) edges[k] = edges[k - 1] + 1 + spread * random.normal();
    const middle = edges[edges.length - 1] / 2;
    const seen = new Map<number, number>();
    for (let n = 0; n < 20_000; n++) {
      const voltage = middle + 128 * random.normal();
      let [code, above] = [0, edges.length];
      while (above - code > 1) {
        const between = (code + above) >> 1;
        if (edges[between] <= voltage) code = between;
        else above = between;
      }
      seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    return judge(seen).widthSpreadLsb;
  }

  // About 257 codes are counted some 52 times each, so the variance has the standard error (spread² +
  // 1/52)·√(2/257). The limit is five standard errors, which is exceeded once in 10⁶ times.
  it.each([0, 0.05, 0.1])('is %d LSB, without the scatter of the counts', (spread) => {
    for (let seed = 1; seed <= 4; seed++) {
      const reach = 5 * (spread ** 2 + 1 / 52) * Math.sqrt(2 / 257);
      expect(Math.abs(widthSpread(spread, seed) ** 2 - spread ** 2)).toBeLessThan(reach);
    }
  });
});
