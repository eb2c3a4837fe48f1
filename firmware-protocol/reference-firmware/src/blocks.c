#include "blocks.h"

static sample_block *block_at(block_store *store, uint32_t index) {
  return &store->ring[(store->head + index) % BLOCKS_MAX];
}

void blocks_drop(block_store *store) {
  store->head = 0;
  store->kept = 0;
  store->full = 0;
  store->write = 0;
}

void blocks_clear(block_store *store) {
  blocks_drop(store);
  store->made = 0;
}

/* BLOCKS_BYTES is large enough that there is always room in one piece. */
static size_t place(block_store *store, size_t bytes) {
  uint32_t held = store->kept + store->full;
  size_t oldest = held == 0 ? 0 : block_at(store, 0)->offset;
  if (held == 0) return 0;
  if (store->write > oldest && bytes > BLOCKS_BYTES - store->write) return 0;
  return store->write;
}

sample_block *blocks_open(block_store *store, size_t bytes) {
  sample_block *block = block_at(store, store->kept + store->full);
  block->offset = place(store, bytes);
  block->length = 0;
  return block;
}

void blocks_close(block_store *store) {
  sample_block *block = block_at(store, store->kept + store->full);
  block->number = store->made++;
  store->write = block->offset + block->length;
  store->full++;
}

const sample_block *blocks_first_full(const block_store *store) {
  return store->full == 0 ? NULL : &store->ring[(store->head + store->kept) % BLOCKS_MAX];
}

static void forget_oldest(block_store *store) { store->head = (store->head + 1) % BLOCKS_MAX; }

void blocks_sent(block_store *store, int keep) {
  store->full--;
  if (keep) store->kept++;
  else forget_oldest(store);
}

void blocks_release(block_store *store, uint32_t below) {
  while (store->kept > 0 && block_at(store, 0)->number < below) {
    forget_oldest(store);
    store->kept--;
  }
}

const sample_block *blocks_kept(const block_store *store, uint32_t number) {
  uint32_t first = store->ring[store->head].number;
  if (store->kept == 0 || number < first || number - first >= store->kept) return NULL;
  return &store->ring[(store->head + (number - first)) % BLOCKS_MAX];
}
