#include "averages.h"

#include <string.h>

#include "bytes.h"

#define BATCH_SUM_BYTES 4
#define PRODUCT_BYTES 8

static uint32_t product_count(const run_averages *a) {
  return a->statistics == TL_STATISTICS_SECOND_MOMENTS ? a->cells * (a->cells + 1) / 2 : a->cells;
}

refusal averages_check(const message_value *start, uint32_t cells) {
  int64_t statistics = start[TL_REQUEST_START_STATISTICS].integer;
  uint32_t samples = (uint32_t)start[TL_REQUEST_START_SAMPLE_COUNT].integer;
  uint32_t batch = (uint32_t)start[TL_REQUEST_START_BATCH_SAMPLES].integer;
  if (statistics == TL_STATISTICS_SAMPLES)
    return batch == 0 ? accepted() : refused(TL_REASON_OUT_OF_RANGE, "batches of samples that are sent");
  if (batch == 0 || samples == 0 || samples % batch != 0 || samples / batch > TL_AVERAGE_BATCHES_MAX)
    return refused(TL_REASON_OUT_OF_RANGE, "so many samples in such batches");
  if (statistics == TL_STATISTICS_SECOND_MOMENTS && cells > CONFIG_MOMENT_CELLS)
    return refused(TL_REASON_OUT_OF_RANGE, "products of so many cells");
  return accepted();
}

void averages_begin(run_averages *a, const message_value *start, uint32_t cells) {
  a->statistics = (int)start[TL_REQUEST_START_STATISTICS].integer;
  a->cells = cells;
  a->batch_samples = (uint32_t)start[TL_REQUEST_START_BATCH_SAMPLES].integer;
  a->samples = 0;
  a->flags = 0;
  if (a->statistics == TL_STATISTICS_SAMPLES) return;
  a->batches = (uint32_t)start[TL_REQUEST_START_SAMPLE_COUNT].integer / a->batch_samples;
#if CONFIG_AVERAGES
  memset(a->batch_sums, 0, (size_t)a->batches * cells * sizeof a->batch_sums[0]);
  memset(a->products, 0, product_count(a) * sizeof a->products[0]);
#endif
}

void averages_add(run_averages *a, const int16_t *codes, uint8_t flags) {
#if CONFIG_AVERAGES
  int32_t *sums = a->batch_sums + (size_t)(a->samples / a->batch_samples) * a->cells;
  int64_t *product = a->products;
  int of_pairs = a->statistics == TL_STATISTICS_SECOND_MOMENTS;
  for (uint32_t i = 0; i < a->cells; i++) {
    uint32_t end = of_pairs ? a->cells : i + 1;
    sums[i] += codes[i];
    for (uint32_t j = i; j < end; j++) *product++ += (int32_t)codes[i] * codes[j];
  }
#else
  (void)codes;
#endif
  a->samples++;
  a->flags |= (uint8_t)(flags & (TL_BLOCK_FLAG_OVERLOAD | TL_BLOCK_FLAG_CLIP));
}

refusal averages_read(const run_averages *a, const message_value *request, uint8_t *out, size_t capacity,
                      size_t *bytes) {
  int batches = request[TL_REQUEST_READ_AVERAGES_PART].integer == TL_PART_BATCH_SUMS;
  uint32_t first = (uint32_t)request[TL_REQUEST_READ_AVERAGES_FIRST_ENTRY].integer;
  uint32_t count = (uint32_t)request[TL_REQUEST_READ_AVERAGES_COUNT].integer;
  uint32_t available = batches ? a->batches * a->cells : product_count(a);
  size_t width = batches ? BATCH_SUM_BYTES : PRODUCT_BYTES;
  if (first > available || count > available - first)
    return refused(TL_REASON_OUT_OF_RANGE, "more sums than there are from there on");
  if (count > capacity / width) return refused(TL_REASON_OUT_OF_RANGE, "more sums than a frame takes");
  *bytes = width * count;
#if CONFIG_AVERAGES
  for (uint32_t i = 0; i < count; i++) {
    if (batches) put_le32(out + width * i, (uint32_t)a->batch_sums[first + i]);
    else put_le64(out + width * i, (uint64_t)a->products[first + i]);
  }
#else
  (void)out;
#endif
  return accepted();
}
