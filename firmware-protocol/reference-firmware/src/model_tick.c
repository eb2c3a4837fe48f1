/*
 * One tick, line by line as in device-model.md, "One tick". Sums are exact, so their order does not matter.
 */
#include <string.h>

#include "model.h"
#include "philox.h"

#define ARRAY_STEP_LOG2 10
/* Drive is in 2⁻²⁴, products are in 2⁻²⁹ V_fs·G_fs: 32·e, and Δ = T >> (5 + k). */
#define DRIVE_SCALE_LOG2 5
#define ROW_TABLE_STEP_LOG2 8

static int16_t w[CONFIG_CELLS];
static int16_t y[CONFIG_ROWS];
static int64_t s[CONFIG_CELLS];
static int64_t next[CONFIG_CELLS];

/*
 * The Gaussians of the start and the end of a tick. The end of a tick is the start of the next one, so its
 * Gaussians are computed once.
 */
static int32_t z[2][CONFIG_CELLS];
static struct {
  int valid;
  int end;
  uint32_t cells;
  uint32_t die_seed;
  uint32_t run_seed;
  uint64_t tick;
} held;

int64_t model_inner_product(const int16_t *row, const int16_t *x, uint32_t count) {
  int64_t sum = 0;
  uint32_t j = 0;
  /* The sum of two products below 2³⁰ fits 32 bits. */
  for (; j + 2 <= count; j += 2) sum += (int32_t)row[j] * x[j] + (int32_t)row[j + 1] * x[j + 1];
  if (j < count) sum += (int32_t)row[j] * x[j];
  return sum;
}

static void array_input(model_state *state, uint32_t cells) {
  for (uint32_t i = 0; i < cells; i++) {
    int32_t u = state->v[i] + state->c[i];
    int32_t seen = u >> ARRAY_STEP_LOG2;
    state->c[i] = u & ((1 << ARRAY_STEP_LOG2) - 1);
    w[i] = (int16_t)seen;
  }
}

/* T(y), linear between nodes that are 256 apart (device-model.md, "Row element"). */
static int16_t row_element(const int16_t *table, int32_t out) {
  int32_t from = out + TL_ROW_RAIL;
  const int16_t *node = table + from / TL_ROW_TABLE_STEP;
  int32_t rise = (node[1] - node[0]) * (from % TL_ROW_TABLE_STEP);
  return (int16_t)(node[0] + ((rise + TL_ROW_TABLE_STEP / 2) >> ROW_TABLE_STEP_LOG2));
}

/* Makes y, or T(y), of all rows. */
static int row_amplifiers(const model_bank *bank, model_state *state) {
  const board_program *program = &bank->program;
  int shift = TL_COUPLING_UNIT_LOG2 + program->row_attenuation;
  int overload = 0;
  for (uint32_t row = 0; row < program->rows; row++) {
    const int16_t *k = bank->couplings + (size_t)row * program->cells;
    int64_t u = model_inner_product(k, w, program->cells) + state->q[row];
    int64_t out = u >> shift;
    if (out > TL_ROW_RAIL || out < -TL_ROW_RAIL) {
      out = out > 0 ? TL_ROW_RAIL : -TL_ROW_RAIL;
      state->q[row] = 0;
      if (row < program->linear_rows) {
        state->row_flags[row] = 1;
        overload = 1;
      }
    } else {
      state->q[row] = (int32_t)(u & (((int64_t)1 << shift) - 1));
    }
    y[row] = row < program->linear_rows ? (int16_t)out : row_element(bank->row_table, (int32_t)out);
  }
  return overload;
}

/* s_i += k_ri·y_r of two rows. */
static void add_rows(const int16_t *k0, const int16_t *k1, int32_t y0, int32_t y1, uint32_t cells) {
  for (uint32_t i = 0; i < cells; i++) s[i] += k0[i] * y0 + k1[i] * y1;
}

static void column_sums(const model_bank *bank) {
  const board_program *program = &bank->program;
  uint32_t cells = program->cells;
  const int16_t *k = bank->couplings;
  uint32_t row = 0;
  memset(s, 0, cells * sizeof s[0]);
  for (; row + 2 <= program->rows; row += 2, k += 2 * (size_t)cells) add_rows(k, k + cells, y[row], y[row + 1], cells);
  if (row < program->rows) add_rows(k, k, y[row], 0, cells);
  for (uint32_t i = 0; i < cells; i++)
    s[i] = (s[i] - bank->row_drive_sums[i]) * ((int64_t)1 << program->row_attenuation);
}

static void integrate(const model_bank *bank, model_state *state, int shift) {
  int64_t damping = bank->program.damping;
  int64_t mask = ((int64_t)1 << shift) - 1;
  for (uint32_t i = 0; i < bank->program.cells; i++) {
    int64_t t = (int64_t)bank->drive[i] * (1 << DRIVE_SCALE_LOG2) - s[i] - damping * w[i] + state->r[i];
    state->r[i] = (int32_t)(t & mask);
    next[i] = state->v[i] + (t >> shift);
  }
}

static void add_noise(const board_program *program, uint32_t die_seed, uint32_t run_seed, uint64_t tick) {
  int shift = program->noise_shift;
  int32_t half = (int32_t)1 << (shift - 1);
  int32_t a = (int32_t)program->noise_amplitude;
  const int32_t *start, *end;
  if (!held.valid || held.cells != program->cells || held.die_seed != die_seed || held.run_seed != run_seed ||
      held.tick != tick)
    gaussian_cells(die_seed, run_seed, tick, program->cells, z[held.end]);
  start = z[held.end];
  held.end = !held.end;
  end = z[held.end];
  gaussian_cells(die_seed, run_seed, tick + 1, program->cells, z[held.end]);
  held.valid = 1;
  held.cells = program->cells;
  held.die_seed = die_seed;
  held.run_seed = run_seed;
  held.tick = tick + 1;
  for (uint32_t i = 0; i < program->cells; i++) {
    int32_t zeta = start[i] + end[i];
    next[i] += (a * zeta + half - (zeta < 0)) >> shift;
  }
}

static int clamp_to_rails(model_state *state, uint32_t cells, int32_t rail) {
  int overload = 0;
  for (uint32_t i = 0; i < cells; i++) {
    int64_t x = next[i];
    if (x > rail || x < -rail) {
      state->cell_flags[i] = 1;
      overload = 1;
      x = x > 0 ? rail : -rail;
    }
    state->v[i] = (int32_t)x;
  }
  return overload;
}

int model_tick(const board_profile *profile, const model_bank *bank, model_state *state, uint32_t die_seed,
               uint32_t run_seed, uint64_t tick) {
  const board_program *program = &bank->program;
  uint32_t cells = program->cells;
  int overload = 0;
  array_input(state, cells);
  if (program->mode == TL_MODE_DENSE) {
    for (uint32_t i = 0; i < cells; i++)
      s[i] = model_inner_product(bank->couplings + (size_t)i * cells, w, cells);
  } else {
    overload = row_amplifiers(bank, state);
    column_sums(bank);
  }
  integrate(bank, state, DRIVE_SCALE_LOG2 + profile->tick_log2);
  if (program->noise_amplitude != 0) add_noise(program, die_seed, run_seed, tick);
  return clamp_to_rails(state, cells, (int32_t)profile->rail) || overload;
}
