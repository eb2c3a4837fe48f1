/* The model behind board_hal.h: the cells, row amplifiers and arrays of device-model.md in integers. */
#ifndef MODEL_H
#define MODEL_H

#include "board_hal.h"
#include "config.h"

/* A program as the array computes with it. */
typedef struct {
  board_program program;
  /*
   * g (dense) or k (factored) in 2⁻¹⁵ G_fs, row by row. The transposed array of an ideal board has the same
   * numbers.
   */
  int16_t couplings[CONFIG_COUPLINGS];
  uint64_t clamped_couplings;
  int32_t drive[CONFIG_CELLS];
  /* The table of the row element, with the last node twice, and the row drives d. */
  int16_t row_table[TL_ROW_TABLE_NODES + 1];
  int16_t row_drive[CONFIG_ROWS];
  /* Σ_r k_ri·d_r: the part of Σ_r k_ri·(F_r − d_r) that does not change. */
  int64_t row_drive_sums[CONFIG_CELLS];
} model_bank;

/* The whole state on which later ticks depend. */
typedef struct {
  int32_t v[CONFIG_CELLS];
  int32_t c[CONFIG_CELLS];
  int32_t r[CONFIG_CELLS];
  int32_t q[CONFIG_ROWS];
  uint8_t cell_flags[CONFIG_CELLS];
  uint8_t row_flags[CONFIG_ROWS];
} model_state;

/* Selects the board. Call it first. Returns 0 if the profile does not fit config.h. */
int model_init(const board_profile *profile, uint32_t die_seed);
/* Gives the board a serial number in place of "die N". The text is not copied. */
void model_name(const char *serial_number);
/* The ideal board of this name, or NULL. */
const board_profile *model_profile(const char *name);
const model_state *model_get_state(void);

/* Lets one tick of a bank's program pass. Returns whether anything passed its limit in it. */
int model_tick(const board_profile *profile, const model_bank *bank, model_state *state, uint32_t die_seed,
               uint32_t run_seed, uint64_t tick);
/* Σ_j row[j]·x[j] without rounding. */
int64_t model_inner_product(const int16_t *row, const int16_t *x, uint32_t count);

#endif
