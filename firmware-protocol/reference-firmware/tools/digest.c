/*
 * Runs problems on the model board and prints the results, to compare implementations. Each line of standard
 * input is an order:
 *
 *   profile NAME | board CELLS ROWS TICK_LOG2 RAIL DRIVE_RANGE DRIVE_BITS   a board, as after power-on
 *   die SEED
 *   program BANK MODE CELLS ROWS BITS ATTENUATION [LINEAR_ROWS]   mode 0 dense, 1 factored
 *   couplings BANK CODE…                               row-major
 *   couplings BANK random SEED LARGEST DIAGONAL        drawn
 *   drive BANK CODE… , initial BANK CODE…              or: … BANK random SEED LARGEST
 *   row-table BANK CODE… , row-drive BANK CODE…        likewise, of a program with a row element
 *   registers BANK DAMPING AMPLITUDE SHIFT
 *   commit BANK                                        → commit CLAMPED
 *   start BANK RUN_SEED FIRST_TICK load|keep
 *   ticks COUNT [halt]                                 → ticks DONE OVERLOADED
 *   digest                                             → digest STATE_DIGEST
 *   state                                              → state v, c, r of all cells, q of all rows,
 *                                                      cell flags, row flags
 *   adc                                                → adc CODE… of the program's cells
 *   mark WORD                                          → mark WORD
 *
 * Random: entry i, or (row, column), is x mod (2·LARGEST + 1) − LARGEST, x the first word of Philox4x32-10
 * with key (SEED, 0) and counter (i, 0, 0, 0) or (row, column, 0, 0). Dense couplings use (larger, smaller
 * index). On the diagonal they are DIAGONAL.
 */
#include <string.h>

#include "../src/bytes.h"
#include "../src/crc.h"
#include "../src/model.h"
#include "../src/philox.h"
#include "../src/program.h"
#include "line.h"

static board_profile board;
static uint32_t die;
static uint64_t tick;
static int started_bank;
static uint8_t codes[2 * CONFIG_COUPLINGS];
static int16_t reading[CONFIG_CELLS];

uint64_t board_time_us(void) { return 0; }

static void power_on(void) {
  program_init();
  tick = 0;
  if (!model_init(&board, die)) line_fail("this board does not fit this build");
}

static void take_board(void) {
  board = *model_profile("ideal-8");
  board.name = "test";
  board.cells = (uint32_t)line_number();
  board.rows = (uint32_t)line_number();
  board.tick_log2 = (uint8_t)line_number();
  board.rail = (uint32_t)line_number();
  board.drive_range = (uint8_t)line_number();
  board.drive_bits = (uint8_t)line_number();
  power_on();
}

static void take_profile(void) {
  const board_profile *named = model_profile(line_need());
  if (!named) line_fail("no such profile");
  board = *named;
  power_on();
}

static void check(refusal r) {
  if (r.refused) line_fail(r.detail);
}

static void take_program(void) {
  message_value shape[TL_FIELDS_MAX];
  const char *linear_rows;
  for (int i = 0; i <= TL_REQUEST_DEFINE_PROGRAM_ROW_ATTENUATION; i++) shape[i] = value_integer(line_number());
  linear_rows = line_word();
  shape[TL_REQUEST_DEFINE_PROGRAM_LINEAR_ROWS] = value_integer(linear_rows ? line_parse(linear_rows) : TL_NO_ROW_ELEMENT);
  check(program_define(shape));
}

static int32_t random_code(uint32_t seed, uint32_t first, uint32_t second, uint32_t largest) {
  uint32_t counter[4] = {0, 0, 0, 0};
  counter[0] = first;
  counter[1] = second;
  philox4x32(counter, seed, 0);
  return (int32_t)(counter[0] % (2 * largest + 1)) - (int32_t)largest;
}

static int32_t random_coupling(const board_program *program, uint32_t seed, uint32_t largest, int32_t diagonal, uint32_t i,
                               uint32_t j) {
  if (program->mode == TL_MODE_FACTORED) return random_code(seed, i, j, largest);
  if (i == j) return diagonal;
  return random_code(seed, i > j ? i : j, i > j ? j : i, largest);
}

static void put_code(uint32_t entry, int32_t code, uint32_t width) {
  if (width == 1) codes[entry] = (uint8_t)code;
  else put_le16(codes + (size_t)2 * entry, (uint16_t)code);
}

static void take_section(int section) {
  int bank = (int)line_number();
  const board_program *program = &program_get(bank)->program;
  int is_array = section == TL_SECTION_COUPLINGS;
  uint32_t count = is_array                          ? program->rows * program->cells
                   : section == TL_SECTION_ROW_TABLE ? TL_ROW_TABLE_NODES
                   : section == TL_SECTION_ROW_DRIVE ? program->rows
                                                     : program->cells;
  uint32_t width = is_array && program->coupling_bits <= 8 ? 1 : 2;
  const char *word = line_need();
  if (strcmp(word, "random") == 0) {
    uint32_t seed = (uint32_t)line_number(), largest = (uint32_t)line_number();
    int32_t diagonal = is_array ? (int32_t)line_number() : 0;
    for (uint32_t i = 0; i < count; i++) {
      uint32_t row = i / program->cells, column = i % program->cells;
      int32_t code = is_array ? random_coupling(program, seed, largest, diagonal, row, column)
                              : random_code(seed, i, 0, largest);
      put_code(i, code, width);
    }
  } else {
    uint32_t i = 0;
    for (; word; word = line_word()) {
      if (i >= count) line_fail("too many codes");
      put_code(i++, (int32_t)line_parse(word), width);
    }
    if (i != count) line_fail("too few codes");
  }
  check(program_write(bank, section, 0, codes, count * width));
}

static void take_registers(void) {
  int bank = (int)line_number();
  uint32_t damping = (uint32_t)line_number(), amplitude = (uint32_t)line_number();
  check(program_set_registers(bank, damping, amplitude, (uint8_t)line_number()));
}

static void take_commit(void) {
  int bank = (int)line_number();
  uint32_t first, second;
  program_digest(bank, &first, &second);
  check(program_commit(bank, first, second));
  printf("commit %llu\n", (unsigned long long)program_get(bank)->report.clamped_couplings);
}

static void take_start(void) {
  int bank = (int)line_number();
  uint32_t run_seed = (uint32_t)line_number();
  tick = (uint64_t)line_number();
  if (!program_get(bank)->committed) line_fail("this bank is not committed");
  if (strcmp(line_need(), "load") == 0) program_load_state(bank);
  board_start(bank, run_seed, tick);
  started_bank = bank;
}

static void take_ticks(void) {
  uint64_t count = (uint64_t)line_number();
  uint64_t done = board_advance(count, line_word() != NULL);
  tick += done;
  printf("ticks %llu %d\n", (unsigned long long)done, board_overloaded());
}

static void print_words(const int32_t *words, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) printf(" %ld", (long)words[i]);
}

static void print_flags(const uint8_t *flags, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) printf(" %d", flags[i]);
}

static void print_state(void) {
  const model_state *state = model_get_state();
  printf("state");
  print_words(state->v, board.cells);
  print_words(state->c, board.cells);
  print_words(state->r, board.cells);
  print_words(state->q, board.rows);
  print_flags(state->cell_flags, board.cells);
  print_flags(state->row_flags, board.rows);
  printf("\n");
}

static void print_adc(void) {
  board_read_adc(reading);
  printf("adc");
  for (uint32_t i = 0; i < program_get(started_bank)->program.cells; i++) printf(" %d", reading[i]);
  printf("\n");
}

int main(void) {
  crc_init();
  while (line_next()) {
    const char *word = line_need();
    if (strcmp(word, "die") == 0) die = (uint32_t)line_number();
    else if (strcmp(word, "profile") == 0) take_profile();
    else if (strcmp(word, "board") == 0) take_board();
    else if (strcmp(word, "program") == 0) take_program();
    else if (strcmp(word, "couplings") == 0) take_section(TL_SECTION_COUPLINGS);
    else if (strcmp(word, "drive") == 0) take_section(TL_SECTION_DRIVE);
    else if (strcmp(word, "initial") == 0) take_section(TL_SECTION_INITIAL_STATE);
    else if (strcmp(word, "row-table") == 0) take_section(TL_SECTION_ROW_TABLE);
    else if (strcmp(word, "row-drive") == 0) take_section(TL_SECTION_ROW_DRIVE);
    else if (strcmp(word, "registers") == 0) take_registers();
    else if (strcmp(word, "commit") == 0) take_commit();
    else if (strcmp(word, "start") == 0) take_start();
    else if (strcmp(word, "ticks") == 0) take_ticks();
    else if (strcmp(word, "digest") == 0) printf("digest %lu\n", (unsigned long)board_state_digest(tick));
    else if (strcmp(word, "state") == 0) print_state();
    else if (strcmp(word, "adc") == 0) print_adc();
    else if (strcmp(word, "mark") == 0) printf("mark %s\n", line_need());
    else line_fail("no such order");
  }
  return 0;
}
