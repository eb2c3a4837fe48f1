import { GAUSSIAN_TABLE } from '../../firmware-protocol/gaussian-table.generated.js';
import { COUPLING_MAX, ROW_OUTPUT_MAX, ROW_RAIL } from '../../firmware-protocol/limits.js';
import { UINT32 } from '../../firmware-protocol/philox.js';
import { PROGRAM_MODE, type ProgramMode } from '../../firmware-protocol/program-image.js';
import { ARRAY_STEP, type ArrayState, type ArrayTicks } from '../analog/array-ticks.js';
import type { Die } from '../analog/die.js';
import type { EffectiveProgram, ProgramArrays } from '../analog/effective-program.js';
import { OracleTicks } from '../analog/oracle-ticks.js';
import { commonModeAlone } from '../analog/per-tick-effects.js';
import { packBytes } from './byte-program.js';
import { ARRAY_UNIT, type KernelMap, kernelMap, paddedCells, padTo, type SlotMap } from './kernel-map.js';
import { type KernelInstance, newKernelInstance } from './kernel-module.js';
import {
  integratorBound,
  loadRegisters,
  narrowInputMax,
  type PackedCouplings,
  packCouplings,
} from './kernel-program.js';
import * as parameter from './parameter-block.js';
import { packTwoWay, TWO_WAY_BYTES_MIN, type TwoWayArray } from './two-way-program.js';

/** Largest number of ticks of one call into the kernel, which counts them in 32 bits. */
const CALL_TICKS_MAX = 1 << 30;
const DRIVE_SCALE_LOG2 = 5;
/** If |Δ| is at most this, v + Δ + η fits 32 bits. */
const MODERATE_DELTA_MAX = 1 << 30;

/** A place for one program, and the program in it. */
interface Slot {
  readonly map: SlotMap;
  program: WeakRef<EffectiveProgram> | undefined;
  /** The packed couplings. They are kept while only drive or registers change. */
  packed: PackedCouplings | TwoWayArray | undefined;
  packedFrom: readonly WeakRef<EffectiveProgram['forward']>[];
  packedMode: ProgramMode | undefined;
  packedCells: number;
  packedLinearRows: number;
}

/**
 * Ticks by the WebAssembly kernel, or undefined if the host can't run it. Programs of at least
 * `twoWayBytesMin` bytes are packed, if possible, for products that read each coupling once.
 */
export function newKernelTicks(die: Die, twoWayBytesMin = TWO_WAY_BYTES_MIN): KernelTicks | undefined {
  const map = kernelMap(die.profile);
  const kernel = newKernelInstance(map.bytes);
  return kernel && new KernelTicks(die, map, kernel, twoWayBytesMin);
}

/**
 * The quickest ticks that this host can compute: the kernel's, or the oracle's if the host has no WebAssembly
 * with SIMD.
 */
export function fastestTicks(die: Die): ArrayTicks {
  return newKernelTicks(die) ?? new OracleTicks(die);
}

class KernelTicks implements ArrayTicks {
  readonly state: ArrayState;
  readonly addsCommonMode: boolean;
  readonly #die: Die;
  readonly #map: KernelMap;
  readonly #kernel: KernelInstance;
  readonly #words: Int32Array;
  readonly #adc: Int16Array;
  readonly #twoWayBytesMin: number;
  /** Slots, the most recently used first. */
  readonly #slots: Slot[];
  #active: EffectiveProgram | undefined;
  /** The tick, seed and cell count of the kernel's z. If the cell count is 0, there is no z yet. */
  #held = { runSeed: 0, tick: 0, cells: 0 };

  constructor(die: Die, map: KernelMap, kernel: KernelInstance, twoWayBytesMin: number) {
    const { cells, rows, rail, tickLog2 } = die.profile;
    const { buffer } = kernel;
    this.#die = die;
    this.#map = map;
    this.#kernel = kernel;
    this.#twoWayBytesMin = twoWayBytesMin;
    this.state = {
      v: new Int32Array(buffer, map.v, cells),
      c: new Int32Array(buffer, map.c, cells),
      r: new Int32Array(buffer, map.r, cells),
      q: new Int32Array(buffer, map.q, rows),
      cellFlags: new Uint8Array(buffer, map.cellFlags, cells),
      rowFlags: new Uint8Array(buffer, map.rowFlags, rows),
    };
    this.#slots = map.slots.map((slot) => ({
      map: slot,
      program: undefined,
      packed: undefined,
      packedFrom: [],
      packedMode: undefined,
      packedCells: 0,
      packedLinearRows: 0,
    }));
    new Int16Array(buffer, map.gaussianTable, GAUSSIAN_TABLE.length).set(GAUSSIAN_TABLE);
    this.#adc = new Int16Array(buffer, map.adc, cells);
    this.#words = new Int32Array(buffer, map.parameters, parameter.PARAMETER_BYTES / 4);
    this.#set(parameter.V_AT, map.v);
    this.#set(parameter.C_AT, map.c);
    this.#set(parameter.R_AT, map.r);
    this.#set(parameter.Q_AT, map.q);
    this.#set(parameter.CELL_FLAGS_AT, map.cellFlags);
    this.#set(parameter.ROW_FLAGS_AT, map.rowFlags);
    this.#set(parameter.W_AT, map.w);
    this.#set(parameter.Y_AT, map.y);
    this.#set(parameter.S_AT, map.s);
    this.#set(parameter.U_AT, map.u);
    this.#set(parameter.NARROW_S_AT, map.narrowS);
    this.#set(parameter.PANEL_SUMS_AT, map.panelSums);
    this.#set(parameter.SPARED_AT, map.spared);
    this.#set(parameter.WORDS_AT, map.words);
    this.#set(parameter.Z_AT, map.z);
    this.#set(parameter.ETA_AT, map.eta);
    this.#set(parameter.GAUSSIAN_TABLE_AT, map.gaussianTable);
    this.#set(parameter.KEYS_AT, map.keys);
    this.#set(parameter.GROUPS_AT, map.groups);
    this.#set(parameter.SPREAD_AT, map.spread);
    this.#set(parameter.COLUMNS_AT, map.columns);
    this.#set(parameter.INTEGRATOR_SHIFT, DRIVE_SCALE_LOG2 + tickLog2);
    this.#set(parameter.RAIL, rail);
    this.#set(parameter.DIE_SEED, die.dieSeed);
    const commonShare = commonModeAlone(die);
    this.#set(parameter.COMMON_SHARE, commonShare);
    this.addsCommonMode = commonShare > 0;
  }

  advance(
    program: EffectiveProgram,
    ticks: number,
    firstTick: number,
    runSeed: number,
    haltOnOverload: boolean,
  ): number {
    if (ticks <= 0) return ticks;
    if (program !== this.#active) this.#activate(program);
    const noise = program.noiseCodeMax !== 0;
    const cells = paddedCells(program.cells);
    this.#set(parameter.RUN_SEED, runSeed);
    this.#set(parameter.HALT_ON_OVERLOAD, haltOnOverload ? 1 : 0);
    for (let done = 0; done < ticks; ) {
      const tick = firstTick + done;
      const wanted = Math.min(ticks - done, CALL_TICKS_MAX);
      const held = this.#held;
      const hasFirst = held.runSeed === runSeed && held.tick === tick && held.cells >= cells;
      this.#set(parameter.NEEDS_FIRST_Z, hasFirst ? 0 : 1);
      this.#set(parameter.TICK_LOW, tick);
      this.#set(parameter.TICK_HIGH, Math.floor(tick / UINT32));
      this.#set(parameter.TICKS, wanted);
      const passed = this.#kernel.advance(this.#map.parameters);
      done += passed;
      if (noise) this.#held = { runSeed, tick: firstTick + done, cells };
      if (passed < wanted) return done;
    }
    return ticks;
  }

  /** The ideal ADC of the cells. */
  readAdc(out: Int16Array): boolean {
    const { adcBits } = this.#die.profile;
    const clipped = this.#kernel.readAdc(this.#map.v, out.length, adcBits, this.#map.adc) !== 0;
    out.set(out.length === this.#adc.length ? this.#adc : this.#adc.subarray(0, out.length));
    return clipped;
  }

  /** `offset` is in bytes, as in parameter-block.ts. An unsigned value keeps its bits. */
  #set(offset: number, value: number): void {
    this.#words[offset / 4] = value;
  }

  #activate(program: EffectiveProgram): void {
    const slot = this.#slotOf(program);
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    this.#slots.unshift(slot);
    const { map } = slot;
    const factored = program.mode === PROGRAM_MODE.factored;
    const padded = paddedCells(program.cells);
    this.#set(parameter.PADDED_CELLS, padded);
    this.#set(parameter.CELLS, program.cells);
    this.#set(parameter.ROWS, factored ? program.rows : 0);
    this.#set(parameter.ROW_ATTENUATION, program.rowAttenuation);
    this.#set(parameter.NOISE, program.noiseCodeMax === 0 ? 0 : 1);
    this.#set(parameter.NOISE_SHIFT, program.noiseShift);
    this.#set(parameter.DRIVE_AT, map.drive);
    this.#set(parameter.DAMPING_AT, map.damping);
    this.#set(parameter.CONSTANT_AT, map.constant);
    this.#set(parameter.AMPLITUDE_AT, map.amplitude);
    this.#set(parameter.FORWARD_AT, map.couplings);
    this.#set(parameter.FORWARD_BLOCKS_AT, map.blocks);
    this.#set(parameter.LINEAR_ROWS, program.linearRows);
    this.#set(parameter.ROW_TABLE_AT, program.rowTable ? map.rowTable : 0);
    const packed = slot.packed!;
    this.#set(parameter.BYTES, packed.bytes ? 1 : 0);
    this.#set(parameter.COUPLING_SHIFT, program.couplingShift);
    if ('forward' in packed) this.#activateOneWay(program, packed);
    else {
      this.#set(parameter.TWO_WAY, 1);
      this.#set(parameter.PADDED_ROWS, factored ? packed.rows : 0);
      this.#set(parameter.FORWARD_PAIRS, packed.pairs);
      this.#set(parameter.RANGES_STRIDE, packed.rangesStride);
      this.#set(parameter.COLUMN_TABLE, packed.columnTable);
    }
    this.#chooseIntegrator(program, packed);
    this.#active = program;
  }

  #activateOneWay(program: EffectiveProgram, { forward, transposed }: PackedCouplings): void {
    this.#set(parameter.TWO_WAY, 0);
    this.#set(parameter.PADDED_ROWS, transposed ? padTo(ARRAY_UNIT, program.rows) : 0);
    this.#set(parameter.FORWARD_PAIRS, forward.pairs);
    this.#set(parameter.FORWARD_PANELS, forward.panels);
    this.#set(parameter.FORWARD_SMALL_PANELS, forward.smallPanels);
    if (transposed === undefined) return;
    this.#set(parameter.TRANSPOSED_AT, transposed.couplings);
    this.#set(parameter.TRANSPOSED_BLOCKS_AT, transposed.blocks);
    this.#set(parameter.TRANSPOSED_PAIRS, transposed.pairs);
    this.#set(parameter.TRANSPOSED_PANELS, transposed.panels);
    this.#set(parameter.TRANSPOSED_SMALL_PANELS, transposed.smallPanels);
  }

  /** Chooses the form of the arithmetic by the largest numbers that any state can give. */
  #chooseIntegrator(program: EffectiveProgram, packed: PackedCouplings | TwoWayArray): void {
    const { rail, tickLog2 } = this.#die.profile;
    const factored = program.mode === PROGRAM_MODE.factored;
    const last = 'forward' in packed ? (packed.transposed ?? packed.forward) : undefined;
    const norm = last?.norm ?? COUPLING_MAX * program.rows;
    const inputMax = rail / ARRAY_STEP;
    const unit = 1 << (DRIVE_SCALE_LOG2 + tickLog2);
    const rowOutput = program.rowTable || program.rowDrive ? ROW_OUTPUT_MAX : ROW_RAIL;
    const bound = integratorBound(program, norm, factored ? rowOutput : inputMax, inputMax, unit);
    const moderate = program.rowAttenuation === 0 && bound / unit <= MODERATE_DELTA_MAX;
    // norm · |w| is part of this bound, so in such a tick the sums fit 32 bits too.
    const narrow = last !== undefined && !factored ? narrowInputMax(program, norm, unit) : -1;
    this.#set(parameter.NARROW_INPUT_MAX, narrow);
    this.#set(parameter.MODERATE, moderate ? 1 : 0);
  }

  /** The slot that holds this program. If no slot does, one is filled. */
  #slotOf(program: EffectiveProgram): Slot {
    const loaded = this.#slots.find((slot) => slot.program?.deref() === program);
    if (loaded !== undefined) return loaded;
    const slot = this.#packed(program);
    loadRegisters(this.#kernel, slot.map, program);
    slot.program = new WeakRef(program);
    return slot;
  }

  /** Packs the arrays of a program into a slot before the program runs. */
  prepare(arrays: ProgramArrays): void {
    this.#packed(arrays);
  }

  /** The slot that holds these arrays. If no slot does, they are packed into the least recently used slot. */
  #packed(program: ProgramArrays): Slot {
    const slot = this.#slots.find((candidate) => holdsCouplings(candidate, program)) ?? this.#slots.at(-1)!;
    if (!holdsCouplings(slot, program)) {
      const inputMax = this.#die.profile.rail / ARRAY_STEP;
      const kernel = this.#kernel;
      const map = this.#map;
      const bytesMin = this.#twoWayBytesMin;
      slot.packed =
        packBytes({ kernel, map, slot: slot.map, program, inputMax }, bytesMin) ??
        packTwoWay(kernel, map, slot.map, program, inputMax, bytesMin) ??
        packCouplings(kernel, map, slot.map, program, inputMax);
      if (slot.program?.deref() === this.#active) this.#active = undefined;
      slot.program = undefined;
      slot.packedFrom = [new WeakRef(program.forward), new WeakRef(program.transposed)];
      slot.packedMode = program.mode;
      slot.packedCells = program.cells;
      slot.packedLinearRows = program.linearRows;
    }
    return slot;
  }
}

/** Whether the slot holds the arrays of this program, in the same shape and mode. */
function holdsCouplings(
  { packed, packedFrom, packedMode, packedCells, packedLinearRows }: Slot,
  program: ProgramArrays,
): boolean {
  return (
    packed !== undefined &&
    packedMode === program.mode &&
    packedCells === program.cells &&
    packedLinearRows === program.linearRows &&
    packedFrom[0].deref() === program.forward &&
    packedFrom[1].deref() === program.transposed
  );
}
