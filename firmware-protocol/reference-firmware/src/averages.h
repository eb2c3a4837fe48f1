/* The sums of samples that a run makes instead of sending the samples (protocol.md, "Averages"). */
#ifndef AVERAGES_H
#define AVERAGES_H

#include "codec.h"
#include "refusal.h"

#define AVERAGES_PAIRS (CONFIG_MOMENT_CELLS * (CONFIG_MOMENT_CELLS + 1) / 2)
#define AVERAGES_PRODUCTS (AVERAGES_PAIRS > CONFIG_CELLS ? AVERAGES_PAIRS : CONFIG_CELLS)

/*
 * Codes are within ± 2¹⁵. A batch has at most 65535 samples, and a run at most 32 batches. The sum of a batch
 * therefore fits 32 bits, and sums of products stay below 2⁵¹.
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
/* Sets the sums to zero. `start` has the values of the command, which were checked. */
void averages_begin(run_averages *averages, const message_value *start, uint32_t cells);
void averages_add(run_averages *averages, const int16_t *codes, uint8_t flags);
/* Writes sums in the form of a message, at most `capacity` bytes. */
refusal averages_read(const run_averages *averages, const message_value *request, uint8_t *out, size_t capacity,
                      size_t *bytes);

#endif
