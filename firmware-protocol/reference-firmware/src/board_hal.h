/*
 * All that the firmware asks of the board it runs on. `model_*.c` implements it by the integer model of docs/reference/device-model.md;
 * a board with real cells implements the same calls with its converters, its clock and its timer.
 *
 * One board, so no handle. Numbers are in the units of docs/reference/device-model.md, Formats. The firmware has checked every range
 * before it calls. No call waits: `board_advance` returns within its ticks, and what takes longer is cut by the caller.
 */
#ifndef BOARD_HAL_H
#define BOARD_HAL_H

#include <stddef.h>
#include <stdint.h>

/* What HELLO tells of the board; see its fields in docs/reference/protocol.md. */
typedef struct {
  const char *name;
  uint32_t cells;
  uint32_t rows;
  int has_dense;
  int has_factored;
  uint8_t coupling_bits;
  uint8_t drive_bits;
  uint8_t adc_bits;
  uint8_t tick_log2;
  uint8_t drive_range;
  uint32_t rail;
  uint32_t tau_ns;
  uint32_t full_scale_microvolts;
  uint32_t noise_temperature_min;
} board_profile;

/* Shape and registers of a program. */
typedef struct {
  uint8_t mode;
  uint8_t coupling_bits;
  uint8_t row_attenuation;
  uint8_t noise_shift;
  uint32_t cells;
  uint32_t rows;
  uint32_t damping;
  uint32_t noise_amplitude;
} board_program;

/* What became of a program's codes on this board. */
typedef struct {
  uint64_t clamped_couplings;
  uint32_t clamped_noise_codes;
  uint32_t noise_code_min;
  uint32_t noise_code_max;
} board_commit_report;

/* After power-on and reset: cells discharged, flags clear, outputs off. */
void board_power_on(void);
const board_profile *board_get_profile(void);
/* Which fabricated board this is. */
uint32_t board_die_seed(void);
/* Since some moment; never runs backwards. */
uint64_t board_time_us(void);

/* Programs. A bank is written while the other one runs; couplings left-aligned to 16 bits. */
void board_write_couplings(int bank, uint32_t first_entry, const int16_t *codes, uint32_t count);
void board_write_drive(int bank, uint32_t first_cell, const int16_t *codes, uint32_t count);
/* After the writes of a commit: the registers, and what the board made of it all. */
void board_commit(int bank, const board_program *program, board_commit_report *report);

/* Sets the first `count` cells (2⁻¹⁴ V_fs, to the rail at most), discharges the others, empties all carries. */
void board_load_state(const int16_t *codes, uint32_t count);
/* Selects a bank's program, clears all flags, switches outputs on. The next tick is `first_tick`. */
void board_start(int bank, uint32_t run_seed, uint64_t first_tick);
/* Outputs off; cells keep what they hold. */
void board_stop(void);
/* At most `ticks` ticks; how many passed. With `halt_on_overload` it stops after the tick that sets a flag. */
uint64_t board_advance(uint64_t ticks, int halt_on_overload);
/* Codes of the program's cells; whether any was cut to the converter's range. */
int board_read_adc(int16_t *codes);

/* One byte a cell, and one a row: 1 when it passed its limit since the last start. */
const uint8_t *board_cell_flags(void);
const uint8_t *board_row_flags(void);
int board_overloaded(void);
/* CRC-32 over the state of all cells and rows, and the tick; 0 where a board cannot know it. */
uint32_t board_state_digest(uint64_t tick);

#endif
