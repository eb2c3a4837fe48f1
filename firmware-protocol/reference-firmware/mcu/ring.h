/* A queue of bytes with one writer and one reader; either may be an interrupt. */
#ifndef RING_H
#define RING_H

#include <stddef.h>
#include <stdint.h>

/* A power of two. */
#define RING_BYTES 2048u

/* Both counts only count up, modulo 2³². Their difference is the number of bytes in the ring. */
typedef struct {
  volatile uint32_t taken;
  volatile uint32_t put;
  uint8_t bytes[RING_BYTES];
} ring;

static inline uint32_t ring_used(const ring *r) { return r->put - r->taken; }
static inline uint32_t ring_room(const ring *r) { return RING_BYTES - ring_used(r); }
/* Only the reader may do this. */
static inline void ring_clear(ring *r) { r->taken = r->put; }

/* Returns how many of the bytes were stored. */
static inline size_t ring_put(ring *r, const uint8_t *bytes, size_t length) {
  uint32_t at = r->put;
  size_t count = ring_room(r) < length ? ring_room(r) : length;
  for (size_t i = 0; i < count; i++) r->bytes[at++ % RING_BYTES] = bytes[i];
  /* The count is written last, so the reader never sees a byte that is not there yet. */
  __asm volatile("" ::: "memory");
  r->put = at;
  return count;
}

static inline size_t ring_take(ring *r, uint8_t *bytes, size_t capacity) {
  uint32_t at = r->taken;
  size_t count = ring_used(r) < capacity ? ring_used(r) : capacity;
  for (size_t i = 0; i < count; i++) bytes[i] = r->bytes[at++ % RING_BYTES];
  __asm volatile("" ::: "memory");
  r->taken = at;
  return count;
}

#endif
