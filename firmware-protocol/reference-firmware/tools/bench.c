/*
 * Measures the time of a tick of the model with full noise. Each line of standard input is a measurement:
 *
 *   CELLS ROWS BITS MILLISECONDS      ROWS 0: dense      → {"microsecondsPerTick":…,"ticks":…}
 *
 * It runs for about MILLISECONDS. A line with the problem of the previous line continues its run, so a caller
 * can measure this process and others in turns. A board larger than thermolink-device needs CONFIG_ROWS and
 * CONFIG_COUPLINGS to match.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <time.h>

#include "../src/bytes.h"
#include "../src/crc.h"
#include "../src/model.h"
#include "../src/philox.h"
#include "../src/program.h"
#include "line.h"

#define TICK_LOG2 5
#define NOISE_SHIFT 18
/* With 0.1 G_fs a factored system of few rows is not singular. */
#define DAMPING 3277
#define WRITE_CODES 4096

typedef struct {
  uint32_t cells, rows, bits;
} problem;

static board_profile board;
static uint64_t tick;
static uint64_t guess_ns = 1000000;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t board_time_us(void) { return now_ns() / 1000; }

static void check(refusal r) {
  if (r.refused) line_fail(r.detail);
}

static uint32_t square_root(uint32_t x) {
  uint32_t root = 0;
  while ((root + 1) * (root + 1) <= x) root++;
  return root;
}

/*
 * Scales random couplings as stepProgram of src/cli/commands/bench/step.ts does, to eigenvalues that are
 * usual on boards.
 */
static int32_t coupling(const problem *p, uint32_t row, uint32_t column) {
  uint32_t counter[4] = {0, 0, 0, 0};
  int32_t full = 1 << (p->bits - 1);
  int32_t largest;
  if (p->rows == 0 && row == column) return full / 2;
  counter[0] = p->rows == 0 && row < column ? column : row;
  counter[1] = p->rows == 0 && row < column ? row : column;
  philox4x32(counter, 1, 0);
  largest = p->rows == 0 ? full / 3 / (int32_t)square_root(p->cells)
                         : full * 17 / 10 / (int32_t)(square_root(p->cells) + square_root(p->rows));
  if (largest > full - 1) largest = full - 1;
  return (int32_t)(counter[0] % (uint32_t)(2 * largest + 1)) - largest;
}

static void write_couplings(const problem *p) {
  static uint8_t codes[2 * WRITE_CODES];
  uint32_t rows = p->rows == 0 ? p->cells : p->rows;
  uint32_t width = p->bits <= 8 ? 1 : 2;
  uint32_t count = 0, first = 0;
  for (uint32_t i = 0; i < rows * p->cells; i++) {
    int32_t code = coupling(p, i / p->cells, i % p->cells);
    if (width == 1) codes[count++] = (uint8_t)code;
    else put_le16(codes + (size_t)2 * count++, (uint16_t)code);
    if (count < WRITE_CODES && i + 1 < rows * p->cells) continue;
    check(program_write(0, TL_SECTION_COUPLINGS, first, codes, count * width));
    first = i + 1;
    count = 0;
  }
}

static void load(const problem *p) {
  message_value shape[TL_FIELDS_MAX];
  uint32_t rows = p->rows == 0 ? p->cells : p->rows;
  uint32_t first, second;
  board = *model_profile("ideal-8");
  board.name = "bench";
  board.cells = p->cells;
  board.rows = rows;
  board.has_dense = p->rows == 0;
  board.tick_log2 = TICK_LOG2;
  program_init();
  if (!model_init(&board, 1)) line_fail("this build has no room for it: CONFIG_ROWS, CONFIG_COUPLINGS");
  shape[TL_REQUEST_DEFINE_PROGRAM_BANK] = value_integer(0);
  shape[TL_REQUEST_DEFINE_PROGRAM_MODE] = value_integer(p->rows == 0 ? TL_MODE_DENSE : TL_MODE_FACTORED);
  shape[TL_REQUEST_DEFINE_PROGRAM_CELLS] = value_integer(p->cells);
  shape[TL_REQUEST_DEFINE_PROGRAM_ROWS] = value_integer(rows);
  shape[TL_REQUEST_DEFINE_PROGRAM_COUPLING_BITS] = value_integer(p->bits);
  shape[TL_REQUEST_DEFINE_PROGRAM_ROW_ATTENUATION] = value_integer(0);
  shape[TL_REQUEST_DEFINE_PROGRAM_LINEAR_ROWS] = value_integer(TL_NO_ROW_ELEMENT);
  check(program_define(shape));
  write_couplings(p);
  check(program_set_registers(0, p->rows == 0 ? 0 : DAMPING, TL_NOISE_AMPLITUDE_MAX, NOISE_SHIFT));
  program_digest(0, &first, &second);
  check(program_commit(0, first, second));
  program_load_state(0);
  board_start(0, 1, 0);
  tick = 0;
  /* One tick gives a first guess of the time of a tick. */
  guess_ns = now_ns();
  tick += board_advance(1, 0);
  guess_ns = now_ns() - guess_ns;
}

static void measure(uint64_t milliseconds) {
  uint64_t ticks = milliseconds * 1000000 / (guess_ns + 1) + 1;
  uint64_t start_ns = now_ns();
  uint64_t took_ns;
  tick += board_advance(ticks, 0);
  took_ns = now_ns() - start_ns;
  guess_ns = took_ns / ticks;
  printf("{\"microsecondsPerTick\":%.6g,\"ticks\":%llu}\n", (double)took_ns / (double)ticks / 1000.0,
         (unsigned long long)ticks);
  fflush(stdout);
}

int main(void) {
  problem loaded = {0, 0, 0};
  crc_init();
  while (line_next()) {
    problem p;
    p.cells = (uint32_t)line_number();
    p.rows = (uint32_t)line_number();
    p.bits = (uint32_t)line_number();
    if (p.cells != loaded.cells || p.rows != loaded.rows || p.bits != loaded.bits) load(&p);
    loaded = p;
    measure((uint64_t)line_number());
  }
  return 0;
}
