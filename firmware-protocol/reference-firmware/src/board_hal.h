/*
 * All calls of the firmware to its board. `model_*.c` implements them with the integer model of
 * device-model.md. A board with real cells implements them with its converters, its clock and its timer.
 *
 * There is one board, so there is no handle. Numbers are in the units of device-model.md, "Formats". The
 * firmware has checked every range before it calls. Only board_power_on, board_load_state and
 * board_keep_calibration may wait. `board_advance` returns after its ticks, and the caller asks for few ticks
 * at a time.
 */
#ifndef BOARD_HAL_H
#define BOARD_HAL_H

#include <stddef.h>
#include <stdint.h>

/* The facts about the board that the answer to HELLO tells (protocol.md, "Opening a session"). */
typedef struct {
  const char *name;
  uint32_t cells;
  uint32_t rows;
  int has_dense;
  int has_factored;
  /* Whether rows can have an element and drives. */
  int has_row_element;
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
  /* Rows from this one on have the row element (device-model.md, "Row element"); `rows`: none has. */
  uint32_t linear_rows;
  uint32_t damping;
  uint32_t noise_amplitude;
} board_program;

/* The result of a commit on this board. */
typedef struct {
  uint64_t clamped_couplings;
  uint32_t clamped_noise_codes;
  uint32_t noise_code_min;
  uint32_t noise_code_max;
} board_commit_report;

/*
 * Puts the board into its state after power-on: cells at 0 V_fs, flags clear, outputs off. 0 V_fs need not be
 * 0 V: on a single supply it is half the supply, and the board brings the cells there. At boot and at `reset`
 * this may take a second; the host waits for it.
 */
void board_power_on(void);
/* Whether the board works. Called after board_power_on; a board that does not work starts no run. */
int board_self_test(void);
/* The profile is constant after the first board_power_on, which may measure some of its values. */
const board_profile *board_get_profile(void);
/* The serial number of this board, for people and for files: at most 24 characters of ASCII. */
const char *board_serial_number(void);
/* The time since some moment. It never runs backwards. */
uint64_t board_time_us(void);

/*
 * These calls write a program. The other bank may run at the same time. Couplings are left-aligned to 16
 * bits.
 */
void board_write_couplings(int bank, uint32_t first_entry, const int16_t *codes, uint32_t count);
void board_write_drive(int bank, uint32_t first_cell, const int16_t *codes, uint32_t count);
/*
 * The nodes of the row element's table, and the row drives, which are subtracted from the outputs of rows, in
 * 2⁻¹⁴ V_fs. A program without a row element has row drives of 0. Only a build with CONFIG_ROW_ELEMENT calls
 * these.
 */
void board_write_row_table(int bank, uint32_t first_node, const int16_t *codes, uint32_t count);
void board_write_row_drive(int bank, uint32_t first_row, const int16_t *codes, uint32_t count);
/*
 * The last call of a commit, after the writes: hands over the shape and the registers of the program, and
 * fills in `report`.
 */
void board_commit(int bank, const board_program *program, board_commit_report *report);

/*
 * Sets the first `count` cells to `codes` (in 2⁻¹⁴ V_fs, at most the rail) and the other cells to 0 V_fs, and
 * clears all carries. If capacitors must be charged, this may take about 10 ms.
 */
void board_load_state(const int16_t *codes, uint32_t count);
/* Selects the program of a bank, clears all flags and switches outputs on. The next tick is `first_tick`. */
void board_start(int bank, uint32_t run_seed, uint64_t first_tick);
/*
 * Switches drives and noise off. The cells keep their voltages, because switches open or because the outputs
 * follow the voltages (active hold).
 */
void board_stop(void);
/*
 * Lets at most `ticks` ticks pass and returns the number of ticks that passed. With `halt_on_overload` it
 * returns after the tick that sets a flag.
 */
uint64_t board_advance(uint64_t ticks, int halt_on_overload);
/*
 * Reads the codes of the program's cells. Returns whether any code was clamped to the range of the converter.
 */
int board_read_adc(int16_t *codes);

/*
 * One byte for each cell, and for each row: 1 if it passed its limit since the last start. The flag of a cell
 * is also set if the output that drives the cell was clamped, because the host cannot learn of this clamp in
 * another way.
 */
const uint8_t *board_cell_flags(void);
const uint8_t *board_row_flags(void);
int board_overloaded(void);
/*
 * CRC-32 over the state of all cells and rows and the tick (device-model.md, "State and digest"). 0 if a
 * board can't know its state.
 */
uint32_t board_state_digest(uint64_t tick);

/*
 * Optional abilities of a board. board_defaults.c implements these calls for a board without the abilities. A
 * board with them defines the calls itself.
 */

/*
 * Whether covariances of samples are those of device-model.md, even without a calibration. The default is no.
 */
int board_knows_covariance(void);
/* Whether board_identify does anything. The default is no. */
int board_can_identify(void);
/*
 * Makes the board show which board it is for `duration_ms` from now on, for example by a blinking light. A
 * `duration_ms` of 0 ends this.
 */
void board_identify(uint32_t duration_ms);
/* Readings of sensors. 0: the board has no such sensor, or the sensor is broken (protocol.md, SENSOR-1). */
typedef struct {
  uint32_t die_temperature_millikelvin;
  uint32_t supply_millivolts;
} board_sensors;
board_sensors board_read_sensors(void);
/*
 * Returns the kept calibration record, and sets `length` to its length: at most CONFIG_CALIBRATION_BYTES, and
 * 0 without a record. The default keeps the record in RAM, so the record is lost with the power.
 */
const uint8_t *board_calibration(uint32_t *length);
/*
 * Keeps another record in place of the kept one. A length of 0 erases the kept one. Returns 0 if that failed.
 * The firmware calls it only while no run is in progress, and it may take seconds. A Pico's flash needs up to
 * 3.6 s for the longest record (400 ms for each of 8 sectors, 3 ms for each of 128 pages). After a loss of
 * power in this call the board has the old record, the new record, or none.
 */
int board_keep_calibration(const uint8_t *record, uint32_t length);

#endif
