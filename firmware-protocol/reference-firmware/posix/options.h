/* The command line of thermolink-device. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

typedef struct {
  const char *profile;
  uint32_t die;
  uint32_t boot_epoch;
  /* Only one of these is set: HOST:PORT, or the link to the pseudo-terminal. */
  const char *tcp;
  const char *pty;
  /* NULL: the record is only in memory. */
  const char *calibration_file;
} options;

/* Reads the arguments. On a mistake it prints a message on stderr and returns 0. */
int options_parse(options *o, int argc, char **argv);

#endif
