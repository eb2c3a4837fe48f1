#include "philox.h"

#include "../generated/gaussian_table.h"
#include "config.h"

#define ROUNDS 10
/*
 * The words of 16 cells are in four consecutive groups: cell 16·g + 4·word + lane has this word of group 4·g
 * + lane.
 */
#define CELLS_PER_BLOCK 16

void philox4x32(uint32_t counter[4], uint32_t key0, uint32_t key1) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t first = (uint64_t)UINT32_C(0xd2511f53) * c0;
    uint64_t second = (uint64_t)UINT32_C(0xcd9e8d57) * c2;
    c0 = (uint32_t)(second >> 32) ^ c1 ^ key0;
    c1 = (uint32_t)second;
    c2 = (uint32_t)(first >> 32) ^ c3 ^ key1;
    c3 = (uint32_t)first;
    key0 += UINT32_C(0x9e3779b9);
    key1 += UINT32_C(0xbb67ae85);
  }
  counter[0] = c0;
  counter[1] = c1;
  counter[2] = c2;
  counter[3] = c3;
}

/* The index of the highest set bit of x. x must not be 0. */
static unsigned highest_bit(uint32_t x) {
  unsigned p = 0;
  for (unsigned step = 16; step > 0; step >>= 1)
    if (x >> step != 0) {
      x >>= step;
      p += step;
    }
  return p;
}

int32_t gaussian_of_word(uint32_t word) {
  uint32_t x = (word & UINT32_C(0x7fffffff)) | 1;
  unsigned p = highest_bit(x);
  uint32_t m = x << (31 - p);
  const int16_t *entry = gaussian_table + 2 * (64 * p + ((m >> 25) & 63));
  int32_t fraction = (int32_t)((m >> 14) & 2047);
  int32_t z = ((int32_t)entry[0] * (1 << 14) + entry[1] * fraction + (1 << 13)) >> 14;
  return word >> 31 ? -z : z;
}

void gaussian_cells(uint32_t die_seed, uint32_t run_seed, uint64_t tick, uint32_t cells, int32_t *z) {
  for (uint32_t first = 0; first < cells; first += CELLS_PER_BLOCK)
    for (uint32_t lane = 0; lane < 4; lane++) {
      uint32_t words[4];
      words[0] = (uint32_t)tick;
      words[1] = (uint32_t)(tick >> 32);
      words[2] = first / 4 + lane;
      words[3] = TL_STREAM_THERMAL_NOISE;
      philox4x32(words, die_seed, run_seed);
      for (uint32_t word = 0; word < 4; word++) {
        uint32_t cell = first + 4 * word + lane;
        if (cell < cells) z[cell] = gaussian_of_word(words[word]);
      }
    }
}
