/* Checks rules that a device must keep after any bytes. A violation ends the program by `fuzz_failed`. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include "../src/device.h"

/*
 * Counts the effects of the bytes. Frames of the device are counted by opcode; the last entry counts frames
 * without payload.
 */
typedef struct {
  uint64_t said[65];
  uint64_t runs_started;
} fuzz_tally;

extern fuzz_tally fuzz_seen;
/* Prints the counts in one line. */
void fuzz_print_tally(void);

/* Prints the mistake and its place, and ends the program. */
void fuzz_failed(const char *what);

/* Checks after every call: the state exists, there is no internal fault, and bounds are kept. */
void fuzz_check_device(const device *d);
/*
 * Checks bytes of the device: they must be one good frame that its host can take, with a message that the
 * tables allow. Returns the opcode, −1 for a frame without payload.
 */
int fuzz_check_said(const device *d, const uint8_t *wire, size_t length, message *m);

/*
 * Reads the same bytes with a separate decoder and separate buffers. A sanitizer does not see a read that
 * goes a few bytes too far inside the single structure of the device.
 */
void fuzz_check_reading(const uint8_t *bytes, size_t length);

#endif
