import { entriesOf, lengthOf, RECORD, reachOf, vectorOf } from './stretches';

const F64: usize = 8;

/** Writes largest magnitude, sum of magnitudes and sum of squares of each row: three float64 a row. */
export function measureRows(from: usize, rows: i32, columns: i32, out: usize): void {
  const magnitude = i64x2.splat(i64.MAX_VALUE);
  let at = from;
  for (let r = 0; r < rows; r++, out += 3 * F64) {
    let largest = f64x2.splat(0);
    let sums = f64x2.splat(0);
    let squares = f64x2.splat(0);
    const end = at + F64 * (columns & ~1);
    for (; at < end; at += 16) {
      const entries = v128.and(v128.load(at), magnitude);
      largest = f64x2.pmax(largest, entries);
      sums = f64x2.add(sums, entries);
      squares = f64x2.add(squares, f64x2.mul(entries, entries));
    }
    let rest: f64 = 0;
    if ((columns & 1) !== 0) {
      rest = abs(load<f64>(at));
      at += F64;
    }
    const high = max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1));
    store<f64>(out, max(high, rest));
    store<f64>(out + F64, f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1) + rest);
    store<f64>(out + 2 * F64, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1) + rest * rest);
  }
}

/**
 * Writes largest magnitude, sum of magnitudes and sum of squares of each row, as `measureRows` does: three
 * float64 a row. Two rows are measured together, because each addition of a single row would have to wait for
 * the one before.
 */
export function measureStretches(table: usize, rows: i32, stretches: i32, out: usize): void {
  const rowBytes = RECORD * <usize>stretches;
  for (let r = 0; r < rows; r += 2) {
    const first = table + rowBytes * r;
    const hasSecond = r + 1 < rows;
    measureTwo(first, hasSecond ? first + rowBytes : first, stretches, out, hasSecond);
    out += 6 * F64;
  }
}

function measureTwo(a: usize, b: usize, stretches: i32, out: usize, hasSecond: bool): void {
  let sumsA = f64x2.splat(0);
  let sumsB = f64x2.splat(0);
  let squaresA = f64x2.splat(0);
  let squaresB = f64x2.splat(0);
  let largestA: f64 = 0;
  let largestB: f64 = 0;
  // The first entry of a pair whose second entry comes in the next stretch, and whether there is such an
  // entry.
  let restA: f64 = 0;
  let restB: f64 = 0;
  let isSecond = false;
  for (let s = 0; s < stretches; s++, a += RECORD, b += RECORD) {
    const scaleA = load<f64>(a);
    const scaleB = load<f64>(b);
    let fromA = entriesOf(vectorOf(a));
    let fromB = entriesOf(vectorOf(b));
    largestA = larger(largestA, reachOf(a));
    largestB = larger(largestB, reachOf(b));
    let length = lengthOf(vectorOf(a));
    if (isSecond) {
      const entryA = abs(scaleA * load<f64>(fromA));
      const entryB = abs(scaleB * load<f64>(fromB));
      sumsA = f64x2.replace_lane(sumsA, 1, f64x2.extract_lane(sumsA, 1) + entryA);
      sumsB = f64x2.replace_lane(sumsB, 1, f64x2.extract_lane(sumsB, 1) + entryB);
      squaresA = f64x2.replace_lane(squaresA, 1, f64x2.extract_lane(squaresA, 1) + entryA * entryA);
      squaresB = f64x2.replace_lane(squaresB, 1, f64x2.extract_lane(squaresB, 1) + entryB * entryB);
      fromA += F64;
      fromB += F64;
      length--;
    }
    const scalesA = f64x2.splat(scaleA);
    const scalesB = f64x2.splat(scaleB);
    const end = fromA + F64 * <usize>(length & ~1);
    for (; fromA < end; fromA += 16, fromB += 16) {
      const entriesA = f64x2.abs(f64x2.mul(scalesA, v128.load(fromA)));
      const entriesB = f64x2.abs(f64x2.mul(scalesB, v128.load(fromB)));
      sumsA = f64x2.add(sumsA, entriesA);
      sumsB = f64x2.add(sumsB, entriesB);
      squaresA = f64x2.add(squaresA, f64x2.mul(entriesA, entriesA));
      squaresB = f64x2.add(squaresB, f64x2.mul(entriesB, entriesB));
    }
    isSecond = (length & 1) !== 0;
    if (!isSecond) continue;
    const entryA = abs(scaleA * load<f64>(fromA));
    const entryB = abs(scaleB * load<f64>(fromB));
    if (s === stretches - 1) {
      restA = entryA;
      restB = entryB;
    } else {
      sumsA = f64x2.replace_lane(sumsA, 0, f64x2.extract_lane(sumsA, 0) + entryA);
      sumsB = f64x2.replace_lane(sumsB, 0, f64x2.extract_lane(sumsB, 0) + entryB);
      squaresA = f64x2.replace_lane(squaresA, 0, f64x2.extract_lane(squaresA, 0) + entryA * entryA);
      squaresB = f64x2.replace_lane(squaresB, 0, f64x2.extract_lane(squaresB, 0) + entryB * entryB);
    }
  }
  storeMeasures(out, largestA, sumsA, squaresA, restA);
  if (hasSecond) storeMeasures(out + 3 * F64, largestB, sumsB, squaresB, restB);
}

function storeMeasures(out: usize, largest: f64, sums: v128, squares: v128, rest: f64): void {
  store<f64>(out, largest);
  store<f64>(out + F64, f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1) + rest);
  store<f64>(out + 2 * F64, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1) + rest * rest);
}

/** The larger of both; NaN as `candidate` is ignored. */
function larger(value: f64, candidate: f64): f64 {
  return candidate > value ? candidate : value;
}
