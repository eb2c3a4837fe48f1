/* The banks of programs: codes as they were written, and the digest of a commit (protocol.md, "Programs"). */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "board_hal.h"
#include "codec.h"
#include "refusal.h"

typedef struct {
  int defined;
  int committed;
  /* Whether the board already has these couplings. */
  int couplings_on_board;
  board_program program;
  board_commit_report report;
  /* The codes as they travel. */
  uint8_t couplings[2 * CONFIG_COUPLINGS];
  uint8_t drive[2 * CONFIG_CELLS];
  uint8_t initial_state[2 * CONFIG_CELLS];
  /* Whether the program was defined with a row element, and the codes of the element. */
  int has_row_element;
#if CONFIG_ROW_ELEMENT
  uint8_t row_table[2 * TL_ROW_TABLE_NODES];
  uint8_t row_drive[2 * CONFIG_ROWS];
#endif
} program_bank;

/* Empties all banks, as after power-on. */
void program_init(void);
/* Defines a program by the values of `defineProgram`. */
refusal program_define(const message_value *values);
refusal program_write(int bank, int section, uint32_t first_entry, const uint8_t *codes, uint32_t bytes);
/* Finds codes that were written, and their number of bytes. */
refusal program_read(int bank, int section, uint32_t first_entry, uint32_t count, const uint8_t **codes, uint32_t *bytes);
refusal program_set_registers(int bank, uint32_t damping, uint32_t amplitude, uint8_t shift);
/* The CRC-32 and CRC-32C that a commit compares. The bank must be defined. */
void program_digest(int bank, uint32_t *crc32_out, uint32_t *crc32c_out);
refusal program_commit(int bank, uint32_t expected_crc32, uint32_t expected_crc32c);
const program_bank *program_get(int bank);
/* Bit b is set when bank b is committed. */
uint8_t program_committed_banks(void);
/* Puts the bank's initial state on the board. */
void program_load_state(int bank);

#endif
