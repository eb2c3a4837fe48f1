/* The cells, row amplifiers and arrays of docs/reference/device-model.md in integers: the model behind board_hal.h. */
#ifndef MODEL_H
#define MODEL_H

#include "board_hal.h"
#include "config.h"

/* A bank as the array computes with it. */
typedef struct {
  board_program program;
  /* g (dense) or k (factored), 2⁻¹⁵ G_fs, row-major; an ideal board's transposed array holds the same. */
  int16_t couplings[CONFIG_COUPLINGS];
  uint64_t clamped_couplings;
  int32_t drive[CONFIG_CELLS];
} model_bank;

/* Everything a later tick depends on. */
typedef struct {
  int32_t v[CONFIG_CELLS];
  int32_t c[CONFIG_CELLS];
  int32_t r[CONFIG_CELLS];
  int32_t q[CONFIG_ROWS];
  uint8_t cell_flags[CONFIG_CELLS];
  uint8_t row_flags[CONFIG_ROWS];
} model_state;

/* Which board this is; before anything else. The profile must fit config.h. False when it does not. */
int model_init(const board_profile *profile, uint32_t die_seed);
/* The ideal board of that name, or NULL. */
const board_profile *model_profile(const char *name);
const model_state *model_get_state(void);

/* One tick of a bank's program; whether anything passed its limit in it. */
int model_tick(const board_profile *profile, const model_bank *bank, model_state *state, uint32_t die_seed,
               uint32_t run_seed, uint64_t tick);
/* Σ_j row[j]·x[j], exact. */
int64_t model_inner_product(const int16_t *row, const int16_t *x, uint32_t count);

#endif
