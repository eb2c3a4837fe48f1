#include "program.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

/* Largest number of codes that the board gets in one call. */
#define CHUNK 256

static program_bank banks[TL_BANKS];

void program_init(void) {
  for (int bank = 0; bank < TL_BANKS; bank++) banks[bank].defined = banks[bank].committed = 0;
}

const program_bank *program_get(int bank) { return &banks[bank]; }

uint8_t program_committed_banks(void) {
  uint8_t bits = 0;
  for (int bank = 0; bank < TL_BANKS; bank++) bits |= (uint8_t)(banks[bank].committed << bank);
  return bits;
}

static uint32_t coupling_bytes(const program_bank *b) { return b->program.coupling_bits <= 8 ? 1 : 2; }

static int board_has_row_element(void) { return CONFIG_ROW_ELEMENT && board_get_profile()->has_row_element; }

static refusal no_row_element(void) { return refused(TL_REASON_UNSUPPORTED, "this board has no row element"); }

static void clear_rows(program_bank *b, int has_row_element, uint32_t linear_rows) {
  b->has_row_element = has_row_element;
  b->program.linear_rows = has_row_element ? linear_rows : b->program.rows;
#if CONFIG_ROW_ELEMENT
  memset(b->row_table, 0, sizeof b->row_table);
  memset(b->row_drive, 0, sizeof b->row_drive);
#endif
}

refusal program_define(const message_value *values) {
  const board_profile *profile = board_get_profile();
  int dense = values[TL_REQUEST_DEFINE_PROGRAM_MODE].integer == TL_MODE_DENSE;
  uint32_t cells = (uint32_t)values[TL_REQUEST_DEFINE_PROGRAM_CELLS].integer;
  uint32_t rows = (uint32_t)values[TL_REQUEST_DEFINE_PROGRAM_ROWS].integer;
  uint8_t bits = (uint8_t)values[TL_REQUEST_DEFINE_PROGRAM_COUPLING_BITS].integer;
  uint8_t attenuation = (uint8_t)values[TL_REQUEST_DEFINE_PROGRAM_ROW_ATTENUATION].integer;
  uint32_t linear_rows = (uint32_t)values[TL_REQUEST_DEFINE_PROGRAM_LINEAR_ROWS].integer;
  int has_row_element = linear_rows <= rows;
  program_bank *b = &banks[values[TL_REQUEST_DEFINE_PROGRAM_BANK].integer];
  board_program *program = &b->program;
  if (!(dense ? profile->has_dense : profile->has_factored))
    return refused(TL_REASON_UNSUPPORTED, "this board has no array of that mode");
  if (has_row_element && !board_has_row_element()) return no_row_element();
  if (has_row_element && dense) return refused(TL_REASON_OUT_OF_RANGE, "a dense program has no rows with an element");
  if (cells > profile->cells) return refused(TL_REASON_OUT_OF_RANGE, "more cells than the board has");
  if (dense && (rows != cells || attenuation != 0))
    return refused(TL_REASON_OUT_OF_RANGE, "a dense program has rows = cells and no row attenuation");
  if (!dense && (rows > profile->rows || rows > TL_ROWS_MAX))
    return refused(TL_REASON_OUT_OF_RANGE, "more rows than the board has");
  if (bits > profile->coupling_bits) return refused(TL_REASON_OUT_OF_RANGE, "wider couplings than the board has");
  b->defined = 1;
  b->committed = 0;
  b->couplings_on_board = 0;
  program->mode = dense ? TL_MODE_DENSE : TL_MODE_FACTORED;
  program->coupling_bits = bits;
  program->row_attenuation = attenuation;
  program->cells = cells;
  program->rows = rows;
  program->damping = 0;
  program->noise_amplitude = 0;
  program->noise_shift = TL_NOISE_SHIFT_MIN;
  memset(b->couplings, 0, (size_t)rows * cells * coupling_bytes(b));
  memset(b->drive, 0, (size_t)2 * cells);
  memset(b->initial_state, 0, (size_t)2 * cells);
  clear_rows(b, has_row_element, linear_rows);
  return accepted();
}

/* Finds the codes of a section, their number, and the bytes of each. */
static uint8_t *section_of(program_bank *b, int section, uint32_t *count, uint32_t *width) {
  *count = b->program.cells;
  *width = 2;
  if (section == TL_SECTION_DRIVE) return b->drive;
  if (section == TL_SECTION_INITIAL_STATE) return b->initial_state;
#if CONFIG_ROW_ELEMENT
  if (section == TL_SECTION_ROW_DRIVE) {
    *count = b->program.rows;
    return b->row_drive;
  }
  if (section == TL_SECTION_ROW_TABLE) {
    *count = TL_ROW_TABLE_NODES;
    return b->row_table;
  }
#endif
  *count = b->program.cells * b->program.rows;
  *width = coupling_bytes(b);
  return b->couplings;
}

static refusal undefined(void) { return refused(TL_REASON_WRONG_STATE, "this bank has no program defined"); }

/* Whether the bank has this section. */
static refusal check_section(const program_bank *b, int section) {
  if (!b->defined) return undefined();
  if (section != TL_SECTION_ROW_TABLE && section != TL_SECTION_ROW_DRIVE) return accepted();
  if (!board_has_row_element()) return no_row_element();
  if (!b->has_row_element) return refused(TL_REASON_WRONG_STATE, "the program was defined without a row element");
  return accepted();
}

refusal program_write(int bank, int section, uint32_t first_entry, const uint8_t *codes, uint32_t bytes) {
  program_bank *b = &banks[bank];
  uint32_t count, width;
  uint8_t *target = section_of(b, section, &count, &width);
  refusal r = check_section(b, section);
  if (r.refused) return r;
  if (bytes % width != 0) return refused(TL_REASON_OUT_OF_RANGE, "codes of this bank have two bytes each");
  if (first_entry > count || bytes / width > count - first_entry)
    return refused(TL_REASON_OUT_OF_RANGE, "more codes than the bank has from there on");
  if (bytes > 0) memcpy(target + (size_t)first_entry * width, codes, bytes);
  b->committed = 0;
  if (section == TL_SECTION_COUPLINGS) b->couplings_on_board = 0;
  return accepted();
}

refusal program_read(int bank, int section, uint32_t first_entry, uint32_t count, const uint8_t **codes, uint32_t *bytes) {
  program_bank *b = &banks[bank];
  uint32_t available, width;
  const uint8_t *source = section_of(b, section, &available, &width);
  refusal r = check_section(b, section);
  if (r.refused) return r;
  if (first_entry > available || count > available - first_entry)
    return refused(TL_REASON_OUT_OF_RANGE, "more codes than the bank has from there on");
  *codes = source + (size_t)first_entry * width;
  *bytes = count * width;
  return accepted();
}

refusal program_set_registers(int bank, uint32_t damping, uint32_t amplitude, uint8_t shift) {
  program_bank *b = &banks[bank];
  if (!b->defined) return undefined();
  b->program.damping = damping;
  b->program.noise_amplitude = amplitude;
  b->program.noise_shift = shift;
  b->committed = 0;
  return accepted();
}

typedef uint32_t (*crc_function)(uint32_t state, const uint8_t *bytes, size_t length);

static uint32_t digest_by(crc_function crc, const program_bank *b) {
  const board_program *program = &b->program;
  uint8_t registers[12];
  uint32_t value = crc(0, b->couplings, (size_t)program->cells * program->rows * coupling_bytes(b));
  put_le32(registers, program->damping);
  put_le32(registers + 4, program->noise_amplitude);
  put_le32(registers + 8, program->noise_shift);
  value = crc(value, b->drive, (size_t)2 * program->cells);
  value = crc(value, b->initial_state, (size_t)2 * program->cells);
#if CONFIG_ROW_ELEMENT
  if (b->has_row_element) {
    value = crc(value, b->row_table, sizeof b->row_table);
    value = crc(value, b->row_drive, (size_t)2 * program->rows);
  }
#endif
  return crc(value, registers, sizeof registers);
}

void program_digest(int bank, uint32_t *crc32_out, uint32_t *crc32c_out) {
  *crc32_out = digest_by(crc32, &banks[bank]);
  *crc32c_out = digest_by(crc32c, &banks[bank]);
}

static int16_t coupling_at(const program_bank *b, uint32_t entry) {
  return coupling_bytes(b) == 1 ? (int8_t)b->couplings[entry] : (int16_t)get_le16(b->couplings + (size_t)2 * entry);
}

/* Whether all couplings fit their bits. Codes that use all bits of their bytes always fit. */
static int couplings_fit(const program_bank *b) {
  int bits = b->program.coupling_bits;
  int16_t limit = (int16_t)(1 << (bits - 1 < 15 ? bits - 1 : 0));
  if (bits == 8 || bits == TL_COUPLING_BITS_MAX) return 1;
  for (uint32_t i = 0; i < b->program.cells * b->program.rows; i++) {
    int16_t code = coupling_at(b, i);
    if (code < -limit || code >= limit) return 0;
  }
  return 1;
}

static refusal check(const program_bank *b) {
  const board_program *program = &b->program;
  uint32_t amplitude = program->noise_amplitude;
  if (program->mode == TL_MODE_FACTORED && program->rows << program->row_attenuation > TL_ROW_SCALE_MAX)
    return refused(TL_REASON_OUT_OF_RANGE, "rows times their attenuation");
  if (amplitude != 0 && (amplitude < TL_NOISE_AMPLITUDE_MIN || amplitude > TL_NOISE_AMPLITUDE_MAX))
    return refused(TL_REASON_OUT_OF_RANGE, "the noise amplitude");
  if (!b->couplings_on_board && !couplings_fit(b)) return refused(TL_REASON_OUT_OF_RANGE, "a coupling wider than its bits");
  return accepted();
}

static void write_couplings(int bank) {
  const program_bank *b = &banks[bank];
  int scale = 1 << (TL_COUPLING_BITS_MAX - b->program.coupling_bits);
  uint32_t count = b->program.cells * b->program.rows;
  int16_t codes[CHUNK];
  for (uint32_t first = 0; first < count; first += CHUNK) {
    uint32_t some = count - first < CHUNK ? count - first : CHUNK;
    for (uint32_t i = 0; i < some; i++) codes[i] = (int16_t)(coupling_at(b, first + i) * scale);
    board_write_couplings(bank, first, codes, some);
  }
}

typedef void (*write_call)(int bank, uint32_t first, const int16_t *codes, uint32_t count);

/* Gives codes of two bytes to the board, some at a time. */
static void write_words(int bank, const uint8_t *from, uint32_t count, write_call write) {
  int16_t codes[CHUNK];
  for (uint32_t first = 0; first < count; first += CHUNK) {
    uint32_t some = count - first < CHUNK ? count - first : CHUNK;
    for (uint32_t i = 0; i < some; i++) codes[i] = (int16_t)get_le16(from + (size_t)2 * (first + i));
    write(bank, first, codes, some);
  }
}

refusal program_commit(int bank, uint32_t expected_crc32, uint32_t expected_crc32c) {
  program_bank *b = &banks[bank];
  uint32_t own_crc32, own_crc32c;
  refusal r;
  if (!b->defined) return undefined();
  program_digest(bank, &own_crc32, &own_crc32c);
  if (own_crc32 != expected_crc32 || own_crc32c != expected_crc32c)
    return refused(TL_REASON_DIGEST_MISMATCH, "the program here is another one");
  r = check(b);
  if (r.refused || b->committed) return r;
  if (!b->couplings_on_board) write_couplings(bank);
  b->couplings_on_board = 1;
  write_words(bank, b->drive, b->program.cells, board_write_drive);
#if CONFIG_ROW_ELEMENT
  if (b->program.mode == TL_MODE_FACTORED && board_has_row_element()) {
    write_words(bank, b->row_table, TL_ROW_TABLE_NODES, board_write_row_table);
    write_words(bank, b->row_drive, b->program.rows, board_write_row_drive);
  }
#endif
  board_commit(bank, &b->program, &b->report);
  b->committed = 1;
  return accepted();
}

void program_load_state(int bank) {
  static int16_t codes[CONFIG_CELLS];
  const program_bank *b = &banks[bank];
  for (uint32_t i = 0; i < b->program.cells; i++) codes[i] = (int16_t)get_le16(b->initial_state + (size_t)2 * i);
  board_load_state(codes, b->program.cells);
}
