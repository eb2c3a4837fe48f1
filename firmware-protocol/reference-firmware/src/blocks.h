/*
 * The sample blocks of a run, oldest first: blocks sent and kept, blocks that wait for credit,
 * and one being filled.
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "link.h"

/* Largest number of bytes of a block's message besides its codes. */
#define BLOCK_OVERHEAD_BYTES 64
#define BLOCK_CODES_MIN ((TL_FRAME_BYTES_BEFORE_HELLO - TL_FRAME_OVERHEAD_BYTES - BLOCK_OVERHEAD_BYTES) / 2)
/* Largest number of blocks over which one sample of all cells is spread. */
#define BLOCK_PARTS_MAX ((CONFIG_CELLS + BLOCK_CODES_MIN - 1) / BLOCK_CODES_MIN)
#define BLOCKS_MAX (CONFIG_BLOCKS_KEPT + TL_BLOCK_QUEUE_MAX + BLOCK_PARTS_MAX + 1)
/*
 * The buffer has room for one more block than it may hold, because a block never wraps around its end. It
 * also has room for one sample in parts.
 */
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
/*
 * Opens a block after the last one, with room for `bytes` of codes. It counts as full after `blocks_close`.
 */
sample_block *blocks_open(block_store *store, size_t bytes);
/* Closes the open block at its present `length`. */
void blocks_close(block_store *store);
/* The oldest block that was not sent yet, or NULL. */
const sample_block *blocks_first_full(const block_store *store);
/* Marks the oldest full block as sent, and keeps or forgets it (protocol.md, "Kept blocks"). */
void blocks_sent(block_store *store, int keep);
/* Forgets kept blocks below this number. */
void blocks_release(block_store *store, uint32_t below);
/* The kept block with this number, or NULL. */
const sample_block *blocks_kept(const block_store *store, uint32_t number);
/* Forgets all blocks, including the one being filled. */
void blocks_drop(block_store *store);

#endif
