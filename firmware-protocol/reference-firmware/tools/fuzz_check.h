/* What must hold of a device whatever it was told. A violation ends the program by `fuzz_failed`. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include "../src/device.h"

/* What came of the bytes so far: how deep the fuzzing goes. Frames said by opcode; the last place is frames without payload. */
typedef struct {
  uint64_t said[65];
  uint64_t runs_started;
} fuzz_tally;

extern fuzz_tally fuzz_seen;
/* On standard output, one line. */
void fuzz_print_tally(void);

/* Says what is wrong and where, and ends the program. */
void fuzz_failed(const char *what);

/* After every call: a state that there is, no internal fault, bounds kept. */
void fuzz_check_device(const device *d);
/* What it says: one good frame, no longer than its host takes, with a message that its tables allow. Its opcode, −1 for none. */
int fuzz_check_said(const device *d, const uint8_t *wire, size_t length, message *m);

/*
 * Reads the same bytes by a decoder and out of buffers of their own: within the device's one structure a reader that goes a few
 * bytes too far would not be seen.
 */
void fuzz_check_reading(const uint8_t *bytes, size_t length);

#endif
