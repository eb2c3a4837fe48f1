#ifndef CLOCKS_H
#define CLOCKS_H

#include <stdint.h>

void clocks_init(void);
/*
 * The timer's interrupt comes at this time, which must be less than 71 minutes ahead. If the time has already
 * passed, the interrupt comes 71 minutes later.
 */
void clocks_wake_at(uint64_t us);

#endif
