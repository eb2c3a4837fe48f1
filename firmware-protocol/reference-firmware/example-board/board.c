/*
 * The board of docs/how-to/build-a-board.md: four cells, dense couplings, two banks. A simulation in floating
 * point replaces the circuit. Comments say what a real board does in each function.
 */
#define _XOPEN_SOURCE 700
#include "../src/board_hal.h"

#include <string.h>
#include <time.h>

#include "../src/config.h"

#ifndef CELLS
#define CELLS 4
#endif
/* τ = 1 ms is slow enough for the timer of a microcontroller. A tick is 2⁻⁵ τ. */
#define TAU_NS 1000000
#define TICK_LOG2 5
#define ADC_BITS 12
#define DRIVE_BITS 12
#define DRIVE_RANGE 4
/* 1.25 V_fs. */
#define RAIL TL_RAIL_MAX
#define RAIL_V ((double)RAIL / TL_FULL_SCALE)

static const board_profile profile = {
    "example", CELLS, 0, 1, 0, 0, 12, DRIVE_BITS, ADC_BITS, TICK_LOG2, DRIVE_RANGE, RAIL, TAU_NS, 1000000, 10000,
};

/* The number of a cell that is not connected, to test the self-test. CELLS: all are connected. */
#ifndef STUCK_CELL
#define STUCK_CELL CELLS
#endif

/*
 * The settings of a bank's converters: couplings and damping in G_fs, drive in V_fs·G_fs, noise in V_fs per
 * tick.
 */
typedef struct {
  double couplings[CELLS][CELLS];
  double drive[CELLS];
  double damping;
  double noise;
  uint32_t cells;
} bank_settings;

static bank_settings banks[TL_BANKS];
static int16_t couplings[TL_BANKS][CELLS * CELLS];
static const bank_settings *running;
static double volts[CELLS];
static uint8_t cell_flags[CELLS];
static uint32_t noise_state = 1;
static int outputs_on;

void board_power_on(void) {
  memset(volts, 0, sizeof volts);
  memset(cell_flags, 0, sizeof cell_flags);
  running = &banks[0];
  outputs_on = 0;
}

const board_profile *board_get_profile(void) { return &profile; }

/*
 * A real board has its serial number in memory that is written once. The answer to HELLO contains the number.
 */
const char *board_serial_number(void) { return "example 7"; }

/* Sets each cell to half of V_fs and reads it back. */
int board_self_test(void) {
  const int16_t expected = 1 << (ADC_BITS - 3);
  int16_t half[CELLS], codes[CELLS];
  int works = 1;
  for (int i = 0; i < CELLS; i++) half[i] = 8192;
  banks[0].cells = CELLS;
  board_load_state(half, CELLS);
  board_read_adc(codes);
  for (int i = 0; i < CELLS; i++) works = works && codes[i] >= expected - 8 && codes[i] <= expected + 8;
  board_power_on();
  return works;
}

/*
 * A free-running timer, extended to 64 bits. It must run while the processor sleeps; otherwise lost frames
 * are never sent again.
 */
uint64_t board_time_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* Keeps the codes until a run starts, because the other bank may use the converters now. */
void board_write_couplings(int bank, uint32_t first_entry, const int16_t *codes, uint32_t count) {
  memcpy(couplings[bank] + first_entry, codes, count * sizeof *codes);
}

void board_write_drive(int bank, uint32_t first_cell, const int16_t *codes, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    double drive = codes[i] * (double)DRIVE_RANGE / (1 << (DRIVE_BITS - 1));
    /* A drive beyond the range of the converter is clamped. */
    banks[bank].drive[first_cell + i] = drive > DRIVE_RANGE ? DRIVE_RANGE : drive < -DRIVE_RANGE ? -DRIVE_RANGE : drive;
  }
}

void board_commit(int bank, const board_program *program, board_commit_report *report) {
  bank_settings *b = &banks[bank];
  b->cells = program->cells;
  for (uint32_t i = 0; i < program->cells; i++)
    for (uint32_t j = 0; j < program->cells; j++) b->couplings[i][j] = couplings[bank][i * program->cells + j] / 32768.0;
  b->damping = program->damping / 32768.0;
  /* a · 2^(13−s) · 2⁻²⁴ V_fs is the standard deviation of the noise of one tick. */
  b->noise = (double)program->noise_amplitude * (1 << (24 - program->noise_shift)) / ((1 << 11) * (double)TL_FULL_SCALE);
  report->clamped_couplings = 0;
  report->clamped_noise_codes = 0;
  report->noise_code_min = program->noise_amplitude;
  report->noise_code_max = program->noise_amplitude;
}

/* A real board connects each cell to a converter until the cell has its voltage. */
void board_load_state(const int16_t *codes, uint32_t count) {
  memset(volts, 0, sizeof volts);
  for (uint32_t i = 0; i < count; i++) {
    double v = codes[i] / 16384.0;
    if (i != STUCK_CELL) volts[i] = v > RAIL_V ? RAIL_V : v < -RAIL_V ? -RAIL_V : v;
  }
}

/*
 * Writes the bank's codes to the array and clears the flags. Cells do not move before the firmware asks for
 * ticks.
 */
void board_start(int bank, uint32_t run_seed, uint64_t first_tick) {
  running = &banks[bank];
  memset(cell_flags, 0, sizeof cell_flags);
  noise_state = run_seed ^ (uint32_t)first_tick ^ 0x9e3779b9u;
  outputs_on = 1;
}

/* Sets drives and noise to zero and opens the switches, so that the cells hold their voltages. */
void board_stop(void) { outputs_on = 0; }

/* A random number of variance 1, made of 12 uniform ones. A real board has a noise source. */
static double kick(void) {
  double sum = -6;
  for (int i = 0; i < 12; i++) {
    noise_state = noise_state * 1664525u + 1013904223u;
    sum += noise_state / 4294967296.0;
  }
  return sum;
}

static void one_tick(void) {
  const bank_settings *b = running;
  double next[CELLS];
  for (uint32_t i = 0; i < b->cells; i++) {
    double current = b->drive[i] - b->damping * volts[i];
    for (uint32_t j = 0; j < b->cells; j++) current -= b->couplings[i][j] * volts[j];
    next[i] = volts[i] + current / (1 << TICK_LOG2) + b->noise * kick();
    if (next[i] <= RAIL_V && next[i] >= -RAIL_V) continue;
    next[i] = next[i] > 0 ? RAIL_V : -RAIL_V;
    cell_flags[i] = 1;
  }
  memcpy(volts, next, b->cells * sizeof *next);
}

/*
 * Closes the switches for this many ticks of a hardware timer. Between calls the cells hold their voltages.
 */
uint64_t board_advance(uint64_t ticks, int halt_on_overload) {
  if (!outputs_on) return ticks;
  for (uint64_t done = 0; done < ticks; done++) {
    one_tick();
    if (halt_on_overload && board_overloaded()) return done + 1;
  }
  return ticks;
}

/* The ADC reads ±2 V_fs and no cell passes its rail, so a code is never clamped. */
int board_read_adc(int16_t *codes) {
  for (uint32_t i = 0; i < running->cells; i++) {
    double code = volts[i] * (1 << (ADC_BITS - 2));
    codes[i] = (int16_t)(code + (code < 0 ? -0.5 : 0.5));
  }
  return 0;
}

/* Comparators at the rails set these flags during ticks. */
const uint8_t *board_cell_flags(void) { return cell_flags; }

const uint8_t *board_row_flags(void) { return NULL; }

int board_overloaded(void) {
  for (int i = 0; i < CELLS; i++)
    if (cell_flags[i]) return 1;
  return 0;
}

/* A board with real capacitors cannot know its state to the last bit. */
uint32_t board_state_digest(uint64_t tick) {
  (void)tick;
  return 0;
}
