/* Checks what must hold for a device whatever bytes it got. A violation ends the program by `fuzz_failed`. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include "../src/device.h"

/*
 * Counts what the bytes led to. Frames of the device are counted by opcode; the last place
 * counts frames without payload.
 */
typedef struct {
  uint64_t said[65];
  uint64_t runs_started;
} fuzz_tally;

extern fuzz_tally fuzz_seen;
/* Prints the counts in one line. */
void fuzz_print_tally(void);

/* Prints what is wrong and where, and ends the program. */
void fuzz_failed(const char *what);

/* Checks after every call: the state exists, there is no internal fault, and bounds are kept. */
void fuzz_check_device(const device *d);
/*
 * Checks bytes of the device: one good frame that its host can take, with a message that the tables allow.
 * Returns the opcode, −1 for a frame without payload.
 */
int fuzz_check_said(const device *d, const uint8_t *wire, size_t length, message *m);

/*
 * Reads the same bytes with a decoder and buffers of their own. Inside the one structure of the device a
 * sanitizer does not see a read that goes a few bytes too far.
 */
void fuzz_check_reading(const uint8_t *bytes, size_t length);

#endif
