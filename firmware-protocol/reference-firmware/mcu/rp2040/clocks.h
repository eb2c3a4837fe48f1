#ifndef CLOCKS_H
#define CLOCKS_H

#include <stdint.h>

void clocks_init(void);
/*
 * The timer's interrupt comes at that time, less than 71 minutes ahead. A time that has passed is missed: the
 * interrupt then comes 71 minutes later.
 */
void clocks_wake_at(uint64_t us);

#endif
