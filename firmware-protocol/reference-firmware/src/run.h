/*
 * One board run: burn-in, samples, blocks and credit. Its results depend on program, seeds and
 * credits, never on slices.
 */
#ifndef RUN_H
#define RUN_H

#include "averages.h"
#include "blocks.h"
#include "codec.h"

#define RUN_NO_OUTCOME (-1)

typedef struct {
  uint32_t run_id;
  int bank;
  uint32_t watchdog_ms;
  uint64_t first_tick;
  uint64_t burn_in_ticks;
  uint32_t sample_count;
  uint32_t ticks_per_sample;
  uint32_t keep_blocks;
  int may_lose;
  int halts_on_overload;
  uint32_t cells;
  uint32_t cells_per_block;
  uint32_t samples_per_block;

  uint64_t ticks_done;
  uint32_t samples_taken;
  uint32_t samples_lost;
  uint32_t blocks_sent;
  int outcome;
  uint32_t credit;
  uint32_t released;
  /* A credit came that raised no number, so the host waits for `blocksSent` (protocol.md, "Credits"). */
  int position_owed;
  /* At least one sample was lost since the last kept sample. */
  int gap;
  /* A block is being filled. */
  int filling;
  /* Numbers of the blocks that the host asked for again. */
  uint32_t again[TL_BLOCKS_KEPT_MAX];
  uint32_t again_count;
  int16_t reading[CONFIG_CELLS];
  run_averages averages;
  block_store blocks;
} run_state;

/* Begins a run by the fields of the command `start`. */
void run_begin(run_state *run, uint32_t run_id, const message_value *start, uint32_t cells, size_t payload_bytes_max);
/* Number of the tick that comes next. */
uint64_t run_tick(const run_state *run);
/* Whether ticks may pass: the run has not ended, and the next sample has room (protocol.md, "Blocks"). */
int run_ready(const run_state *run);
/* Lets at most `ticks_max` ticks pass. Returns how many passed. */
uint64_t run_advance(run_state *run, uint64_t ticks_max);
/* Ends the run. After `completed` and `overload` the samples are still sent. Any other outcome drops them. */
void run_end(run_state *run, int outcome);
/* Whether the run has ended and all its blocks are sent. */
int run_drained(const run_state *run);
/* Whether the run ended by itself. Its report then waits for its blocks. */
int run_is_whole(const run_state *run);
/* Takes a credit. Returns whether it raises a number. */
int run_grant(run_state *run, uint32_t blocks, uint32_t released);
void run_resend(run_state *run, uint32_t first_block, uint32_t count);
/* Writes the message of the next block that may be sent. Returns its length, or 0 if there is none. */
size_t run_next_block(run_state *run, uint8_t *payload, size_t capacity);
/* Writes `runEnded`. */
size_t run_report(const run_state *run, uint8_t *payload, size_t capacity);

#endif
