/* Command line of thermolink-device. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

typedef struct {
  const char *profile;
  uint32_t die;
  uint32_t boot_epoch;
  /* One of the two: HOST:PORT, or a link to the pseudo-terminal. */
  const char *tcp;
  const char *pty;
} options;

/* Reads the arguments; on a mistake it says so on stderr and returns 0. */
int options_parse(options *o, int argc, char **argv);

#endif
