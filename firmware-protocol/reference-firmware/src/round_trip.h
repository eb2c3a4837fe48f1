/* Retransmission timeout of RFC 6298 from measured round trips, in whole microseconds. Karn's rule is the caller's. */
#ifndef ROUND_TRIP_H
#define ROUND_TRIP_H

#include <stdint.h>

typedef struct {
  int measured;
  uint64_t smoothed_us;
  uint64_t variation_us;
  int backoff;
} round_trip;

void round_trip_init(round_trip *estimate);
void round_trip_measure(round_trip *estimate, uint64_t round_trip_us);
/* The timeout has passed: the next one is twice as long. */
void round_trip_back_off(round_trip *estimate);
uint64_t round_trip_timeout_us(const round_trip *estimate);

#endif
