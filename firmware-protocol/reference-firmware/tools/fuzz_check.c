#include "fuzz_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/model.h"
#include "../src/program.h"

fuzz_tally fuzz_seen;

void fuzz_print_tally(void) {
  printf("runs started: %llu; said, by opcode:", (unsigned long long)fuzz_seen.runs_started);
  for (int i = 0; i < 64; i++)
    if (fuzz_seen.said[i] > 0) printf(" %d:%llu", i, (unsigned long long)fuzz_seen.said[i]);
  printf("; without payload: %llu\n", (unsigned long long)fuzz_seen.said[64]);
}

static void check(int holds, const char *what) {
  if (!holds) fuzz_failed(what);
}

void fuzz_check_device(const device *d) {
  const board_profile *board = board_get_profile();
  const model_state *state = model_get_state();
  check(d->state <= TL_STATE_FAULT, "the state is not one of the protocol");
  check(d->fault != TL_FAULT_INTERNAL, "a message led to an internal fault");
  check((d->state == TL_STATE_RUNNING) <= (d->presence == RUN_CURRENT), "the state is `running`, but there is no run");
  check(d->link.frame_bytes >= TL_FRAME_BYTES_BEFORE_HELLO && d->link.frame_bytes <= CONFIG_FRAME_BYTES, "the longest frame is out of its range");
  check(d->session.answer_count <= TL_ANSWER_CACHE_MAX, "more answers kept than the cache has places");
  check(d->presence == RUN_NONE || d->run.blocks.kept <= d->run.keep_blocks, "more blocks are kept than the host asked for");
  check(d->run.blocks.write <= BLOCKS_BYTES, "the blocks take more bytes than their buffer has");
  check(d->link.commands.in_flight <= d->link.commands.count && d->link.commands.count <= SENDER_ENTRIES, "more frames in flight than there are entries");
  for (uint32_t i = 0; i < board->cells; i++)
    check(state->v[i] <= (int64_t)board->rail && state->v[i] >= -(int64_t)board->rail, "the voltage of a cell is beyond its rail");
  for (int bank = 0; bank < TL_BANKS; bank++) {
    const program_bank *b = program_get(bank);
    check(b->committed <= b->defined, "a bank is committed without a program");
    check(!b->defined || (b->program.cells <= board->cells && b->program.rows * b->program.cells <= CONFIG_COUPLINGS),
          "a program is larger than the board");
  }
}

static void check_block(const device *d, const message *m) {
  const message_value *v = m->values;
  int64_t codes = v[TL_SAMPLE_BLOCK_CELL_COUNT].integer * v[TL_SAMPLE_BLOCK_SAMPLE_COUNT].integer;
  check(codes * 2 == (int64_t)v[TL_SAMPLE_BLOCK_CODES].length, "a block has another number of codes than its fields say");
  check(v[TL_SAMPLE_BLOCK_RUN_ID].integer == d->run.run_id, "a block belongs to another run");
  check(v[TL_SAMPLE_BLOCK_BLOCK].integer < d->run.credit, "the number of a block is not below the credit");
}

int fuzz_check_said(const device *d, const uint8_t *wire, size_t length, message *m) {
  static frame_decoder decoder;
  frame_result result;
  frame f;
  size_t taken, start = wire[0] == 0 ? 1 : 0;
  frame_decoder_init(&decoder, CONFIG_FRAME_BYTES);
  taken = frame_decoder_push(&decoder, wire + start, length - start, &result, &f);
  check(result == FRAME_GOOD && start + taken == length, "the bytes of the device are not one good frame");
  if (f.channel == TL_CHANNEL_OPEN || f.channel == TL_CHANNEL_STOP) check(start == 1, "no delimiter stands before an urgent frame");
  if (f.channel == TL_CHANNEL_SAMPLE || f.length == 0) check(start == 0, "a delimiter stands before a frame that is sent once");
  if (f.channel != TL_CHANNEL_OPEN) {
    check(f.length + TL_FRAME_OVERHEAD_BYTES <= d->link.frame_bytes, "a frame is longer than its host takes");
    check(f.session == d->link.session && d->link.session_open, "a frame belongs to another session");
  }
  if (f.length == 0) {
    fuzz_seen.said[64]++;
    return -1;
  }
  check(codec_decode(f.payload, f.length, TO_HOST, m) == CODEC_OK, "a message does not agree with the tables");
  check(m->row->channel == f.channel, "a message is on a wrong channel");
  if (m->opcode == TL_OP_SAMPLE_BLOCK) check_block(d, m);
  fuzz_seen.said[m->opcode & 63]++;
  return m->opcode;
}

void fuzz_check_reading(const uint8_t *bytes, size_t length) {
  static frame_decoder decoder;
  static int fresh = 1;
  if (fresh) frame_decoder_init(&decoder, CONFIG_FRAME_BYTES);
  fresh = 0;
  while (length > 0) {
    frame_result result;
    frame f;
    message m;
    size_t taken = frame_decoder_push(&decoder, bytes, length, &result, &f);
    check(taken > 0 && taken <= length, "the decoder takes no bytes");
    bytes += taken;
    length -= taken;
    if (result != FRAME_GOOD) continue;
    uint8_t *alone = malloc(f.length + 1);
    if (!alone) fuzz_failed("no memory");
    /* The buffer ends with the payload, so a sanitizer sees a read beyond it. */
    memcpy(alone + 1, f.payload, f.length);
    codec_decode(alone + 1, f.length, TO_DEVICE, &m);
    codec_decode(alone + 1, f.length, TO_HOST, &m);
    free(alone);
  }
}
