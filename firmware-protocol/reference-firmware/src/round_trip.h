/*
 * The retransmission timeout from measured round trips: RFC 6298 in whole microseconds (protocol.md,
 * "Retransmission"). The caller follows Karn's rule: it measures only frames that were sent once.
 */
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
/* Doubles the next timeout, because this one has passed. */
void round_trip_back_off(round_trip *estimate);
uint64_t round_trip_timeout_us(const round_trip *estimate);

#endif
