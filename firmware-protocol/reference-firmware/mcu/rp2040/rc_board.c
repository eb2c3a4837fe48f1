/*
 * Implements board_hal.h with three low-passes (rc_circuit.h). The voltages and their relaxation are those of
 * the capacitors. The currents of the couplings are computed. Once in each tick, each output is set to
 *
 *   u = v + p·(h·(b − d·v − Σ g·v) + kick), p = 1/(1 − exp(−tick/τ)) with the measured τ of the cell
 *
 * After a tick of h = 2⁻⁴ the cell has then moved by the sum in the outer brackets. Kicks are those of the
 * device model (device-model.md, "One tick").
 */
#include <string.h>

#include "../../src/board_hal.h"
#include "../../src/config.h"
#include "../../src/philox.h"
#include "../chip.h"
#include "rc_circuit.h"

#define ADC_BITS 14
#define DRIVE_BITS 16
/* An output reaches 1.65 V_fs. This allows a drive of 1 V_fs·G_fs to a cell at 0 V_fs. */
#define DRIVE_RANGE 1
/* Conversions from the model's units 2⁻²⁴ V_fs and 2⁻¹⁴ V_fs to the unit of rc_circuit.h. */
#define MODEL_SHIFT 8
#define STATE_SCALE 4
#define RAIL (TL_RAIL_MAX >> MODEL_SHIFT)
#define DIE 1u
/*
 * In 10⁻¹² V_fs². Readings with σ = 0.35 mV move a cell by 0.02 mV in each tick. The smallest noise
 * temperature is computed, not measured.
 */
#define NOISE_TEMPERATURE_MIN 10000

static const board_profile profile = {
    "rc-3", RC_CELLS, 0, 1, 0, 0, 16, DRIVE_BITS, ADC_BITS, RC_TICK_LOG2, DRIVE_RANGE,
    TL_RAIL_MAX, RC_TAU_US * 1000, 1000000, NOISE_TEMPERATURE_MIN,
};

typedef struct {
  board_program program;
  int16_t couplings[RC_CELLS * RC_CELLS];
  int32_t drive[RC_CELLS];
} bank_settings;

static bank_settings banks[TL_BANKS];
static const bank_settings *running = &banks[0];
static int32_t volts[RC_CELLS];
static uint8_t cell_flags[RC_CELLS];
static uint32_t seed;
static uint64_t tick;
static int outputs_on;
static int works;

void board_power_on(void) {
  works = rc_power_on();
  rc_hold(volts);
  memset(cell_flags, 0, sizeof cell_flags);
  running = &banks[0];
  outputs_on = 0;
}

int board_self_test(void) { return works; }

const board_profile *board_get_profile(void) { return &profile; }

const char *board_serial_number(void) { return chip_serial_number(); }

void board_write_couplings(int bank, uint32_t first_entry, const int16_t *codes, uint32_t count) {
  memcpy(banks[bank].couplings + first_entry, codes, count * sizeof *codes);
}

void board_write_drive(int bank, uint32_t first_cell, const int16_t *codes, uint32_t count) {
  const int32_t step = RC_VOLT * DRIVE_RANGE >> (DRIVE_BITS - 1);
  for (uint32_t i = 0; i < count; i++) banks[bank].drive[first_cell + i] = codes[i] * step;
}

void board_commit(int bank, const board_program *program, board_commit_report *report) {
  banks[bank].program = *program;
  report->clamped_couplings = 0;
  report->clamped_noise_codes = 0;
  report->noise_code_min = program->noise_amplitude;
  report->noise_code_max = program->noise_amplitude;
}

void board_load_state(const int16_t *codes, uint32_t count) {
  int32_t target[RC_CELLS] = {0};
  for (uint32_t i = 0; i < count; i++) {
    int32_t v = codes[i] * STATE_SCALE;
    target[i] = v > RAIL ? RAIL : v < -RAIL ? -RAIL : v;
  }
  rc_charge(target, volts);
}

void board_start(int bank, uint32_t run_seed, uint64_t first_tick) {
  running = &banks[bank];
  memset(cell_flags, 0, sizeof cell_flags);
  seed = run_seed;
  tick = first_tick;
  outputs_on = 1;
}

void board_stop(void) {
  outputs_on = 0;
  rc_hold(volts);
}

/* The kicks that the noise of this tick adds to the cells. */
static void noise_kicks(const board_program *program, int32_t kicks[RC_CELLS]) {
  int32_t begin[RC_CELLS], end[RC_CELLS];
  memset(kicks, 0, RC_CELLS * sizeof *kicks);
  if (program->noise_amplitude == 0) return;
  gaussian_cells(DIE, seed, tick, program->cells, begin);
  gaussian_cells(DIE, seed, tick + 1, program->cells, end);
  for (uint32_t i = 0; i < program->cells; i++) {
    int64_t kick = (int64_t)program->noise_amplitude * (begin[i] + end[i]);
    kicks[i] = (int32_t)(kick >> (program->noise_shift + MODEL_SHIFT));
  }
}

/* h·(b − d·v − Σ g·v) of a cell. */
static int32_t drift(const bank_settings *b, uint32_t i) {
  const int16_t *row = b->couplings + i * b->program.cells;
  int64_t current = (int64_t)b->drive[i] * 32768 - (int64_t)b->program.damping * volts[i];
  for (uint32_t j = 0; j < b->program.cells; j++) current -= (int64_t)row[j] * volts[j];
  return (int32_t)(current >> (15 + RC_TICK_LOG2));
}

static void flag_rails(void) {
  for (uint32_t i = 0; i < running->program.cells; i++)
    if (volts[i] > RAIL || volts[i] < -RAIL) cell_flags[i] = 1;
}

static void begin_tick(const int32_t kicks[RC_CELLS]) {
  rc_read(volts);
  for (uint32_t i = 0; i < running->program.cells; i++)
    if (rc_drive(i, volts[i] + rc_pull(i, drift(running, i) + kicks[i]))) cell_flags[i] = 1;
  for (uint32_t i = running->program.cells; i < RC_CELLS; i++) rc_drive(i, volts[i]);
  flag_rails();
}

uint64_t board_advance(uint64_t ticks, int halt_on_overload) {
  uint64_t done = 0;
  uint64_t at_us = 0;
  if (!outputs_on) return ticks;
  while (done < ticks) {
    int32_t kicks[RC_CELLS];
    /* The kicks are computed while the previous tick passes. */
    noise_kicks(&running->program, kicks);
    if (done == 0) at_us = board_time_us();
    rc_wait_until(at_us);
    begin_tick(kicks);
    at_us += RC_TICK_US;
    tick++;
    done++;
    if (halt_on_overload && board_overloaded()) break;
  }
  /* The last tick gets its whole time too. */
  if (done > 0) rc_wait_until(at_us);
  rc_hold(volts);
  flag_rails();
  return done;
}

int board_read_adc(int16_t *codes) {
  /* The codes span ±2 V_fs. The converter of the chip has a smaller range. */
  const int shift = 18 - ADC_BITS;
  for (uint32_t i = 0; i < running->program.cells; i++) codes[i] = (int16_t)((volts[i] + (1 << (shift - 1))) >> shift);
  return 0;
}

const uint8_t *board_cell_flags(void) { return cell_flags; }

const uint8_t *board_row_flags(void) { return NULL; }

int board_overloaded(void) {
  for (int i = 0; i < RC_CELLS; i++)
    if (cell_flags[i]) return 1;
  return 0;
}

/* The charge of a capacitor cannot be known to the last bit. */
uint32_t board_state_digest(uint64_t at) {
  (void)at;
  return 0;
}
