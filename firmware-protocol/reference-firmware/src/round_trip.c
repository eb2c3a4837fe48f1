#include "round_trip.h"

#include "config.h"

#define US_PER_MS 1000u
#define BACKOFF_MAX 6

void round_trip_init(round_trip *estimate) {
  estimate->measured = 0;
  estimate->smoothed_us = 0;
  estimate->variation_us = 0;
  estimate->backoff = 0;
}

void round_trip_measure(round_trip *estimate, uint64_t us) {
  if (!estimate->measured) {
    estimate->measured = 1;
    estimate->smoothed_us = us;
    estimate->variation_us = us / 2;
  } else {
    uint64_t error = estimate->smoothed_us > us ? estimate->smoothed_us - us : us - estimate->smoothed_us;
    estimate->variation_us = (3 * estimate->variation_us + error) / 4;
    estimate->smoothed_us = (7 * estimate->smoothed_us + us) / 8;
  }
  estimate->backoff = 0;
}

void round_trip_back_off(round_trip *estimate) {
  if (estimate->backoff < BACKOFF_MAX) estimate->backoff++;
}

uint64_t round_trip_timeout_us(const round_trip *estimate) {
  uint64_t ms = TL_TIMEOUT_MS_INITIAL;
  if (estimate->measured) {
    /* The step of the clock is added here, although the RFC takes the larger of the two terms. */
    ms = (estimate->smoothed_us + 4 * estimate->variation_us) / US_PER_MS + 1;
    if (ms < TL_TIMEOUT_MS_MIN) ms = TL_TIMEOUT_MS_MIN;
  }
  ms <<= estimate->backoff;
  return (ms < TL_TIMEOUT_MS_MAX ? ms : TL_TIMEOUT_MS_MAX) * US_PER_MS;
}
