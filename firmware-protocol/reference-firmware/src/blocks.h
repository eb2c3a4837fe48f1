/* Sample blocks of a run, oldest first: those sent and kept, those that wait for credit, and one being filled. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "link.h"

/* Bytes of a block's message beside its codes, at most. */
#define BLOCK_OVERHEAD_BYTES 64
#define BLOCK_CODES_MIN ((TL_FRAME_BYTES_BEFORE_HELLO - TL_FRAME_OVERHEAD_BYTES - BLOCK_OVERHEAD_BYTES) / 2)
/* Blocks that one sample of all cells is spread over, at most. */
#define BLOCK_PARTS_MAX ((CONFIG_CELLS + BLOCK_CODES_MIN - 1) / BLOCK_CODES_MIN)
#define BLOCKS_MAX (CONFIG_BLOCKS_KEPT + TL_BLOCK_QUEUE_MAX + BLOCK_PARTS_MAX + 1)
/* One more than can be held, since each lies in one piece, and room for one sample in parts. */
#define BLOCKS_BYTES ((CONFIG_BLOCKS_KEPT + TL_BLOCK_QUEUE_MAX + 2) * (size_t)CONFIG_FRAME_BYTES + 4 * (size_t)CONFIG_CELLS)

typedef struct {
  uint32_t number;
  uint32_t first_sample;
  uint64_t tick;
  uint32_t first_cell;
  uint32_t cell_count;
  uint32_t sample_count;
  uint8_t flags;
  size_t offset;
  size_t length;
} sample_block;

typedef struct {
  sample_block ring[BLOCKS_MAX];
  uint32_t head;
  uint32_t kept;
  uint32_t full;
  uint32_t made;
  size_t write;
  uint8_t codes[BLOCKS_BYTES];
} block_store;

void blocks_clear(block_store *store);
/* A block behind the last with room for `bytes` codes; it counts as full when `blocks_close` has been called. */
sample_block *blocks_open(block_store *store, size_t bytes);
/* The block that was opened is full, and as long as its `length`. */
void blocks_close(block_store *store);
/* The oldest block that was not sent, or NULL. */
const sample_block *blocks_first_full(const block_store *store);
/* It is sent: kept, or forgotten. */
void blocks_sent(block_store *store, int keep);
/* Forgets kept ones below this number. */
void blocks_release(block_store *store, uint32_t below);
/* The kept block of that number, or NULL. */
const sample_block *blocks_kept(const block_store *store, uint32_t number);
/* Forgets all, those being filled included. */
void blocks_drop(block_store *store);

#endif
