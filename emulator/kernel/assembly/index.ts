/**
 * The tick of the cell array (device-model.md, "One tick") in SIMD. The oracle is
 * emulator/analog/oracle-ticks.ts.
 */
import * as P from '../parameter-block';
import {
  arrayInput,
  integrateModerate,
  integrateNarrow,
  integrateWide,
  rowAmplifiers,
  rowElements,
} from './cells';
import { addCommonMode, commonGaussian } from './common-mode';
import { gaussians, prepareNoise, tickWords } from './noise';
import { productNarrow, productWide } from './product';
import { productOfRowRanges } from './row-ranges';
import { productFactored, productOfRanges, productSymmetric } from './two-way';

export { readAdc } from './adc';
export {
  addBytesToColumns,
  byteRanges,
  byteSumsAndColumns,
  byteSumsOf8,
  byteSumsOf16,
  byteSumsOf32,
  largestByteNorm,
  packByteColumns,
  packByteRows,
} from './byte-products';
export {
  arrayInput,
  integrateModerate,
  integrateNarrow,
  integrateWide,
  integratorConstants,
  rowAmplifiers,
  rowElements,
} from './cells';
export { addCommonMode, commonGaussian } from './common-mode';
export { gaussians, prepareNoise, randomWords, tickWords } from './noise';
export { cutBlocks, packColumns, packRows } from './pack';
export { productNarrow, productWide, sumsOf8, sumsOf32, widenFirst, widenNext } from './product';
export { dotRoof, readAll } from './roof';
export { packColumnPairs, packRowRanges, productOfRowRanges } from './row-ranges';
export {
  addToColumns,
  columnNorms,
  flushColumns,
  productFactored,
  productOfRanges,
  productSymmetric,
  spreadRows,
  sumsAndColumns,
  sumsOf16,
} from './two-way';

const COUPLING_UNIT_LOG2 = 15;

/** Makes η of the tick that ends at `tick`. The z at its end replaces the stored z. */
export function noiseOfTick(p: usize, tick: u64): void {
  const cells = load<i32>(p, P.PADDED_CELLS);
  const keys = load<usize>(p, P.KEYS_AT);
  const groups = load<usize>(p, P.GROUPS_AT);
  const words = load<usize>(p, P.WORDS_AT);
  const dieSeed = load<u32>(p, P.DIE_SEED);
  const runSeed = load<u32>(p, P.RUN_SEED);
  const tickHigh = <u32>(tick >> 32);
  if (
    tickHigh !== load<u32>(p, P.GROUPS_TICK_HIGH) ||
    runSeed !== load<u32>(p, P.GROUPS_RUN_SEED) ||
    cells > load<i32>(p, P.GROUPS_CELLS)
  ) {
    prepareNoise(keys, groups, cells, dieSeed, runSeed, tickHigh);
    store<u32>(p, tickHigh, P.GROUPS_TICK_HIGH);
    store<u32>(p, runSeed, P.GROUPS_RUN_SEED);
    store<i32>(p, cells, P.GROUPS_CELLS);
  }
  tickWords(words, groups, cells, keys, dieSeed, runSeed, <u32>tick);
  gaussians(
    words,
    cells,
    load<usize>(p, P.GAUSSIAN_TABLE_AT),
    load<usize>(p, P.Z_AT),
    load<usize>(p, P.AMPLITUDE_AT),
    load<usize>(p, P.ETA_AT),
    load<i32>(p, P.NOISE_SHIFT),
    i32.MAX_VALUE,
    2047 << 16,
  );
}

/**
 * Makes S of a tick, row amplifiers included. Returns whether a row went over its limit. `narrow`: every sum
 * fits 32 bits. `backward`: a large array is read from its end, because the cache still holds the part that
 * the previous tick read last.
 */
export function arrayProducts(p: usize, narrow: bool, backward: bool): i32 {
  const forward = load<usize>(p, P.FORWARD_AT);
  const w = load<usize>(p, P.W_AT);
  const pairs = load<i32>(p, P.FORWARD_PAIRS);
  const panels = load<i32>(p, P.FORWARD_PANELS);
  const smallPanels = load<i32>(p, P.FORWARD_SMALL_PANELS);
  const bytes = load<i32>(p, P.BYTES);
  const couplingShift = load<i32>(p, P.COUPLING_SHIFT);
  if (narrow) {
    const narrowSums = load<usize>(p, P.NARROW_S_AT);
    productNarrow(forward, w, pairs, panels, smallPanels, bytes, couplingShift, narrowSums);
    return 0;
  }
  const s = load<usize>(p, P.S_AT);
  const blocks = load<usize>(p, P.FORWARD_BLOCKS_AT);
  const sums = load<usize>(p, P.PANEL_SUMS_AT);
  const rows = load<i32>(p, P.PADDED_ROWS);
  const shift = COUPLING_UNIT_LOG2 + load<i32>(p, P.ROW_ATTENUATION);
  const linear = load<i32>(p, P.LINEAR_ROWS);
  const table = load<usize>(p, P.ROW_TABLE_AT);
  if (load<i32>(p, P.TWO_WAY)) {
    const spread = load<usize>(p, P.SPREAD_AT);
    const columns = load<usize>(p, P.COLUMNS_AT);
    if (rows === 0) {
      productSymmetric(forward, w, pairs, blocks, sums, spread, columns, s, bytes, couplingShift, backward);
      return 0;
    }
    const columnTable = load<usize>(p, P.COLUMN_TABLE);
    if (columnTable)
      return productOfRowRanges(
        forward,
        blocks,
        forward + <usize>rows * ((<usize>pairs) << 1),
        blocks + columnTable,
        w,
        pairs << 1,
        rows,
        load<usize>(p, P.U_AT),
        load<usize>(p, P.Q_AT),
        load<usize>(p, P.Y_AT),
        load<usize>(p, P.ROW_FLAGS_AT),
        shift,
        linear,
        table,
        s,
        couplingShift,
      );
    if (bytes)
      return productOfRanges(
        forward,
        w,
        pairs,
        rows,
        blocks,
        load<usize>(p, P.RANGES_STRIDE),
        sums,
        load<usize>(p, P.U_AT),
        load<usize>(p, P.Q_AT),
        load<usize>(p, P.Y_AT),
        load<usize>(p, P.ROW_FLAGS_AT),
        shift,
        linear,
        table,
        spread,
        columns,
        s,
        couplingShift,
        backward,
      );
    return productFactored(
      forward,
      w,
      pairs,
      rows,
      blocks,
      sums,
      load<usize>(p, P.U_AT),
      load<usize>(p, P.Q_AT),
      load<usize>(p, P.Y_AT),
      load<usize>(p, P.ROW_FLAGS_AT),
      shift,
      linear,
      table,
      spread,
      columns,
      s,
      couplingShift,
      backward,
    );
  }
  if (rows === 0) {
    productWide(forward, w, pairs, panels, smallPanels, blocks, bytes, couplingShift, sums, s);
    return 0;
  }
  const u = load<usize>(p, P.U_AT);
  const y = load<usize>(p, P.Y_AT);
  productWide(forward, w, pairs, panels, smallPanels, blocks, bytes, couplingShift, sums, u);
  const q = load<usize>(p, P.Q_AT);
  const overload = rowAmplifiers(u, q, y, load<usize>(p, P.ROW_FLAGS_AT), rows, shift, linear);
  if (table) rowElements(y, linear, rows, table);
  productWide(
    load<usize>(p, P.TRANSPOSED_AT),
    y,
    load<i32>(p, P.TRANSPOSED_PAIRS),
    load<i32>(p, P.TRANSPOSED_PANELS),
    load<i32>(p, P.TRANSPOSED_SMALL_PANELS),
    load<usize>(p, P.TRANSPOSED_BLOCKS_AT),
    bytes,
    couplingShift,
    sums,
    s,
  );
  return overload;
}

/** Makes v and r of a tick. Returns whether a cell left the rails. `narrow`: T fits 32 bits. */
export function integrate(p: usize, narrow: bool): i32 {
  const v = load<usize>(p, P.V_AT);
  const r = load<usize>(p, P.R_AT);
  const w = load<usize>(p, P.W_AT);
  const damping = load<usize>(p, P.DAMPING_AT);
  const eta = load<usize>(p, P.ETA_AT);
  const flags = load<usize>(p, P.CELL_FLAGS_AT);
  const cells = load<i32>(p, P.PADDED_CELLS);
  const shift = load<i32>(p, P.INTEGRATOR_SHIFT);
  const rail = load<i32>(p, P.RAIL);
  if (narrow) {
    const sums = load<usize>(p, P.NARROW_S_AT);
    return integrateNarrow(
      v,
      r,
      w,
      sums,
      load<usize>(p, P.DRIVE_AT),
      damping,
      eta,
      flags,
      cells,
      shift,
      rail,
    );
  }
  const s = load<usize>(p, P.S_AT);
  const attenuation = load<i32>(p, P.ROW_ATTENUATION);
  const constant = load<usize>(p, P.CONSTANT_AT);
  if (load<i32>(p, P.MODERATE))
    return integrateModerate(v, r, w, s, constant, damping, eta, flags, cells, shift, rail);
  return integrateWide(v, r, w, s, constant, damping, eta, flags, cells, shift, attenuation, rail);
}

/** Adds the kick that all cells share. Returns whether it moved a cell beyond its rails. */
export function kickAll(p: usize, zeta: i32): i32 {
  return addCommonMode(
    load<usize>(p, P.V_AT),
    load<usize>(p, P.AMPLITUDE_AT),
    load<usize>(p, P.CELL_FLAGS_AT),
    load<i32>(p, P.PADDED_CELLS),
    load<i32>(p, P.COMMON_SHARE),
    zeta,
    load<i32>(p, P.NOISE_SHIFT),
    load<i32>(p, P.RAIL),
  );
}

/** z of the noise that all cells share. */
function commonZ(p: usize, tick: u64): i32 {
  const table = load<usize>(p, P.GAUSSIAN_TABLE_AT);
  return commonGaussian(tick, load<u32>(p, P.DIE_SEED), load<u32>(p, P.RUN_SEED), table);
}

/**
 * Advances the board by `TICKS` ticks, or until the end of the tick in which something went over its limit.
 * Returns the ticks done. Cells and rows beyond the program, up to the padded numbers, are computed with
 * couplings, drive and noise of 0. This changes only their carries c and q, which are restored afterwards.
 */
export function advance(p: usize): i32 {
  const ticks = load<i32>(p, P.TICKS);
  const halts = load<i32>(p, P.HALT_ON_OVERLOAD);
  const noise = load<i32>(p, P.NOISE);
  const cells = load<i32>(p, P.CELLS);
  const rows = load<i32>(p, P.ROWS);
  const padded = load<i32>(p, P.PADDED_CELLS);
  const v = load<usize>(p, P.V_AT);
  const c = load<usize>(p, P.C_AT);
  const w = load<usize>(p, P.W_AT);
  const spared = load<usize>(p, P.SPARED_AT);
  const spareCells = c + ((<usize>cells) << 2);
  const spareCellBytes = (<usize>(padded - cells)) << 2;
  const spareRows = load<usize>(p, P.Q_AT) + ((<usize>rows) << 2);
  const spareRowBytes = (<usize>(load<i32>(p, P.PADDED_ROWS) - rows)) << 2;
  memory.copy(spared, spareCells, spareCellBytes);
  memory.copy(spared + spareCellBytes, spareRows, spareRowBytes);
  let tick = ((<u64>load<u32>(p, P.TICK_HIGH)) << 32) | <u64>load<u32>(p, P.TICK_LOW);
  if (noise) {
    if (load<i32>(p, P.NEEDS_FIRST_Z)) noiseOfTick(p, tick);
  } else memory.fill(load<usize>(p, P.ETA_AT), 0, (<usize>padded) << 2);
  const common = noise & (load<i32>(p, P.COMMON_SHARE) > 0 ? 1 : 0);
  let z = common ? commonZ(p, tick) : 0;
  const narrowInputMax = load<i32>(p, P.NARROW_INPUT_MAX);
  let done = 0;
  while (done < ticks) {
    tick++;
    done++;
    const narrow = arrayInput(v, c, w, padded) <= narrowInputMax;
    let overload = arrayProducts(p, narrow, (done & 1) === 0);
    if (noise) noiseOfTick(p, tick);
    overload |= integrate(p, narrow);
    if (common) {
      const next = commonZ(p, tick);
      overload |= kickAll(p, z + next);
      z = next;
    }
    if (overload & halts) break;
  }
  memory.copy(spareCells, spared, spareCellBytes);
  memory.copy(spareRows, spared + spareCellBytes, spareRowBytes);
  return done;
}
