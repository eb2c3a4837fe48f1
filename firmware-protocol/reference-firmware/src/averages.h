/* What a run adds up of its samples in place of sending them (protocol.md, "Averages"). */
#ifndef AVERAGES_H
#define AVERAGES_H

#include "codec.h"
#include "refusal.h"

#define AVERAGES_PAIRS (CONFIG_MOMENT_CELLS * (CONFIG_MOMENT_CELLS + 1) / 2)
#define AVERAGES_PRODUCTS (AVERAGES_PAIRS > CONFIG_CELLS ? AVERAGES_PAIRS : CONFIG_CELLS)

/*
 * Codes are within ± 2¹⁵, a batch has at most 65535 samples and a run 32 batches: the sum of a batch fits 32
 * bits, and sums of products stay below 2⁵¹.
 */
typedef struct {
  /* TL_STATISTICS_SAMPLES: nothing is added up. */
  int statistics;
  uint32_t cells;
  uint32_t batch_samples;
  uint32_t batches;
  uint32_t samples;
  uint8_t flags;
#if CONFIG_AVERAGES
  int32_t batch_sums[TL_AVERAGE_BATCHES_MAX * CONFIG_CELLS];
  /* Σ x_i·x_j of j ≥ i, row by row, or Σ x_i². */
  int64_t products[AVERAGES_PRODUCTS];
#endif
} run_averages;

/* Whether a run may add up its samples as `start` says. */
refusal averages_check(const message_value *start, uint32_t cells);
/* Empties the sums. Values of `start`, which were checked. */
void averages_begin(run_averages *averages, const message_value *start, uint32_t cells);
void averages_add(run_averages *averages, const int16_t *codes, uint8_t flags);
/* Writes sums as they travel, at most `capacity` bytes of them. */
refusal averages_read(const run_averages *averages, const message_value *request, uint8_t *out, size_t capacity,
                      size_t *bytes);

#endif
