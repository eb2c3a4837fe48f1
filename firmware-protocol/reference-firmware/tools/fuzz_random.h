/* Random numbers for the fuzzer. A seed gives the same numbers on every machine. */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdint.h>

typedef struct {
  uint64_t state;
} fuzz_random;

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t fuzz_next(fuzz_random *random) {
  uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* A number from 0 to count − 1. */
static inline uint32_t fuzz_below(fuzz_random *random, uint32_t count) { return (uint32_t)(fuzz_next(random) >> 32) % count; }

static inline int fuzz_chance(fuzz_random *random, uint32_t percent) { return fuzz_below(random, 100) < percent; }

#endif
