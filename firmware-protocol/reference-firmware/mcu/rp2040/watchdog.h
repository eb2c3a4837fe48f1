/* The hardware watchdog (datasheet 4.7): it restarts a chip that does not feed it. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "rp2040.h"

/* The count goes down by two in a microsecond (errata RP2040-E1). */
#define WATCHDOG_COUNTS_PER_US 2u
/*
 * More than the longest call takes without a feed: a sector of the flash is erased within 400 ms,
 * board_power_on takes a second at most.
 */
#define WATCHDOG_US 2000000u

static inline void watchdog_feed(void) { REG(WATCHDOG_LOAD) = WATCHDOG_COUNTS_PER_US * WATCHDOG_US; }

#endif
