/* board_hal.h by the model: converters, banks, start, readings and digest. The clock is in posix/main.c. */
#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "model.h"

#define ARRAY_STEP 1024

static const board_profile *profile;
static uint32_t die_seed;
static const char *name;
static model_bank banks[TL_BANKS];
static model_state state;
static struct {
  const model_bank *bank;
  uint32_t run_seed;
  uint64_t tick;
} run;

int model_init(const board_profile *chosen, uint32_t chosen_die_seed) {
  size_t rows = chosen->has_dense && chosen->cells > chosen->rows ? chosen->cells : chosen->rows;
  if (chosen->cells > CONFIG_CELLS || chosen->rows > CONFIG_ROWS || rows * chosen->cells > CONFIG_COUPLINGS) return 0;
  profile = chosen;
  die_seed = chosen_die_seed;
  board_power_on();
  return 1;
}

void board_power_on(void) {
  memset(&state, 0, sizeof state);
  run.bank = &banks[0];
}

const model_state *model_get_state(void) { return &state; }

const board_profile *board_get_profile(void) { return profile; }

int board_self_test(void) { return 1; }

void model_name(const char *serial_number) { name = serial_number; }

/* "die N" in decimal digits. */
static const char *die_name(void) {
  static char out[15];
  uint32_t left = die_seed;
  size_t at = sizeof out - 1;
  out[at] = 0;
  do out[--at] = (char)('0' + left % 10);
  while ((left /= 10) != 0);
  at -= 4;
  memcpy(out + at, "die ", 4);
  return out + at;
}

const char *board_serial_number(void) { return name ? name : die_name(); }

static int32_t clamp(int64_t x, int32_t limit) { return x > limit ? limit : x < -limit ? -limit : (int32_t)x; }

void board_write_couplings(int bank, uint32_t first_entry, const int16_t *codes, uint32_t count) {
  model_bank *b = &banks[bank];
  /* Couplings are always written from the first one on. */
  if (first_entry == 0) b->clamped_couplings = 0;
  for (uint32_t i = 0; i < count; i++) {
    int32_t k = clamp(codes[i], TL_COUPLING_MAX);
    b->clamped_couplings += k != codes[i];
    b->couplings[first_entry + i] = (int16_t)k;
  }
}

void board_write_drive(int bank, uint32_t first_cell, const int16_t *codes, uint32_t count) {
  int64_t full = (int64_t)profile->drive_range * TL_FULL_SCALE;
  int64_t step = 2 * full >> profile->drive_bits;
  for (uint32_t i = 0; i < count; i++) banks[bank].drive[first_cell + i] = clamp(codes[i] * step, (int32_t)(full - 1));
}

void board_write_row_table(int bank, uint32_t first_node, const int16_t *codes, uint32_t count) {
  int16_t *table = banks[bank].row_table;
  memcpy(table + first_node, codes, count * sizeof *codes);
  table[TL_ROW_TABLE_NODES] = table[TL_ROW_TABLE_NODES - 1];
}

void board_write_row_drive(int bank, uint32_t first_row, const int16_t *codes, uint32_t count) {
  memcpy(banks[bank].row_drive + first_row, codes, count * sizeof *codes);
}

static void sum_row_drives(model_bank *b) {
  const int16_t *k = b->couplings;
  memset(b->row_drive_sums, 0, b->program.cells * sizeof b->row_drive_sums[0]);
  for (uint32_t row = 0; row < b->program.rows; row++, k += b->program.cells)
    for (uint32_t i = 0; i < b->program.cells; i++) b->row_drive_sums[i] += (int32_t)k[i] * b->row_drive[row];
}

void board_commit(int bank, const board_program *program, board_commit_report *report) {
  banks[bank].program = *program;
  if (program->mode == TL_MODE_FACTORED) sum_row_drives(&banks[bank]);
  report->clamped_couplings = banks[bank].clamped_couplings;
  report->clamped_noise_codes = 0;
  report->noise_code_min = program->noise_amplitude;
  report->noise_code_max = program->noise_amplitude;
}

void board_load_state(const int16_t *codes, uint32_t count) {
  memset(state.v, 0, sizeof state.v);
  memset(state.c, 0, sizeof state.c);
  memset(state.r, 0, sizeof state.r);
  memset(state.q, 0, sizeof state.q);
  for (uint32_t i = 0; i < count; i++) state.v[i] = clamp((int64_t)codes[i] * ARRAY_STEP, (int32_t)profile->rail);
}

void board_start(int bank, uint32_t run_seed, uint64_t first_tick) {
  run.bank = &banks[bank];
  run.run_seed = run_seed;
  run.tick = first_tick;
  memset(state.cell_flags, 0, sizeof state.cell_flags);
  memset(state.row_flags, 0, sizeof state.row_flags);
}

void board_stop(void) {}

uint64_t board_advance(uint64_t ticks, int halt_on_overload) {
  for (uint64_t done = 0; done < ticks; done++) {
    int overload = model_tick(profile, run.bank, &state, die_seed, run.run_seed, run.tick++);
    if (overload && halt_on_overload) return done + 1;
  }
  return ticks;
}

int board_read_adc(int16_t *codes) {
  int shift = 26 - profile->adc_bits;
  int32_t half = (int32_t)1 << (shift - 1);
  int32_t largest = ((int32_t)1 << (profile->adc_bits - 1)) - 1;
  int clipped = 0;
  for (uint32_t i = 0; i < run.bank->program.cells; i++) {
    int32_t code = (state.v[i] + half) >> shift;
    int32_t cut = code > largest ? largest : code < -largest - 1 ? -largest - 1 : code;
    clipped |= cut != code;
    codes[i] = (int16_t)cut;
  }
  return clipped;
}

const uint8_t *board_cell_flags(void) { return state.cell_flags; }

const uint8_t *board_row_flags(void) { return state.row_flags; }

int board_knows_covariance(void) { return 1; }

/* The model has no light, but it accepts the command as the emulator does. */
int board_can_identify(void) { return 1; }

/* 300 K and 5 V, as the sensors of emulated boards read (emulator/firmware/handlers/system.ts). */
board_sensors board_read_sensors(void) {
  board_sensors nominal = {300000, 5000};
  return nominal;
}

static int any(const uint8_t *flags, uint32_t count) {
  uint8_t found = 0;
  for (uint32_t i = 0; i < count; i++) found |= flags[i];
  return found;
}

int board_overloaded(void) { return any(state.cell_flags, profile->cells) || any(state.row_flags, profile->rows); }

static uint32_t digest_words(uint32_t crc, const int32_t *words, uint32_t count) {
  uint8_t bytes[4];
  for (uint32_t i = 0; i < count; i++) {
    put_le32(bytes, (uint32_t)words[i]);
    crc = crc32(crc, bytes, sizeof bytes);
  }
  return crc;
}

uint32_t board_state_digest(uint64_t tick) {
  uint8_t bytes[8];
  uint32_t crc = digest_words(0, state.v, profile->cells);
  crc = digest_words(crc, state.c, profile->cells);
  crc = digest_words(crc, state.r, profile->cells);
  crc = digest_words(crc, state.q, profile->rows);
  crc = crc32(crc, state.cell_flags, profile->cells);
  crc = crc32(crc, state.row_flags, profile->rows);
  put_le64(bytes, tick);
  return crc32(crc, bytes, sizeof bytes);
}
