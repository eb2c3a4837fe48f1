#include "run.h"

#include <string.h>

#include "board_hal.h"
#include "bytes.h"

/* Largest number of samples of one slice. It bounds the slice when no ticks lie between samples. */
#define SLICE_SAMPLES_MAX 4096

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

void run_begin(run_state *run, uint32_t run_id, const message_value *start, uint32_t cells, size_t payload_bytes_max) {
  uint32_t codes = (uint32_t)((payload_bytes_max - BLOCK_OVERHEAD_BYTES) / 2);
  uint32_t wanted = (uint32_t)start[TL_REQUEST_START_BLOCK_SAMPLES].integer;
  uint32_t fit = codes >= cells ? codes / cells : 1;
  run->run_id = run_id;
  run->bank = (int)start[TL_REQUEST_START_BANK].integer;
  run->watchdog_ms = (uint32_t)start[TL_REQUEST_START_WATCHDOG_MS].integer;
  run->first_tick = (uint64_t)start[TL_REQUEST_START_FIRST_TICK].integer;
  run->burn_in_ticks = (uint64_t)start[TL_REQUEST_START_BURN_IN_TICKS].integer;
  run->sample_count = (uint32_t)start[TL_REQUEST_START_SAMPLE_COUNT].integer;
  run->ticks_per_sample = (uint32_t)start[TL_REQUEST_START_TICKS_PER_SAMPLE].integer;
  run->keep_blocks = (uint32_t)start[TL_REQUEST_START_KEEP_BLOCKS].integer;
  run->may_lose = start[TL_REQUEST_START_ON_NO_CREDIT].integer == TL_ON_NO_CREDIT_LOSE;
  run->halts_on_overload = start[TL_REQUEST_START_ON_OVERLOAD].integer == TL_ON_OVERLOAD_HALT;
  run->credit = (uint32_t)start[TL_REQUEST_START_CREDIT_BLOCKS].integer;
  run->cells = cells;
  run->cells_per_block = smaller(cells, codes);
  run->samples_per_block = wanted == 0 ? fit : smaller(fit, wanted);
  run->ticks_done = 0;
  run->samples_taken = 0;
  run->samples_lost = 0;
  run->blocks_sent = 0;
  run->outcome = RUN_NO_OUTCOME;
  run->released = 0;
  run->position_owed = 0;
  run->gap = 0;
  run->filling = 0;
  run->again_count = 0;
  blocks_clear(&run->blocks);
  averages_begin(&run->averages, start, cells);
}

uint64_t run_tick(const run_state *run) { return run->first_tick + run->ticks_done; }

/* Whether there is room for the blocks of one more sample (protocol.md, "Blocks"). */
static int has_room(const run_state *run) {
  uint32_t parts = (run->cells + run->cells_per_block - 1) / run->cells_per_block;
  return run->blocks.full == 0 || run->blocks.full + parts <= TL_BLOCK_QUEUE_MAX;
}

int run_ready(const run_state *run) { return run->outcome == RUN_NO_OUTCOME && (run->may_lose || has_room(run)); }

int run_drained(const run_state *run) { return run->outcome != RUN_NO_OUTCOME && run->blocks.full == 0; }

int run_is_whole(const run_state *run) {
  return run->outcome == TL_OUTCOME_COMPLETED || run->outcome == TL_OUTCOME_OVERLOAD;
}

static sample_block *open_block(run_state *run, uint32_t sample, uint32_t first_cell, uint32_t cells, size_t bytes) {
  sample_block *block = blocks_open(&run->blocks, bytes);
  block->first_sample = sample;
  block->tick = run_tick(run);
  block->first_cell = first_cell;
  block->cell_count = cells;
  block->sample_count = 0;
  block->flags = 0;
  return block;
}

static void add_codes(run_state *run, sample_block *block, const int16_t *codes, uint8_t flags) {
  uint8_t *out = run->blocks.codes + block->offset + block->length;
  for (uint32_t i = 0; i < block->cell_count; i++) put_le16(out + (size_t)2 * i, (uint16_t)codes[i]);
  block->length += (size_t)2 * block->cell_count;
  block->sample_count++;
  block->flags |= flags;
}

static void close_open_block(run_state *run) {
  if (!run->filling) return;
  run->filling = 0;
  blocks_close(&run->blocks);
}

/* Spreads a sample of more cells than a block holds over several blocks. */
static void add_in_parts(run_state *run, uint32_t sample, uint8_t flags) {
  for (uint32_t first = 0; first < run->cells; first += run->cells_per_block) {
    uint32_t count = smaller(run->cells_per_block, run->cells - first);
    add_codes(run, open_block(run, sample, first, count, (size_t)2 * count), run->reading + first, flags);
    blocks_close(&run->blocks);
  }
}

static void add_whole(run_state *run, uint32_t sample, uint8_t flags) {
  size_t bytes = (size_t)2 * run->cells * run->samples_per_block;
  block_store *blocks = &run->blocks;
  sample_block *block = &blocks->ring[(blocks->head + blocks->kept + blocks->full) % BLOCKS_MAX];
  if (!run->filling) block = open_block(run, sample, 0, run->cells, bytes);
  run->filling = 1;
  add_codes(run, block, run->reading, flags);
  if (block->sample_count == run->samples_per_block) close_open_block(run);
}

static void take_sample(run_state *run) {
  uint32_t sample = run->samples_taken++;
  int adds_up = run->averages.statistics != TL_STATISTICS_SAMPLES;
  uint8_t flags = 0;
  if (!adds_up && !has_room(run)) {
    run->samples_lost++;
    run->gap = 1;
    return;
  }
  if (board_read_adc(run->reading)) flags |= TL_BLOCK_FLAG_CLIP;
  if (board_overloaded()) flags |= TL_BLOCK_FLAG_OVERLOAD;
  if (run->gap) flags |= TL_BLOCK_FLAG_GAP;
  run->gap = 0;
  if (adds_up) averages_add(&run->averages, run->reading, flags);
  else if (run->cells_per_block < run->cells) add_in_parts(run, sample, flags);
  else add_whole(run, sample, flags);
}

uint64_t run_advance(run_state *run, uint64_t ticks_max) {
  uint64_t left = ticks_max;
  for (int samples_left = SLICE_SAMPLES_MAX;;) {
    uint64_t target = run->burn_in_ticks + (uint64_t)run->samples_taken * run->ticks_per_sample;
    if (run->samples_taken == run->sample_count && (run->sample_count > 0 || run->ticks_done == run->burn_in_ticks)) {
      run_end(run, TL_OUTCOME_COMPLETED);
      break;
    }
    if (!run_ready(run)) break;
    if (run->ticks_done < target) {
      uint64_t wanted = target - run->ticks_done < left ? target - run->ticks_done : left;
      uint64_t done;
      if (left == 0) break;
      done = board_advance(wanted, run->halts_on_overload);
      run->ticks_done += done;
      left -= done;
      if (run->halts_on_overload && board_overloaded()) {
        run_end(run, TL_OUTCOME_OVERLOAD);
        break;
      }
    } else {
      if (samples_left-- == 0) break;
      take_sample(run);
    }
  }
  return ticks_max - left;
}

void run_end(run_state *run, int outcome) {
  if (outcome == TL_OUTCOME_COMPLETED || outcome == TL_OUTCOME_OVERLOAD) {
    close_open_block(run);
    if (run->outcome == RUN_NO_OUTCOME) run->outcome = outcome;
    return;
  }
  if (!run_drained(run)) run->outcome = outcome;
  run->filling = 0;
  run->again_count = 0;
  blocks_drop(&run->blocks);
  run->averages.statistics = TL_STATISTICS_SAMPLES;
}

int run_grant(run_state *run, uint32_t blocks, uint32_t released) {
  int raises = blocks > run->credit || released > run->released;
  if (blocks > run->credit) run->credit = blocks;
  if (released > run->released) run->released = released;
  blocks_release(&run->blocks, run->released);
  return raises;
}

static int is_asked_for(const run_state *run, uint32_t number) {
  for (uint32_t i = 0; i < run->again_count; i++)
    if (run->again[i] == number) return 1;
  return 0;
}

void run_resend(run_state *run, uint32_t first_block, uint32_t count) {
  for (uint32_t i = 0; i < count && run->again_count < TL_BLOCKS_KEPT_MAX; i++) {
    /* A number that wrapped around names no block. */
    uint32_t number = first_block + i;
    if (number < first_block) return;
    if (blocks_kept(&run->blocks, number) && !is_asked_for(run, number)) run->again[run->again_count++] = number;
  }
}

static size_t encode_block(const run_state *run, const sample_block *block, uint8_t *payload, size_t capacity) {
  message_value values[TL_FIELDS_MAX];
  values[TL_SAMPLE_BLOCK_RUN_ID] = value_integer(run->run_id);
  values[TL_SAMPLE_BLOCK_BLOCK] = value_integer(block->number);
  values[TL_SAMPLE_BLOCK_FIRST_SAMPLE] = value_integer(block->first_sample);
  values[TL_SAMPLE_BLOCK_TICK] = value_integer((int64_t)block->tick);
  values[TL_SAMPLE_BLOCK_FIRST_CELL] = value_integer(block->first_cell);
  values[TL_SAMPLE_BLOCK_CELL_COUNT] = value_integer(block->cell_count);
  values[TL_SAMPLE_BLOCK_SAMPLE_COUNT] = value_integer(block->sample_count);
  values[TL_SAMPLE_BLOCK_FLAGS] = value_integer(block->flags);
  values[TL_SAMPLE_BLOCK_CODES] = value_bytes(run->blocks.codes + block->offset, block->length);
  return codec_encode(TL_OP_SAMPLE_BLOCK, TO_HOST, 0, values, payload, capacity);
}

size_t run_next_block(run_state *run, uint8_t *payload, size_t capacity) {
  const sample_block *block;
  size_t length;
  while (run->again_count > 0) {
    block = blocks_kept(&run->blocks, run->again[0]);
    run->again_count--;
    memmove(run->again, run->again + 1, run->again_count * sizeof run->again[0]);
    /* A block that the host has released meanwhile is left out. */
    if (block) return encode_block(run, block, payload, capacity);
  }
  block = blocks_first_full(&run->blocks);
  if (block == NULL || block->number >= run->credit) return 0;
  /* A run that keeps blocks sends no more blocks than it can keep (protocol.md, "Kept blocks"). */
  if (run->keep_blocks > 0 && block->number >= (uint64_t)run->released + run->keep_blocks) return 0;
  length = encode_block(run, block, payload, capacity);
  /* A block that was released before it was sent is not kept. */
  blocks_sent(&run->blocks, run->keep_blocks > 0 && block->number >= run->released);
  run->blocks_sent++;
  return length;
}

/* Writes the u16 indices of the first flags that are set. Returns the number of all set flags. */
static uint32_t flagged(const uint8_t *flags, uint32_t count, uint8_t *first, size_t *bytes) {
  uint32_t found = 0;
  *bytes = 0;
  for (uint32_t i = 0; i < count; i++)
    if (flags[i] != 0 && ++found <= TL_OVERLOAD_INDICES_MAX) {
      put_le16(first + *bytes, (uint16_t)i);
      *bytes += 2;
    }
  return found;
}

size_t run_report(const run_state *run, uint8_t *payload, size_t capacity) {
  const board_profile *profile = board_get_profile();
  uint8_t cells[2 * TL_OVERLOAD_INDICES_MAX], rows[2 * TL_OVERLOAD_INDICES_MAX];
  size_t cell_bytes, row_bytes;
  message_value values[TL_FIELDS_MAX];
  values[TL_RUN_ENDED_RUN_ID] = value_integer(run->run_id);
  values[TL_RUN_ENDED_OUTCOME] = value_integer(run->outcome);
  values[TL_RUN_ENDED_TICKS_DONE] = value_integer((int64_t)run->ticks_done);
  values[TL_RUN_ENDED_SAMPLES_TAKEN] = value_integer(run->samples_taken);
  values[TL_RUN_ENDED_SAMPLES_LOST] = value_integer(run->samples_lost);
  values[TL_RUN_ENDED_BLOCKS_SENT] = value_integer(run->blocks_sent);
  values[TL_RUN_ENDED_OVERLOADED_CELL_COUNT] =
      value_integer(flagged(board_cell_flags(), profile->cells, cells, &cell_bytes));
  values[TL_RUN_ENDED_OVERLOADED_CELLS] = value_bytes(cells, cell_bytes);
  values[TL_RUN_ENDED_OVERLOADED_ROW_COUNT] = value_integer(flagged(board_row_flags(), profile->rows, rows, &row_bytes));
  values[TL_RUN_ENDED_OVERLOADED_ROWS] = value_bytes(rows, row_bytes);
  return codec_encode(TL_OP_RUN_ENDED, TO_HOST, 0, values, payload, capacity);
}
