/* The hardware watchdog (datasheet 4.7): it restarts a chip that does not feed it. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "rp2040.h"

/* The count decreases by two in a microsecond (errata RP2040-E1). */
#define WATCHDOG_COUNTS_PER_US 2u
/*
 * This time is longer than the longest call without a feed. A sector of the flash is erased within 400 ms;
 * board_power_on takes at most a second.
 */
#define WATCHDOG_US 2000000u

static inline void watchdog_feed(void) { REG(WATCHDOG_LOAD) = WATCHDOG_COUNTS_PER_US * WATCHDOG_US; }

#endif
