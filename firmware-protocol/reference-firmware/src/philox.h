/* Philox4x32-10 (Salmon et al., 2011) and the integer Gaussian (device-model.md, "Noise"). */
#ifndef PHILOX_H
#define PHILOX_H

#include <stdint.h>

/* Replaces the four words of a counter by their output under a key. */
void philox4x32(uint32_t counter[4], uint32_t key0, uint32_t key1);

/* The integer Gaussian of a random word: σ = 2¹², at most 25519 in magnitude. */
int32_t gaussian_of_word(uint32_t word);

/* Writes z of the first `cells` cells at a tick. */
void gaussian_cells(uint32_t die_seed, uint32_t run_seed, uint64_t tick, uint32_t cells, int32_t *z);

#endif
